# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Brings one database back into a server: a plan that may refuse, then the load, the comparison and the swap.

Whatever fails, the database that was there before is still there.
"""
