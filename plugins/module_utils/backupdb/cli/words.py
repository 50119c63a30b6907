# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a parser knows of its commands, read for those who write it in another form: a manual page, a completion."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping


def commands_of(parser: argparse.ArgumentParser) -> Mapping[str, argparse.ArgumentParser]:
    """Return the parsers of all commands, by name."""
    found = (action for action in parser._actions if isinstance(action, argparse._SubParsersAction))
    return next(found).choices


def options_of(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """Yield the options of a command."""
    return (action for action in parser._actions if action.option_strings)


def arguments_of(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """Yield what a command takes without an option's name, in its order."""
    return (action for action in parser._actions if not action.option_strings)


def value_of(action: argparse.Action) -> str | None:
    """Return what stands for the value of an option in a text; None for a switch, which has none."""
    if action.nargs == 0:
        return None
    if isinstance(action.metavar, str):
        return action.metavar
    if action.choices:
        return "|".join(map(str, action.choices))
    return action.dest.upper()


def help_of(parser: argparse.ArgumentParser, action: argparse.Action) -> str:
    """Return the help of an option, with its default filled in."""
    values = {**vars(action), "prog": parser.prog}
    return (action.help or "") % values
