# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Restores backups into throw-away servers and compares them with what they say of themselves: the proof of a backup.

A drill writes one record beside the manifest and leaves nothing else behind.
"""
