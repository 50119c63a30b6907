# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands in the way of a restore, found before anything is made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .interface import MissingPrivilege, RestoreOptions, ServerFacts
from .mysql_family import Family

if TYPE_CHECKING:
    from ..connection import Server


def find_problems(
    server: Server,
    facts: ServerFacts,
    manifest: Mapping[str, Any],
    target: str,
    options: RestoreOptions,
    *,
    family: Family,
) -> tuple[list[str], list[MissingPrivilege], list[str]]:
    """Return refusals, missing rights and warnings."""
    return [], [], []
