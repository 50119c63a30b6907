# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The `age` program for tests: plain pipes for keys, a terminal of its own for passphrases."""

from __future__ import annotations

import os
import pty
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def age(*arguments: str, data: bytes) -> bytes:
    """The output of `age ARGUMENTS` for `data`; raises `CalledProcessError`."""
    return subprocess.run(["age", *arguments], check=True, capture_output=True, input=data).stdout


def age_keygen() -> tuple[str, str]:
    """The text of a new identity file and its recipient, by `age-keygen`."""
    text = subprocess.run(["age-keygen"], check=True, capture_output=True, text=True).stdout
    return text, text.splitlines()[1].split()[-1]


def age_on_terminal(arguments: Sequence[str], answers: Sequence[str]) -> int:
    """The exit status of `age ARGUMENTS`, which reads passphrases from a terminal only: one answer per prompt."""
    child, terminal = pty.fork()
    if child == 0:
        os.execvp("age", ["age", *arguments])  # noqa: S606 - subprocess cannot give a child a controlling terminal
    for answer in answers:
        seen = b""
        while b"assphrase" not in seen:
            seen += os.read(terminal, 1024)
        os.write(terminal, answer.encode() + b"\n")
    try:
        # Drained, so that the program never waits for its terminal; Linux reports its end as an error.
        while os.read(terminal, 1024):
            pass
    except OSError:
        pass
    os.close(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
