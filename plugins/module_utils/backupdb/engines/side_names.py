# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Databases beside others: what a restore that was broken off, or a replace, has left under a name of ours.

Nothing here drops anything: such a database may hold the only copy of what it holds.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

RESTORING = "restoring"  # loaded under this name before it takes its place
REPLACED = "replaced"  # what was in its place, under this name since
_NAME = re.compile(rf"(.+)_({RESTORING}|{REPLACED})_[0-9]{{8}}t[0-9]{{6}}z", re.DOTALL | re.IGNORECASE)
_CUT = 60  # bytes; a name that is as long may have been cut to fit


def broken_restores(names: Iterable[str]) -> list[str]:
    """Return a line for each database that a restore has left half way, or that one at work now is loading."""
    return [_line(name) for name in sorted(names) if _word(name) == RESTORING]


def beside(target: str, names: Iterable[str]) -> list[str]:
    """Return a line for each database that an earlier restore of `target` has left."""
    return [_line(name) for name in sorted(names) if _word(name) and _is_of(name, target)]


def _word(name: str) -> str | None:
    found = _NAME.fullmatch(name)
    return found[2].lower() if found else None


def _is_of(name: str, target: str) -> bool:
    found = _NAME.fullmatch(name)
    if found is None:
        return False
    owner, wanted = found[1].lower(), target.lower()
    return owner == wanted or (len(name.encode("utf-8", "surrogateescape")) >= _CUT and wanted.startswith(owner))


def _line(name: str) -> str:
    if _word(name) == REPLACED:
        return f"database {name!r} is what a restore has replaced; drop it when nobody needs it any more"
    return (
        f"database {name!r} was left by a restore that was broken off, unless one is at work: compare it with the "
        "database that it was made for, which may be half loaded, then drop it or restore again"
    )
