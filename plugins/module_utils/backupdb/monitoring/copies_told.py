# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The state of copies in words, as cells of a table and as plain values."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from typing import Any

from ..system.text import human_duration, iso
from .copies import BEHIND, FRESH, LATE, CopyState, Coverage


def row(copy: CopyState) -> dict[str, Any]:
    """Return a copy of a database as plain values."""
    return {
        "name": copy.name,
        "state": copy.verdict,
        "required": copy.required,
        "off_site": copy.off_site,
        "media": copy.media,
        "newest": _iso(copy.newest),
        "age_seconds": None if copy.age is None else round(copy.age),
        "max_age_seconds": round(copy.max_age),
        "missing": copy.missing,
        "missing_bytes": copy.missing_bytes,
        "backups": copy.backups,
        "stored_bytes": copy.stored_bytes,
        "proven": _iso(copy.proven),
        "locked_until": _iso(copy.locked_until),
        "tampered": copy.tampered,
    }


def coverage_values(coverage: Coverage | None) -> dict[str, int] | None:
    """Return a coverage as plain values."""
    return None if coverage is None else asdict(coverage)


def coverage_text(coverage: Coverage) -> str:
    """Write a coverage for people."""
    return f"copies {coverage.copies}, media {coverage.media}, off-site {coverage.off_site}"


def cell(copy: CopyState) -> str:
    """Say how a database is in a copy: whether it is fresh, what is missing, proven and locked."""
    parts = [copy.verdict if copy.verdict != BEHIND else f"{copy.missing} behind"]
    if copy.verdict == LATE and copy.age is not None:
        parts = [f"late, {human_duration(copy.age)}"]
    parts += [f"proven {copy.proven:%Y-%m-%d}"] if copy.proven is not None else []
    parts += [f"locked until {copy.locked_until:%Y-%m-%d}"] if copy.locked_until is not None else []
    parts += [f"{copy.tampered} TAMPERED"] if copy.tampered else []
    return ", ".join(parts)


def failures(copy: CopyState) -> Iterator[str]:
    """Say why the state of a copy is a failure."""
    if copy.verdict not in FRESH and copy.required:
        yield reason(copy)
    if copy.tampered:
        yield tampering(copy.name, copy.tampered)


def tampering(name: str, count: int) -> str:
    """Say what was done to a copy."""
    return (
        f"copy {name}: the manifests of {count} backups were written over or removed there, which no run of ours does; "
        "their first versions count. Find out who has the key"
    )


def reason(copy: CopyState) -> str:
    """Say why a copy is not fresh."""
    missing = f"; {copy.missing} backups of this host are not there" if copy.missing else ""
    if copy.age is None:
        return f"copy {copy.name} has no backup{missing}"
    return (
        f"the newest backup in copy {copy.name} is {human_duration(copy.age)} old, "
        f"{human_duration(copy.max_age)} are allowed{missing}"
    )


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else iso(moment)
