# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Print the help of a command, a manual page, or a completion for bash."""

from __future__ import annotations

import argparse
import sys

from ..errors import InvalidOption
from . import exit_status
from .bash_completion import bash_completion
from .manual import manual
from .words import commands_of


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the command's options."""
    parser.add_argument("of_command", nargs="?", metavar="COMMAND", help="the command to explain (default: all)")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--man", action="store_true", help="print the manual page, for man -l -")
    form.add_argument("--bash-completion", action="store_true", help="print the completion, to be read by bash")


def run(options: argparse.Namespace) -> int:
    """Print it and return the exit status."""
    sys.stdout.write(_text(options, options.parser))
    sys.stdout.flush()
    return exit_status.OK


def _text(options: argparse.Namespace, parser: argparse.ArgumentParser) -> str:
    if options.man:
        return manual(parser)
    if options.bash_completion:
        return bash_completion(parser)
    if options.of_command is None:
        return parser.format_help()
    commands = commands_of(parser)
    if options.of_command not in commands:
        raise InvalidOption(f"there is no command {options.of_command!r}; there are {', '.join(commands)}")
    return commands[options.of_command].format_help()
