# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The manual page and the completion, as groff and bash read them."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from backupdb.cli import main as command_line
from backupdb.cli.bash_completion import bash_completion
from backupdb.cli.manual import manual
from backupdb.cli.words import commands_of, options_of
from support import needs

PARSER = command_line.make_parser()
# What stands for the shell of a user: the words of the line so far, and what the completion offers for the last one.
ASK = """
source "$1"
told=$2
compopt() { printf 'compopt %s\\n' "$*" >> "$told"; }
shift 2
COMP_WORDS=(backupdb "$@") COMP_CWORD=$#
_backupdb
printf '%s\\n' "${COMPREPLY[@]}"
"""


def completed(folder: Path, *words: str) -> list[str]:
    """What bash offers for the last word."""
    script = folder / "completion"
    script.write_text(bash_completion(PARSER), encoding="utf-8")
    done = subprocess.run(
        ["bash", "--norc", "-c", ASK, "bash", str(script), str(folder / "options"), *words],
        capture_output=True,
        check=True,
        text=True,
        cwd=folder,
    )
    assert done.stderr == ""
    return [word for word in done.stdout.splitlines() if word]


def test_bash_completes_commands_options_and_choices(tmp_path: Path) -> None:
    assert set(commands_of(PARSER)) < set(completed(tmp_path, ""))
    assert completed(tmp_path, "unp") == ["unpin"]
    assert completed(tmp_path, "nothing-like-it") == []
    for name, parser in commands_of(PARSER).items():
        wanted = {word for action in options_of(parser) for word in action.option_strings}
        assert set(completed(tmp_path, name, "-")) == wanted, name
    assert completed(tmp_path, "list", "--kind", "") == ["database", "accounts"]
    assert completed(tmp_path, "verify", "/srv", "--level", "de") == ["decrypt"]
    assert completed(tmp_path, "restore", "nightly", "--at", "") == []  # nobody knows which moment
    assert completed(tmp_path, "--version", "li") == ["list"]


def test_bash_completes_jobs_files_and_folders_whatever_their_names(tmp_path: Path) -> None:
    jobs = tmp_path / "etc" / "jobs.d"
    jobs.mkdir(parents=True)
    for name in ("nightly", "weekly"):
        (jobs / f"{name}.json").write_text(json.dumps({}))
    (jobs / "$(touch hacked).json").touch()
    config = ("--config-dir", str(tmp_path / "etc"))
    assert completed(tmp_path, "run", *config, "") == ["nightly", "weekly"]
    assert completed(tmp_path, "doctor", *config, "week") == ["weekly"]
    assert completed(tmp_path, "run", "--config-dir", str(tmp_path / "none"), "") == []
    assert completed(tmp_path, "drill", *config, "--jobs", "") == []
    assert completed(tmp_path, "rebuild", *config, "--job", "n") == ["nightly"]
    odd = tmp_path / "my $(touch hacked) folder"
    odd.mkdir()
    (odd / "key; file").touch()
    assert completed(tmp_path, "drill", "-i", f"{odd}/k") == [f"{odd}/key; file"]
    assert completed(tmp_path, "list", f"{tmp_path}/my") == [str(odd)]
    assert "filenames" in (tmp_path / "options").read_text()  # so that bash quotes them
    assert list(tmp_path.rglob("hacked")) == []


def test_the_manual_page_is_whole_and_names_everything() -> None:
    needs.program("groff", "groff-base")
    text = manual(PARSER)
    groff = ["groff", "-man", "-Tutf8", "-ww", "-rLL=200n", "-P-cbou"]
    done = subprocess.run(groff, input=text, capture_output=True, check=True, text=True)
    assert done.stderr == ""
    shown = done.stdout.replace("\N{HYPHEN}", "-")
    for title in ("NAME", "SYNOPSIS", "COMMANDS", "EXIT STATUS", "FILES", "ENVIRONMENT", "SEE ALSO"):
        assert f"\n{title}\n" in shown, title
    for name, parser in commands_of(PARSER).items():
        assert f"\n   {name}" in shown
        for action in options_of(parser):
            if action.dest == "help":
                continue
            assert all(word in shown for word in action.option_strings), action.option_strings
    for line in text.splitlines():
        assert not line.startswith("'")
        assert "%(" not in line
    assert command_line.make_parser().prog == "backupdb"
    assert manual(command_line.make_parser()) == text


@pytest.mark.parametrize(
    ("arguments", "begin"),
    [
        (["help"], "usage: backupdb [-h]"),
        (["help", "pin"], "usage: backupdb pin "),
        (["help", "--man"], '.\\" Made from'),
        (["help", "--bash-completion"], "# Completion of backupdb for bash"),
    ],
)
def test_help_prints_each_form(arguments: list[str], begin: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert command_line.main(arguments) == 0
    assert capsys.readouterr().out.startswith(begin)


def test_help_of_what_is_no_command_says_which_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert command_line.main(["help", "sing"]) == 3
    assert "there are run, copy" in capsys.readouterr().err
