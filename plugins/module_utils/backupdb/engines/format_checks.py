# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The check of archives of each engine: a registry of its own, since the rest of an engine is much to pack."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Callable

from .format_check import FormatCheck
from .names import MARIADB, MYSQL, POSTGRESQL

_Check = Callable[[Mapping[str, Any], Mapping[str, Any]], FormatCheck]


def _postgresql() -> _Check:
    from .postgresql.archive import format_check

    return format_check


def _mysql() -> _Check:
    from .mysql.format_check import format_check

    return format_check


_CHECKS: Mapping[str, Callable[[], _Check]] = {POSTGRESQL: _postgresql, MYSQL: _mysql, MARIADB: _mysql}


def check_of_engine(manifest: Mapping[str, Any], archive: Mapping[str, Any]) -> FormatCheck | None:
    """Make the check of whether an archive of a database is a whole one of its format; always `close` it.

    None for an engine that is not known.
    """
    load = _CHECKS.get(str(manifest["engine"]))
    return load()(manifest, archive) if load else None
