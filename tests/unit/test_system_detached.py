# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The folder of a detached run: what it tells of a run that goes on, has ended, or is no more."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
from backupdb.errors import InvalidOption, RunLost, RunUnknown
from backupdb.system import detached
from backupdb.system.detached import initial_facts, look, remove_old_runs
from support.library import LIBRARY
from support.stored import RUN

DAY = 86400
# Starts a run in a process of its own, which prints the run's pid and ends; the work is put in its place.
PROGRAM = """
import os, sys, time
from pathlib import Path
from backupdb.system import detached
detached.BASE = Path(sys.argv[1])
run = detached.DetachedRun(sys.argv[2], {"instance": "shop"})
def work():
    run.report("1 of 2 done")
    Path(sys.argv[1], "pid").write_text(str(os.getpid()))
    WORK
run.start(work)
"""


@pytest.fixture(autouse=True)
def base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(detached, "BASE", tmp_path)
    return tmp_path


def start(base: Path, work: str) -> int:
    """Start a run whose work is a line of Python; returns its pid."""
    program = PROGRAM.replace("WORK", work)
    subprocess.run(
        [sys.executable, "-c", program, str(base), RUN],
        check=True,
        env={**os.environ, "PYTHONPATH": str(LIBRARY)},
        stdout=subprocess.DEVNULL,
    )
    end = time.monotonic() + 10
    while not (base / "pid").exists() or not (base / "pid").read_text():
        assert time.monotonic() < end
        time.sleep(0.01)
    return int((base / "pid").read_text())


def folder(base: Path, run_id: str = RUN) -> Path:
    return base / f"backupdb-run-{run_id}"


def test_a_run_tells_how_far_it_is_and_at_its_end_what_it_wrote(base: Path) -> None:
    start(base, "time.sleep(1.5); print('the result'); raise SystemExit(1)")
    status = look(RUN, 0)
    assert (status.output, status.progress) == (None, "1 of 2 done")
    assert initial_facts(RUN) == {"instance": "shop"}
    assert stat.S_IMODE(folder(base).stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder(base).iterdir()} == {0o600}
    before = time.monotonic()
    assert look(RUN, 30).output == "the result\n"
    assert time.monotonic() - before < 10
    assert look(RUN, 0).output == "the result\n"  # as often as one likes: an answer may be lost on its way


def test_a_run_has_a_session_of_its_own_and_none_of_the_streams_of_who_started_it(base: Path) -> None:
    pid = start(base, "time.sleep(30)")
    try:
        assert os.getsid(pid) == pid
        streams = [Path(f"/proc/{pid}/fd/{number}").readlink() for number in range(3)]
        assert streams[0] == Path(os.devnull)
        assert {stream.parent for stream in streams[1:]} == {folder(base)}
    finally:
        os.kill(pid, signal.SIGKILL)


def test_a_killed_run_is_known_to_be_no_more_at_once(base: Path) -> None:
    os.kill(start(base, "time.sleep(30)"), signal.SIGKILL)
    with pytest.raises(RunLost, match=r"instance shop: .* left no result.* last seen at: 1 of 2 done"):
        look(RUN, 30)


def test_a_run_that_ends_by_a_fault_of_ours_leaves_its_last_words(base: Path) -> None:
    start(base, "raise ValueError('what nobody thought of')")
    with pytest.raises(RunLost, match="what nobody thought of"):
        look(RUN, 30)


def test_a_restarted_host_has_the_folder_but_no_process(base: Path) -> None:
    folder(base).mkdir()
    for name in ("lock", "begun.json", "progress.json"):
        (folder(base) / name).write_text("", encoding="utf-8")
    with pytest.raises(RunLost, match="the host was restarted"):
        look(RUN, 30)


def test_what_is_not_there_is_not_known_and_a_wrong_id_leads_nowhere(base: Path) -> None:
    with pytest.raises(RunUnknown, match="knows nothing of run"):
        look(RUN, 0)
    assert initial_facts(RUN) == {}
    with pytest.raises(InvalidOption):
        look("../../etc", 0)
    assert initial_facts("../../etc") == {}


