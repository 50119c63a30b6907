# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of files in a store: they are what `layout` makes, and never lead out of the store's top."""

from __future__ import annotations

from ...errors import StoreError

_LONGEST = 255  # bytes of a component


def is_component(name: str) -> bool:
    """Say whether this can be the name of a file or folder of ours: none is hidden, none has control characters."""
    try:
        length = len(name.encode("utf-8"))
    except UnicodeEncodeError:
        return False
    return 0 < length <= _LONGEST and not name.startswith(".") and "/" not in name and name.isprintable()


def check_name(name: str) -> str:
    """Return the name; raises `StoreError` for one that leads out of the top, or that cannot be one of ours."""
    if not all(map(is_component, name.split("/"))):
        raise StoreError(f"{name[:300]!r} is not the name of a file in a store of copies, so nothing was done with it")
    return name


def check_folder(name: str) -> str:
    """Return the name of a folder without a slash at its end, "" for the top; raises as `check_name` does."""
    return check_name(name.rstrip("/")) if name else ""


def joined(folder: str, name: str) -> str:
    """Return the name of what lies in a folder; "" is the top."""
    return f"{folder}/{name}" if folder else name
