# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The helpers that prove things in other tests are themselves proven here."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from support import binaries, needs, run_state
from support.process_watch import ProcessWatch
from support.tree import folder_state


def test_a_secret_in_argv_or_environ_of_a_short_process_is_found() -> None:
    with ProcessWatch() as watch:
        subprocess.run(["sleep", "0.1234567"], check=True, env={"HIDDEN": "swordfish-in-environ"})
    assert watch.find("0.1234567")
    assert watch.find("swordfish-in-environ")
    assert not watch.find("never-anywhere-" + "at-all")
    assert "sleep" in watch.programs()


def test_a_folder_that_nobody_touched_has_the_same_state(scratch: Path) -> None:
    (scratch / "file").write_text("content")
    assert folder_state(scratch) == folder_state(scratch)


@pytest.mark.parametrize("change", ["content", "mode", "new", "gone"])
def test_every_change_in_a_folder_changes_its_state(scratch: Path, change: str) -> None:
    file = scratch / "file"
    file.write_text("content")
    before = folder_state(scratch)
    if change == "content":
        file.write_text("Content")
    elif change == "mode":
        file.chmod(0o600 if file.stat().st_mode & 0o077 else 0o644)
    elif change == "new":
        (scratch / "other").touch()
    else:
        file.unlink()
    assert folder_state(scratch) != before


def test_a_dead_process_is_not_alive() -> None:
    ended = subprocess.Popen(["true"])
    ended.wait()
    assert not run_state.is_alive(ended.pid)


def test_the_remains_of_a_process_do_not_count_as_alive() -> None:
    ended = subprocess.Popen(["true"])
    assert run_state.wait_until_gone([ended.pid], seconds=5)
    ended.wait()


def test_root_leaves_no_test_out_and_another_user_says_which(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    needs.root("only root seals")
    with pytest.raises(binaries.MissingProgram, match="apt-get install no-such-package"):
        needs.program("no-such-program", "no-such-package")
    monkeypatch.setattr(os, "geteuid", lambda: 65534)
    with pytest.raises(pytest.skip.Exception, match="needs root: only root seals"):
        needs.root("only root seals")
    with pytest.raises(pytest.skip.Exception, match="apt-get install no-such-package"):
        needs.program("no-such-program", "no-such-package")


def test_a_run_that_left_tests_out_says_how_many_and_why() -> None:
    assert needs.left_out([]) == []
    lines = needs.left_out(["needs root: a", "needs a program: b", "needs root: a"])
    assert lines[:2] == ["1 left out, needs a program: b", "2 left out, needs root: a"]
    assert "as root" in lines[2]
