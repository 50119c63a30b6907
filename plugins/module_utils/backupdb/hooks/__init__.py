# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands and statements of the user's own, before and after a run and before and after each of its databases.

They run on the host, as the user who makes the backups, or in the session of a login of theirs. Each has a time limit,
and what comes of it is in the result.
"""
