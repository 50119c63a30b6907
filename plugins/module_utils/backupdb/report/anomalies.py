# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is unusual in the newest backup of a database, against its own history. Every finding says against what.

The newest backup is compared with the median of those before it, as far as these were made in the same way: with the
same filters, and for the compressibility with the same compression. Growth is unusual only where it came in one jump:
data that grows a little every day is never unusual.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from ..system.text import human_size

BASELINE = 14  # backups before the newest, at most
LEAST = 4  # with fewer of them there is no usual
_SHRUNK, _FEWER_ROWS, _FEWER_OBJECTS = 0.6, 0.6, 0.8
_GROWN, _JUMP = 3.0, 1.8
_SMALL_BYTES, _FEW_ROWS, _FEW_OBJECTS = 1 << 20, 100, 5  # what is smaller changes by much without a reason
_UNPACKABLE, _PACKABLE = 0.9, 0.7  # parts of the plain size that are stored

Point = Mapping[str, Any]


@dataclass(frozen=True)
class Anomaly:
    """What is unusual, in words that name the value, the median and of how many backups it is."""

    what: str  # size, rows, objects, compressibility or tables
    text: str


def anomalies(history: Sequence[Point], emptied: Sequence[str] = ()) -> list[Anomaly]:
    """Return what is unusual; `history` has points of a facts document, newest first, `emptied` names of tables."""
    complete = [point for point in history if point["complete"]]
    if not complete or complete[0] is not history[0]:
        return []  # a partial newest one is told anyway, and compares with nothing
    newest = complete[0]
    alike = [point for point in complete[1:] if point["filters"] == newest["filters"]][:BASELINE]
    found = [
        _size(newest, alike),
        _fewer("rows", newest, alike, least=_FEW_ROWS, part=_FEWER_ROWS),
        _fewer("objects", newest, alike, least=_FEW_OBJECTS, part=_FEWER_OBJECTS),
        _compressibility(newest, alike),
        _emptied(emptied),
    ]
    return [one for one in found if one is not None]


def _size(newest: Point, alike: Sequence[Point]) -> Anomaly | None:
    usual = _usual(alike, lambda point: point["plain_bytes"])
    now = newest["plain_bytes"]
    if usual is None or max(usual.value, now) < _SMALL_BYTES or not usual.value:
        return None
    times = now / usual.value
    if times <= _SHRUNK:
        return Anomaly("size", f"shrank to {times:.2g}x of the {usual.words}: {_sizes(now, usual.value)}")
    if times >= _GROWN and _greatest_step([newest, *alike]) >= _JUMP:
        return Anomaly("size", f"grew {times:.1f}x against the {usual.words}: {_sizes(now, usual.value)}")
    return None


def _fewer(what: str, newest: Point, alike: Sequence[Point], *, least: int, part: float) -> Anomaly | None:
    usual = _usual(alike, lambda point: point[what])
    now = newest[what]
    if usual is None or now is None or usual.value < least or now > part * usual.value:
        return None
    return Anomaly(what, f"{now:,} {what}, where the {usual.words} is {usual.value:,.0f}")


def _compressibility(newest: Point, alike: Sequence[Point]) -> Anomaly | None:
    same = [point for point in alike if point["compression"] == newest["compression"]]
    usual = _usual(same, _packed)
    now = _packed(newest)
    if usual is None or now is None or newest["plain_bytes"] < _SMALL_BYTES:
        return None
    if now < _UNPACKABLE or usual.value > _PACKABLE:
        return None
    return Anomaly(
        "compressibility",
        f"packed to {now:.0%} of its size, where the {usual.words} is {usual.value:.0%}: what is in it does not "
        "compress any more, as after somebody encrypted it",
    )


def _emptied(tables: Sequence[str]) -> Anomaly | None:
    if not tables:
        return None
    return Anomaly("tables", f"had rows in the backup before, and are empty now: {', '.join(tables)}")


@dataclass(frozen=True)
class _Usual:
    value: float
    words: str


def _usual(points: Sequence[Point], value_of: Callable[[Point], float | None]) -> _Usual | None:
    values = [value for value in map(value_of, points) if value is not None]
    return _Usual(median(values), f"median of {len(values)}") if len(values) >= LEAST else None


def _packed(point: Point) -> float | None:
    if point["compression"] in ("", "none") or not point["plain_bytes"]:
        return None
    return float(point["stored_bytes"] / point["plain_bytes"])


def _greatest_step(newest_first: Sequence[Point]) -> float:
    sizes = [max(1, point["plain_bytes"]) for point in newest_first]
    return max((later / earlier for later, earlier in zip(sizes, sizes[1:])), default=1.0)


def _sizes(now: int, usual: float) -> str:
    return f"{human_size(now)}, usually {human_size(usual)}"
