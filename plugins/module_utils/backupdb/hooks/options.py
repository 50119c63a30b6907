# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of hooks as plain values on their way into the library's own; one table for modules, jobs and roles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..errors import InvalidOption
from ..system.options import Option, duration_from, validate_options
from .values import DATABASE, MOMENTS, ON_ERROR, RUN, SCOPES, Hook

OPTIONS: Mapping[str, Option] = {
    "when": Option(required=True, choices=MOMENTS),
    "per": Option(default=RUN, choices=SCOPES),
    "command": Option("list", elements="str"),
    "sql": Option(),
    "databases": Option("list", elements="str"),
    "timeout": Option(default="5m"),
    "on_error": Option(default="fail", choices=ON_ERROR),
}


def hooks_from(entries: Sequence[Any] | None) -> tuple[Hook, ...]:
    """Make the hooks of a run, in their order; raises `InvalidOption`, which says which one is wrong."""
    return tuple(_hook(entry, f"hooks[{number}]") for number, entry in enumerate(entries or ()))


def _hook(entry: Any, where: str) -> Hook:
    options = validate_options(entry, OPTIONS, where)
    for name, option in OPTIONS.items():
        if option.choices and options[name] not in option.choices:
            raise InvalidOption(f"{where}.{name}: {options[name]!r} is not one of {', '.join(option.choices)}")
    command, statement = options["command"], options["sql"]
    if bool(command) == bool(statement):
        raise InvalidOption(f"{where}: give one of command, a list of words, and sql, one statement")
    if command and (not Path(command[0]).is_absolute() or any("\0" in word for word in command)):
        raise InvalidOption(
            f"{where}.command: {command[0]!r} must be the absolute path of a program; it is not run by a shell"
        )
    if options["databases"] is not None and options["per"] != DATABASE:
        raise InvalidOption(f"{where}.databases: only a hook with per: {DATABASE} has databases")
    try:
        timeout = duration_from(options, "timeout")
    except InvalidOption as error:
        raise InvalidOption(f"{where}: {error}") from error
    if not timeout:
        raise InvalidOption(f"{where}.timeout: a hook needs a time limit, such as 5m")
    return Hook(
        when=options["when"],
        per=options["per"],
        command=tuple(command or ()),
        sql=statement,
        databases=tuple(["*"] if options["databases"] is None else options["databases"]),
        timeout=timeout,
        required=options["on_error"] == "fail",
    )
