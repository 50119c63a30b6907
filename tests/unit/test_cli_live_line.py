# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Progress on a terminal: one line that is written over and gone at the end; elsewhere nothing."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

from support.library import LIBRARY
from support.measuring import measuring
from support.stored import DUMP, store

PROGRAM = [sys.executable, "-m", "backupdb.cli.main"]
ENVIRONMENT = {"PYTHONPATH": str(LIBRARY), "PYTHONDONTWRITEBYTECODE": "1", "LC_ALL": "C.UTF-8", **measuring()}


def on_terminal(*arguments: str, columns: int) -> tuple[int, str, str]:
    """The exit status, standard output, and what a terminal of so many columns got as standard error."""
    terminal, stderr = pty.openpty()
    subprocess.run(["stty", "cols", str(columns)], stdin=stderr, check=True)
    process = subprocess.Popen(
        [*PROGRAM, *arguments], env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=stderr, text=True
    )
    os.close(stderr)
    output = process.communicate(timeout=60)[0]
    seen = b""
    while True:
        try:
            block = os.read(terminal, 4096)
        except OSError:  # everybody has closed it
            break
        seen += block
        if not block:
            break
    os.close(terminal)
    return process.returncode, output, seen.decode()


def screen(seen: str) -> str:
    """What is left to be seen of one line after all carriage returns."""
    line: list[str] = []
    for part in seen.split("\r"):
        line[: len(part)] = part
    return "".join(line).rstrip()


def test_a_terminal_gets_one_line_that_is_gone_at_the_end(root: Path) -> None:
    for name in ("shop", "a\nvery\x1b[31m long name " + "x" * 60):
        store(root, name, content=DUMP)
    status, output, seen = on_terminal("verify", str(root), columns=60)
    assert status == 0
    assert "\r" not in output
    parts = [part for part in seen.split("\r") if part.strip()]
    assert any(" %, " in part for part in parts), seen
    assert all(len(part) < 60 for part in parts)
    assert "\x1b" not in seen and "\n" not in seen
    assert screen(seen) == ""


def test_what_is_no_terminal_gets_no_progress(root: Path) -> None:
    store(root, content=DUMP)
    done = subprocess.run([*PROGRAM, "verify", str(root)], env=ENVIRONMENT, capture_output=True, check=True, text=True)
    assert done.stderr == ""
