# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A manual page, made from the parser, in the macros of man(7)."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence

from ..jobs.options import CONFIG_DIR, STATE_DIR
from ..version import VERSION
from .words import arguments_of, commands_of, help_of, options_of, value_of

_STATUSES = (
    ("0", "everything is done"),
    ("1", "partial: everything is published, and something named is missing; or there are warnings"),
    ("2", "failed: something is not published, not good, not restored, or late"),
    ("3", "a wrong option or job file, or a program or library that is not installed"),
    ("4", "the secrets of a job are not there, cannot be read, or are open to others"),
    ("75", "another run is in progress"),
)
_FILES = (
    (f"{CONFIG_DIR}/jobs.d/NAME.json", "a job, as the role schedule defines it; it has no secrets"),
    (f"{CONFIG_DIR}/credentials/", "the secrets of jobs"),
    (f"{STATE_DIR}/jobs/NAME.json", "how the last run of a job went"),
    (f"{STATE_DIR}/copies/", "what the copies hold"),
)
_ENVIRONMENT = (
    ("BACKUPDB_LOGIN_USER", "the account for a restore, instead of the one of the job"),
    ("BACKUPDB_LOGIN_PASSWORD", "its password"),
    ("BACKUPDB_PASSPHRASE", "the passphrase of archives"),
)
_EXAMPLES = (
    "backupdb status",
    "backupdb doctor nightly",
    "backupdb list --database orders",
    "backupdb restore nightly shop-pg orders --target orders_yesterday --at 2026-11-23 -i identity.txt --check",
)


def manual(parser: argparse.ArgumentParser) -> str:
    """Return the page; the same parser gives the same text."""
    return "\n".join(_lines(parser)) + "\n"


def _lines(parser: argparse.ArgumentParser) -> Iterator[str]:
    commands = commands_of(parser)
    yield '.\\" Made from the options of the program.'
    yield f'.TH BACKUPDB 8 "" "vya.backupdb {VERSION}" "Backups of databases"'
    yield from (".SH NAME", f"{parser.prog} \\- back up PostgreSQL, MySQL and MariaDB, and look after the backups")
    yield from (".SH SYNOPSIS", f".B {parser.prog}", ".I COMMAND", "[\\fIoptions\\fR]")
    yield ".SH DESCRIPTION"
    yield "On hosts, jobs back up by themselves. This program runs them, and does by hand what is left to people."
    yield "After a command \\fB\\-\\-help\\fR explains it in short."
    yield "With \\fB\\-\\-json\\fR a result is one JSON document on standard output."
    yield ".SH COMMANDS"
    for name, command in commands.items():
        yield from _command(name, command)
    for title, entries in (("EXIT STATUS", _STATUSES), ("FILES", _FILES), ("ENVIRONMENT", _ENVIRONMENT)):
        yield f".SH {title}"
        yield from _entries(entries)
    yield from (".SH EXAMPLES", ".nf", *map(_plain, _EXAMPLES), ".fi")
    yield from (".SH SEE ALSO", ".BR age (1),", ".BR systemctl (1),", ".BR journalctl (1)")


def _command(name: str, parser: argparse.ArgumentParser) -> Iterator[str]:
    words = [_argument(action) for action in arguments_of(parser)]
    yield f".SS {_plain(' '.join([name, *words]))}"
    yield _plain(str(parser.description))
    listed = [
        (_names(action), _sentence(help_of(parser, action)))
        for action in (*arguments_of(parser), *options_of(parser))
        if action.dest != "help"
    ]
    yield from _entries(listed)


def _argument(action: argparse.Action) -> str:
    """Return an argument as a usage line has it: in brackets where it may be left out."""
    value = str(value_of(action))
    return {"?": f"[{value}]", "*": f"[{value}...]"}.get(str(action.nargs), value)


def _names(action: argparse.Action) -> str:
    value = value_of(action)
    if not action.option_strings:
        return str(value)
    return ", ".join(action.option_strings) + (f" {value}" if value is not None else "")


def _entries(entries: Sequence[tuple[str, str]]) -> Iterator[str]:
    for term, text in entries:
        yield from (".TP", f"\\fB{_inner(term)}\\fR", _plain(text))


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")


def _plain(text: str) -> str:
    """Return a line of text that no macro or escape is made of."""
    line = _inner(text)
    return f"\\&{line}" if line.startswith((".", "'")) else line


def _inner(text: str) -> str:
    return text.replace("\\", "\\e").replace("-", "\\-").replace("\n", " ")
