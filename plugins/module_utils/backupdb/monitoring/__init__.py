# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who looks: how fresh and how proven the backups of a host are, as a table, as plain values and as metrics.

Everything is found in the repositories and in the records of jobs; nothing is written but the metrics file.
"""
