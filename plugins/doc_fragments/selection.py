# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the options in `backup.options.SELECTION_OPTIONS`."""

from __future__ import annotations


class ModuleDocFragment:
    """Which databases of the instance are meant."""

    DOCUMENTATION = r"""
options:
  databases:
    description:
      - Databases to take, as exact names or shell-style patterns (C(*), C(?), C([a-z])).
      - A name or pattern that matches nothing is an error, so that a spelling mistake does not lead to a missing
        backup. The others are backed up all the same.
      - The server's own databases (such as C(information_schema) or C(template0)) are never taken. If one is named
        exactly, the run fails after the others are done.
      - PostgreSQL's C(postgres) and C(template1) are among them, but are taken when they are named exactly. If one is
        left out but holds tables, there is a warning. Templates of your own are taken when they are named exactly.
    type: list
    elements: str
    default: ['*']
  exclude:
    description:
      - Databases to leave out, as exact names or patterns. It overrides O(databases), in any order.
      - What is left out is listed in the result with the reason.
    type: list
    elements: str
    default: []
"""
