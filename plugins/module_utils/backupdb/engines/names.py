# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The names of the engines, for those that need no engine: in what Ansible packs, each is a hundred files."""

from __future__ import annotations

POSTGRESQL, MYSQL, MARIADB = ENGINE_NAMES = ("postgresql", "mysql", "mariadb")
