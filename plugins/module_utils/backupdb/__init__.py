# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The library: backups of PostgreSQL, MySQL and MariaDB that can be restored, and proof of it.

It never imports Ansible. Rooms, from top to bottom: cli; monitoring; jobs; drill; restore; backup; accounts, retention
and verify; archives; engines; repository; connection; age; streams; credentials and notify; system; errors. A room may
use those below it and never one above it. docs/architecture.md has the way through them.
"""
