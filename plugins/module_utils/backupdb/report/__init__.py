# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who reports: what is known of the backups of many hosts, judged and written as one page, as JSON and as CSV.

A look at a host makes a facts document; many of them are judged together. Verdicts on databases are those that
`monitoring` gives.
"""
