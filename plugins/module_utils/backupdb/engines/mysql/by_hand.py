# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How people load a backup of MySQL or MariaDB with the server's own client; docs/recovery.md has the whole of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ..values import ByHand

_ORDER = ("routines", "pre-data", "data", "data-", "post-data")
_WORD = re.compile(r"[A-Za-z0-9_]{1,64}")
_CLAUSES = {"character_set": "CHARACTER SET", "collation": "COLLATE"}


def by_hand(manifest: Mapping[str, Any], client: str) -> ByHand:
    """Return the client's calls; it takes the login from ~/.my.cnf."""
    properties = manifest.get("properties") or {}
    clauses = [
        f" {clause} {properties[name]}"
        for name, clause in _CLAUSES.items()
        if _WORD.fullmatch(str(properties.get(name) or ""))
    ]
    return ByHand(
        create=f'{client} -e "CREATE DATABASE \\`$target\\`{"".join(clauses)}"',
        load=f'{client} --binary-mode --max-allowed-packet=1G "$target"',
        accounts=f"{client} --force",
        order=_ORDER,
    )
