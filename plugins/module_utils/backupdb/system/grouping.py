# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The same error for many things, told once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

_NAMED = 3  # of those that share an error


class Fault(NamedTuple):
    """What is wrong with one thing. `place` is what its text says of it alone, such as the path of its folder."""

    name: str
    text: str
    place: str = ""


def grouped(faults: Iterable[Fault], things: str, *, shown: int | None = None) -> list[str]:
    """Return a line for each error, the most frequent first: `name: error`, or how many have it, and which.

    `things` is their plural, such as "backups". After `shown` lines the last says for how many things there are others.
    """
    groups: dict[str, list[Fault]] = {}
    for fault in faults:
        groups.setdefault(_without_place(fault), []).append(fault)
    most_first = sorted(groups.items(), key=lambda group: -len(group[1]))
    lines = [_line(text, group, things) for text, group in most_first]
    if shown is None or len(lines) <= shown:
        return lines
    return [*lines[:shown], f"and {sum(len(group) for _text, group in most_first[shown:])} more"]


def _without_place(fault: Fault) -> str:
    return fault.text.replace(f"{fault.place}/", "") if fault.place else fault.text


def _line(text: str, group: list[Fault], things: str) -> str:
    if len(group) == 1:
        return f"{group[0].name}: {group[0].text}"
    names = ", ".join(fault.name for fault in group[:_NAMED])
    more = f" and {len(group) - _NAMED} more" if len(group) > _NAMED else ""
    return f"{len(group)} {things}: {text.rstrip('.')}. These are {names}{more}"
