# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Backs up the databases and accounts of one instance: a plan, then one published backup for each of them, or a reason.

A database that fails does not stop the others, and nothing of it is published.
"""
