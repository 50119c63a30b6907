# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a backup leaves out on purpose, as its manifest has it: a complete backup of a part must never pass for all.

`filters` of a manifest has the patterns as they were asked for and, under `left_out`, what they meant.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

FILTERS = "filters"  # the key in a manifest
_LEFT_OUT = "left_out"
_KINDS = ("tables", "table_data", "schemas")
_SHOWN = 5
_WORDS = {
    "tables": ("1 table", "{} tables"),
    "table_data": ("the rows of 1 table", "the rows of {} tables"),
    "schemas": ("1 schema", "{} schemas"),
}


def filters_of(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Return the patterns that a backup was made with, by their option; empty for one of everything."""
    return {option: entries for option, entries in _filters(manifest).items() if option != _LEFT_OUT and entries}


def left_out(manifest: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the patterns and what they leave out, as plain values; None where nothing was asked to be left out."""
    return dict(_filters(manifest)) or None


def is_whole(manifest: Mapping[str, Any]) -> bool:
    """Tell whether nothing is left out on purpose; what is missing against all wishes is not asked here."""
    return number_left_out(manifest) == 0


def number_left_out(manifest: Mapping[str, Any]) -> int:
    """Return how many tables and schemas are left out, or have their rows left out."""
    return sum(_counts(manifest).values())


def without(manifest: Mapping[str, Any]) -> str:
    """Say what is left out: "without 3 tables and the rows of 1 table"; an empty text where nothing is."""
    parts = [_WORDS[kind][count > 1].format(count) for kind, count in _counts(manifest).items() if count]
    return f"without {' and '.join(parts)}" if parts else ""


def with_without(text: str, manifest: Mapping[str, Any], form: str = "{}, {}") -> str:
    """Add to a text, such as a status, what is left out."""
    said = without(manifest)
    return form.format(text, said) if said else text


def names_left_out(manifest: Mapping[str, Any], kind: str) -> Sequence[str]:
    """Return the names of what is left out, as far as the manifest has them; `kind` is tables or table_data."""
    names = _of_kind(manifest, kind).get("names")
    return [str(name) for name in names] if isinstance(names, list) else []


def patterns_text(manifest: Mapping[str, Any]) -> str:
    """Write the patterns as they were asked for."""
    return "; ".join(
        f"{option}: {', '.join(map(repr, entries[:_SHOWN]))}{', ...' if len(entries) > _SHOWN else ''}"
        for option, entries in sorted(filters_of(manifest).items())
        if isinstance(entries, list)
    )


def _filters(manifest: Mapping[str, Any]) -> Mapping[str, Any]:
    found = manifest.get(FILTERS)
    return found if isinstance(found, dict) else {}


def _of_kind(manifest: Mapping[str, Any], kind: str) -> Mapping[str, Any]:
    kinds = _filters(manifest).get(_LEFT_OUT)
    found = kinds.get(kind) if isinstance(kinds, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def _counts(manifest: Mapping[str, Any]) -> Mapping[str, int]:
    """Return how many of each kind are left out; nothing is asked of the many that are of everything."""
    return {kind: _count(manifest, kind) for kind in _KINDS} if _filters(manifest) else {}


def _count(manifest: Mapping[str, Any], kind: str) -> int:
    count = _of_kind(manifest, kind).get("count")
    return count if isinstance(count, int) and count > 0 else 0