def test_folders_of_old_runs_are_removed_and_nothing_else(base: Path) -> None:
    names = {"old": "a", "fresh": "b", "lives": "c"}
    for name, letter in names.items():
        here = folder(base, letter * 32)
        here.mkdir()
        (here / "lock").touch()
        if name != "fresh":
            os.utime(here, (time.time() - 2 * DAY,) * 2)
    (base / "other").mkdir()
    os.utime(base / "other", (0, 0))
    (base / f"backupdb-run-{'d' * 32}").symlink_to(base / "other")
    holder = os.open(folder(base, "c" * 32) / "lock", os.O_RDWR)
    try:
        detached.fcntl.flock(holder, detached.fcntl.LOCK_EX)
        remove_old_runs()
    finally:
        os.close(holder)
    left = {path.name for path in base.iterdir()}
    assert left == {"other", *(f"backupdb-run-{letter * 32}" for letter in "bcd")}


def test_broken_folders_of_runs_never_stop_a_new_one(base: Path) -> None:
    (base / "elsewhere").mkdir()
    (base / "backupdb-run-file").write_text("")
    (base / "backupdb-run-link").symlink_to(base / "elsewhere")
    for name in ("nolock", "fifo", "linked"):
        (base / f"backupdb-run-{name}").mkdir()
    os.mkfifo(base / "backupdb-run-fifo" / "lock")
    (base / "backupdb-run-linked" / "lock").symlink_to(base / "elsewhere")
    for path in base.glob("backupdb-run-*"):
        os.utime(path, (time.time() - 2 * DAY,) * 2, follow_symlinks=False)
    remove_old_runs()
    left = {path.name for path in base.iterdir()}
    assert "backupdb-run-nolock" not in left
    assert {"elsewhere", "backupdb-run-file", "backupdb-run-link", "backupdb-run-linked"} <= left


@pytest.mark.parametrize("garbage", ["", "[]", "3", "\0", "[" * 100000])
def test_garbage_instead_of_the_facts_of_a_run_is_no_facts(base: Path, garbage: str) -> None:
    folder(base).mkdir()
    (folder(base) / "begun.json").write_text(garbage)
    assert initial_facts(RUN) == {}


def test_a_result_that_was_made_is_told_though_it_did_not_get_its_name(base: Path) -> None:
    pid = start(base, 'Path.replace = None; print(\'{"status": "ok"}\'); raise SystemExit(0)')
    assert pid
    assert look(RUN, 30).output == '{"status": "ok"}\n'


def test_half_a_result_is_none(base: Path) -> None:
    start(base, "print('{\"status\": ', flush=True); os._exit(1)")
    with pytest.raises(RunLost, match="left no result"):
        look(RUN, 30)


@pytest.mark.parametrize("name", ["begun.json", "progress.json", "output", ".output", "log"])
@pytest.mark.parametrize("kind", ["pipe", "link", "folder", "huge", "garbage"])
def test_no_odd_file_of_a_run_hangs_or_floods_who_follows_it(base: Path, name: str, kind: str) -> None:
    here = folder(base)
    here.mkdir()
    (here / "lock").touch()
    path = here / name
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "link":
        path.symlink_to("/dev/zero")
    elif kind == "folder":
        path.mkdir()
    elif kind == "huge":
        path.touch()
        os.truncate(path, 1 << 40)
    else:
        path.write_bytes(b'{"text": {"\xff": 1}}')
    before = time.monotonic()
    with pytest.raises(RunLost, match="left no result"):
        look(RUN, 0)
    initial_facts(RUN)
    assert time.monotonic() - before < 5


@pytest.mark.parametrize("kind", ["pipe", "link", "folder", "file"])
def test_what_is_no_run_is_not_followed(base: Path, kind: str) -> None:
    here = folder(base)
    if kind == "file":
        here.touch()
    else:
        here.mkdir()
        lock = here / "lock"
        {"pipe": os.mkfifo, "link": lambda path: path.symlink_to("/dev/zero"), "folder": Path.mkdir}[kind](lock)
    with pytest.raises(RunUnknown, match="is none of a run"):
        look(RUN, 0)
