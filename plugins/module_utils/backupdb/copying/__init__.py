# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Copying: published backups are sent to places elsewhere, each backup whole or not at all.

A backup is never made in a copy, nothing there is ever written twice, and nothing but backups is written.
"""
