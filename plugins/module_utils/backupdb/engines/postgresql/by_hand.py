# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How people load a backup of PostgreSQL with its own programs; docs/recovery.md has the whole of it."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from ..values import ByHand

_ORDER = ("pre-data", "data", "data-", "rest", "post-data")
_OPTIONS = {"encoding": "encoding", "lc_collate": "lc-collate", "lc_ctype": "lc-ctype", "owner": "owner"}


def by_hand(manifest: Mapping[str, Any]) -> ByHand:
    """Return createdb with the properties of the original, pg_restore, and psql for the roles."""
    properties = manifest.get("properties") or {}
    words = [
        shlex.quote(f"--{option}={properties[name]}")
        for name, option in _OPTIONS.items()
        if isinstance(properties.get(name), str)
    ]
    return ByHand(
        create=" ".join(["createdb --template=template0", *words, '"$target"']),
        load='pg_restore --exit-on-error --dbname="$target"',
        accounts="psql -X -d postgres",
        order=_ORDER,
    )
