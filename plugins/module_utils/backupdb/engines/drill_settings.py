# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a drill's private server takes over from the settings that a manifest records.

A manifest may be forged, so each engine lists the settings that a restore needs, with what each one may be. Nothing
else reaches a configuration file, a command line, an environment or a statement: it is left out, and told.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Callable

from ..system.text import one_line

Form = Callable[[str], bool]  # whether a value is one that a setting may have

_SHOWN = 60  # characters of a value that is told
_DIGITS = 10
_LIBRARY = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,63}")


def integer(lowest: int, highest: int) -> Form:
    """Whole numbers from `lowest` to `highest`.

    >>> [integer(0, 2)(text) for text in ("2", "3", "1\\n", "9" * 5000)]
    [True, False, False, False]
    """

    def fits(text: str) -> bool:
        return bool(re.fullmatch(r"[0-9]+", text)) and len(text) <= _DIGITS and lowest <= int(text) <= highest

    return fits


def one_of(*words: str) -> Form:
    """One of these words, in any case."""
    known = {word.lower() for word in words}
    return lambda text: text.lower() in known


def matching(pattern: str, longest: int = 64) -> Form:
    """Texts that the pattern matches as a whole; it must take time in proportion to their length."""
    compiled = re.compile(pattern)
    return lambda text: len(text) <= longest and compiled.fullmatch(text) is not None


def recorded_settings(manifest: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the settings of the source as the manifest has them, good or bad."""
    found: Mapping[str, Any] = manifest["server"].get("settings") or {}
    return found


def taken_over(forms: Mapping[str, Form], source: Mapping[str, Any]) -> tuple[dict[str, str], list[str]]:
    """Split settings of the source into those that a server may be given, and a word on each that is none.

    >>> taken_over({"a": integer(0, 9), "b": integer(0, 9)}, {"a": 3, "b": "3'", "c": 5})
    ({'a': '3'}, ["b: '3\\\\'' is no value that it may have; left out"])
    """
    good: dict[str, str] = {}
    left_out = []
    for name, form in forms.items():
        if name in source:
            text = as_text(source[name])
            if text is not None and form(text):
                good[name] = text
            else:
                left_out.append(f"{name}: {_shown(source[name])} is no value that it may have; left out")
    return good, left_out


def as_text(value: Any) -> str | None:
    """Write a value as a configuration has it; None for what is neither a text, a number nor a truth value."""
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, int):
        return str(value) if abs(value) < 10**_DIGITS else None
    return value if isinstance(value, str) else None


@dataclass
class Names:
    """Names of libraries: those that are known to be needed, and a word on each other one.

    `refused` are no names at all: they have a path, a quote or a suffix in them.
    """

    known: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)


def sorted_out(wanted: Sequence[Any], known: Collection[str], what: str) -> Names:
    """Sort names of libraries by what the product knows that a restore may need, written in lower case in `known`."""
    names = Names()
    for name in wanted:
        if not isinstance(name, str) or not _LIBRARY.fullmatch(name):
            names.refused.append(f"{what}: {_shown(name)} is no name of a library; left out")
        elif name.lower() in known:
            names.known.append(name)
        else:
            names.unknown.append(f"{what}: {name} is none that a restore is known to need; left out")
    return names


def _shown(value: Any) -> str:
    text = as_text(value)
    return ascii(one_line(text)[:_SHOWN]) if text is not None else f"a value of kind {type(value).__name__}"
