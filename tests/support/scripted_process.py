# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Python process that works on its own until it ends or is killed. What it is to do, secrets too, reaches it by its
standard input as JSON, and what came of it comes back in the same way.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

from support.library import LIBRARY
from support.measuring import measuring


def environment() -> dict[str, str]:
    """What such a process needs of the environment: the library, and to be measured."""
    return {"PATH": os.environ["PATH"], "PYTHONPATH": str(LIBRARY), **measuring()}


class ScriptedProcess:
    """Runs `script`, and begins at once; `variables` are further ones of its environment."""

    def __init__(self, script: str, wanted: Mapping[str, Any], variables: Mapping[str, str] | None = None) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", script],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**environment(), **(variables or {})},
            text=True,
        )
        assert self._process.stdin is not None
        json.dump(dict(wanted), self._process.stdin)
        self._process.stdin.close()
        self._process.stdin = None

    def kill(self) -> None:
        """End it at once; it has ended when this returns."""
        self._process.kill()
        os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOWAIT)

    def stop(self) -> None:
        """Ask it to stop."""
        self._process.send_signal(signal.SIGTERM)

    def was_killed(self) -> bool:
        """Wait for its end."""
        self._process.communicate()
        return self._process.returncode < 0

    def result(self) -> dict[str, Any]:
        """Wait for its end, and return what it says; fails when it ended badly."""
        output, _nothing = self._process.communicate()
        if self._process.returncode != 0:
            raise AssertionError(f"the process ended with status {self._process.returncode}")
        found: dict[str, Any] = json.loads(output)
        return found
