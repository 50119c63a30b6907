# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Brings a whole host back: a plan of what the backups cover, then accounts, databases and grants, each compared.

One database that fails never stops the others, and what could not be brought back is named.
"""
