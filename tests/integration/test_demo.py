# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""tools/demo, as a newcomer runs it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support import run_state
from support.ansible import ROOT

Demo = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def folder() -> Path:
    """Where this demo keeps everything; not the folder of a person's own demo."""
    return run_state.run_folder() / "demo"


@pytest.fixture
def demo(folder: Path) -> Iterator[Demo]:
    """`demo("up")` or `demo("down")`; whatever is left is removed at the end."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(ROOT / "tools" / "demo"), *arguments],
            env={"PATH": os.environ["PATH"], "HOME": os.environ["HOME"], "BACKUPDB_DEMO_FOLDER": str(folder)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
            text=True,
        )

    yield run
    run("down")


def servers(folder: Path) -> list[int]:
    names = ("postgresql", "mariadb", "object-store")
    return [pid for name in names for pid in run_state.processes_working_in(folder / name / "data")]


def secrets_of(folder: Path) -> list[str]:
    """Every password, every key and every identity that the demo made."""
    known = [json.loads(path.read_text(encoding="utf-8")) for path in folder.glob("*/demo.json")]
    identities = [
        line
        for path in folder.glob("*identity.txt")
        for line in path.read_text(encoding="utf-8").splitlines()
        if line.startswith("AGE-SECRET-KEY-")
    ]
    passwords = [entry[key] for entry in known for key in ("password", "login_password") if key in entry]
    keys = [key for entry in known for key in entry.get("secrets", {}).values()]
    return [*passwords, *keys, *identities, (folder / "vault-password").read_text(encoding="utf-8").strip()]


@pytest.mark.parametrize("again", [False, pytest.param(True, marks=pytest.mark.long)])
def test_the_demo_recovers_what_it_backed_up_and_goes_without_a_trace(demo: Demo, folder: Path, again: bool) -> None:
    first = demo()
    assert first.returncode == 0, first.stdout
    assert len(re.findall(r"^rows of \S+ +\d+ +\d+  equal$", first.stdout, re.MULTILINE)) == 5
    assert "age -d -i identity.txt" in first.stdout
    assert "age -d -i recovery-identity.txt fetched/" in first.stdout, "the other one comes out of the copy"
    assert "LEFT OUT" not in first.stdout
    secrets = secrets_of(folder)
    assert len(secrets) == 10
    assert [secret for secret in secrets if secret in first.stdout] == []
    running = servers(folder)

    if again:
        second = demo("up")
        assert second.returncode == 0, second.stdout
        assert "still running" in second.stdout
        assert set(running) & set(servers(folder)), "the servers of the first run are taken again"
    assert len(list(folder.glob("repository/*/*/shop/*Z-*"))) == 1 + again

    last = demo("down")
    assert last.returncode == 0, last.stdout
    assert not folder.exists()
    assert [pid for pid in running if run_state.is_alive(pid)] == []


def test_a_recovered_database_that_differs_makes_the_demo_fail() -> None:
    compare = "import terminal; terminal.compare({'rows of orders': 2}, {'rows of orders': 1})"
    done = subprocess.run(
        [sys.executable, "-c", compare],
        env={"PYTHONPATH": str(ROOT / "tools" / "lib" / "demo")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
        text=True,
    )
    assert done.returncode != 0
    assert re.search(r"^rows of orders +2 +1  DIFFERENT$", done.stdout, re.MULTILINE)
    assert "is not what was backed up" in done.stdout


def test_down_without_a_demo_says_so(demo: Demo, folder: Path) -> None:
    done = demo("down")
    assert done.returncode == 0
    assert f"there is no {folder}" in done.stdout
