# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a manifest names as missing: a restore is not expected to bring it back.

The lines of `missing` are for people, so kinds and names are looked for as words in them. Where one is named, less than
was counted at the source is no difference, and is told as not compared. Lines about what was not counted either excuse
nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ..engines.values import UNCOUNTED_KEY

_BESIDE = ("comments", "grants", "security_labels")  # they go with the objects that they belong to

_ROWS = "rows of "


def missing_kind(manifest: Mapping[str, Any], kind: str) -> str | None:
    """Return the line that names objects of this kind as missing; None without one."""
    lines = _counted(manifest)
    if kind in _BESIDE:
        return lines[0] if lines else None
    words = kind.replace("_", " ")
    singular = words[:-1] if words.endswith("s") else words
    return next((line for line in lines if _names(line, f"{re.escape(singular)}s?")), None)


def missing_name(manifest: Mapping[str, Any], name: str) -> str | None:
    """Return the line that names this object, or its rows, as missing; None without one.

    A line that names it for something else, such as a key on it that is disabled, does not excuse a loss of its rows.
    """
    lines = [*_counted(manifest), *(str(line) for line in manifest["missing"] if str(line).startswith(_ROWS))]
    return next((line for line in lines if _names(line, re.escape(name))), None)


def _counted(manifest: Mapping[str, Any]) -> list[str]:
    """Return the lines about what the inventory counts."""
    uncounted = (manifest.get("engine_details") or {}).get(UNCOUNTED_KEY, ())
    return [str(line) for line in manifest["missing"] if line not in uncounted]


def _names(line: str, pattern: str) -> bool:
    return re.search(rf'(?<![\w."`]){pattern}(?![\w"`]|\.\w)', line, re.IGNORECASE) is not None
