# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an option is, and how plain values become options, or are refused by name.

Every room has its options in one table, in its file options.py. The argument specs of the modules and the options of
job files and of the command line are made from these tables; roles and documentation are checked against them.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Callable, TypeVar

from ..errors import InvalidOption
from .text import parse_duration, parse_moment, parse_size

T = TypeVar("T")
_TYPES: Mapping[str, tuple[type, str]] = {
    "str": (str, "a text"),
    "path": (str, "a text"),
    "int": (int, "a whole number"),
    "bool": (bool, "true or false"),
    "list": (list, "a list of texts"),
    "dict": (dict, "an object of names"),
}


@dataclass(frozen=True)
class Option:
    """One option. `type` is in Ansible's words: str, path, int, bool, list or dict.

    `secret` False says of an option whose name looks like a secret's that it is none. `environment` names the variable
    of the environment that gives it to a module when a task does not. `elements` is the type of a list's entries, and
    `options` are those of a dict, or of each dict in a list.
    """

    type: str = "str"
    default: Any = None
    required: bool = False
    choices: tuple[str, ...] = ()
    elements: str | None = None
    secret: bool | None = None
    environment: str | None = None
    options: Mapping[str, Option] | None = None

    def accepts(self, value: Any) -> bool:
        """Tell whether a value has the type of this option; a number is never taken for a switch, nor a switch for it.

        Choices are not looked at: the value made of the option refuses what it does not know, and says what it does.
        """
        if self.type == "list":
            return isinstance(value, list) and all(Option(self.elements or "str").accepts(entry) for entry in value)
        return isinstance(value, _TYPES[self.type][0]) and (self.type == "bool" or not isinstance(value, bool))

    def type_name(self) -> str:
        """Name what the option takes, for messages."""
        return _TYPES[self.type][1]

    def is_text(self) -> bool:
        """Tell whether the command line writes its value as it is, and not as JSON."""
        return self.type in ("str", "path")

    def new_default(self) -> Any:
        """Return the default as a value of the caller's own."""
        return copy.deepcopy(self.default)


def defaults_of(table: Mapping[str, Option]) -> dict[str, Any]:
    """Return all options of the table with their defaults, None for those that are required."""
    return {name: option.new_default() for name, option in table.items()}


def validate_options(
    values: Any, table: Mapping[str, Option], where: str, *, secrets: Collection[str] = ()
) -> dict[str, Any]:
    """Return all options of the table: the given ones, checked by their type, and the defaults of the others.

    `secrets` are names of options that this place must not have. Raises `InvalidOption`, which says where and names
    the key.
    """
    if not isinstance(values, Mapping):
        raise InvalidOption(f"{where} is not an object of options")
    for key in values:
        if key in secrets:
            raise InvalidOption(f"{where}.{key} is a secret and does not belong here; put it into the credentials")
        if key not in table:
            raise InvalidOption(f"{where}.{key} is not known; remove it, or look for how it is written")
    options = defaults_of(table)
    for key, option in table.items():
        value = values.get(key)
        if value is None:
            if option.required:
                raise InvalidOption(f"{where}.{key} is missing")
        elif option.accepts(value):
            options[key] = value
        else:
            raise InvalidOption(f"{where}.{key}: {value!r} is not {option.type_name()}")
    return options


def parse_assignment(text: str, table: Mapping[str, Option]) -> tuple[str, Any]:
    """Read `NAME=VALUE` of the command line: all that is not text is written as JSON. Raises `InvalidOption`."""
    name, separator, value = text.partition("=")
    if not separator or name not in table:
        raise InvalidOption(f"{text!r} is not NAME=VALUE with one of the names {', '.join(table)}")
    if table[name].is_text():
        return name, value
    try:
        return name, json.loads(value)
    except (ValueError, RecursionError):
        raise InvalidOption(f"{name}: {value!r} is not {table[name].type_name()}, written as JSON") from None


def moment_from(options: Mapping[str, Any], name: str) -> datetime | None:
    """Read an option that is a time; raises `InvalidOption` which names it."""
    return _read(options, name, parse_moment)


def duration_from(options: Mapping[str, Any], name: str) -> float | None:
    """Read an option that is a duration, in seconds; raises `InvalidOption` which names it."""
    return _read(options, name, parse_duration)


def size_from(options: Mapping[str, Any], name: str) -> int | None:
    """Read an option that is a size, in bytes; raises `InvalidOption` which names it."""
    return _read(options, name, parse_size)


def at_least(options: Mapping[str, Any], name: str, least: int) -> int:
    """Read an option that is a number; raises `InvalidOption` for one below `least`."""
    value: int = options[name]
    if value < least:
        raise InvalidOption(f"option {name}: {value} is too small; use {least} or more")
    return value


def _read(options: Mapping[str, Any], name: str, parse: Callable[[Any], T]) -> T | None:
    if options[name] is None:
        return None
    try:
        return parse(options[name])
    except InvalidOption as error:
        raise InvalidOption(f"option {name}: {error}") from error
