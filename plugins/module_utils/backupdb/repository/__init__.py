# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where backups rest: the layout on disk, manifests, locks, and everything that is noted beside a backup.

A backup exists when its manifest does; what is under a final name is whole.
"""
