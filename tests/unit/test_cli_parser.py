# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The parser of all commands: what it says is for people, and every command is on the page of the command line."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

import pytest
from backupdb.cli import main as command_line

PAGE = Path(__file__).resolve().parents[2] / "docs" / "command-line.md"
# What only who reads the code knows: names of classes and functions, and of Python's own values.
OF_PYTHON = re.compile(
    r"<|\b_[a-z]|\b[A-Z][a-z]+[A-Z]|\binvalid \w+ value\b|\bPosixPath\b|\bNone\b|\blambda\b|\bNamespace\b"
)


def commands() -> dict[str, argparse.ArgumentParser]:
    parser = command_line.make_parser()
    (found,) = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    return dict(found.choices)


COMMANDS = commands()


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_every_command_is_for_people(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    text = COMMANDS[name].format_help()
    assert OF_PYTHON.findall(text) == []
    for action in COMMANDS[name]._actions:
        assert action.help, f"{name}: {action.dest} is not explained"


@pytest.mark.parametrize("name", COMMANDS)
def test_what_is_wrong_in_a_command_line_is_said_in_words(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = [["--no-such-option"]]
    for action in COMMANDS[name]._actions:
        if action.option_strings and action.nargs != 0:
            wrong += [[action.option_strings[-1]], [action.option_strings[-1], "x y"]]
    for arguments in wrong:
        try:
            COMMANDS[name].parse_args([*arguments, "a", "b", "c", "d"])
        except SystemExit as ended:
            said = capsys.readouterr().err.splitlines()[-1]
            assert ended.code == 3
            assert said.startswith(f"backupdb {name}: "), said
            assert OF_PYTHON.findall(said) == [], said


def test_numbers_are_refused_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    for text in ("many", "-1", "1.5", "²", "9" * 13):
        with pytest.raises(SystemExit):
            command_line.main(["prune", f"--keep-last={text}"])
        assert f"argument --keep-last: '{text}' is not a whole number" in capsys.readouterr().err


def test_every_command_is_in_the_table_of_the_page_and_no_other() -> None:
    rows = re.findall(r"^\| `(\w+)", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert set(rows) == set(COMMANDS)


def test_every_option_that_the_page_names_is_one() -> None:
    text = PAGE.read_text(encoding="utf-8")
    known = {name for parser in COMMANDS.values() for action in parser._actions for name in action.option_strings}
    others = {"--help", "--version"}
    assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", text)) - known - others == set()
