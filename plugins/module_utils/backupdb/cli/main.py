# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The library on the command line, without Ansible: `python -m backupdb.cli.main`, or `backupdb` on hosts.

Results are those of the modules, as JSON with `--json`. The exit status is 0 ok, 1 partial, 2 failed, 3 for a wrong
configuration, 4 for missing credentials and 75 when another run is in progress.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any, NoReturn

from ..errors import CONFIGURATION, FAILED
from ..system.parallel import error_of
from ..version import VERSION
from .output import complain, write_json

# In the order of the help. Each is a module of this room, loaded when it is asked for: all of them take a third of a
# second to load.
_COMMANDS = (
    "run",
    "copy",
    "status",
    "doctor",
    "gate",
    "evidence",
    "report",
    "list",
    "show",
    "verify",
    "drill",
    "restore",
    "rebuild",
    "prune",
    "pin",
    "unpin",
    "backup",
    "cat",
    "seal",
    "metrics",
    "notify",
    "keygen",
    "help",
)


def _command(name: str) -> Any:
    return import_module(f".{name}", __package__)


class _Parser(argparse.ArgumentParser):
    """Wrong arguments are a wrong configuration."""

    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(CONFIGURATION, f"{self.prog}: {message}\n")


def make_parser(asked: str | None = None) -> argparse.ArgumentParser:
    """Make the parser of all commands; with `asked` of this one alone, which saves time at each start."""
    parser = _Parser(prog="backupdb", description="Back up databases and look after backups.")
    parser.add_argument("--version", action="version", version=f"backupdb {VERSION}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name in _COMMANDS if asked is None else (asked,):
        module = _command(name)
        summary = str(module.__doc__)
        command = commands.add_parser(name, help=summary[:1].lower() + summary[1:].rstrip("."), description=summary)
        module.add(command)
        if name == "help":
            command.set_defaults(parser=parser)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return the exit status."""
    words = sys.argv[1:] if arguments is None else list(arguments)
    is_plain = bool(words) and words[0] in _COMMANDS and words[0] != "help"
    options = make_parser(words[0] if is_plain else None).parse_args(words)
    try:
        ended: int = _command(options.command).run(options)
    except BrokenPipeError:  # the reader has seen enough, such as `head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nothing is left to be flushed at the end
        return FAILED
    except Exception as fault:  # noqa: BLE001  one line and an exit status, whatever it is
        error = error_of(fault)
        complain(str(error))
        if getattr(options, "json", False):
            write_json({"status": "failed", "error_kind": type(error).__name__, "message": str(error)})
        return error.exit_status
    return ended


if __name__ == "__main__":
    raise SystemExit(main())
