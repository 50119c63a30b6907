# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A repository in which a file is a pipe, device, socket, folder or link: nothing hangs, and the rest is read."""

from __future__ import annotations

import os
import signal
import socket
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from backupdb.cli.main import main
from backupdb.drill.request import SELECTS, DrillRequest, choose
from backupdb.errors import ArchiveDamaged, BackupDbError, RepositoryError
from backupdb.repository.catalogue import StoredBackup
from backupdb.repository.drill_records import note_attempt, write_drill
from backupdb.repository.last_run import FILE as LAST_RUN
from backupdb.repository.layout import CHECKSUM_FILE, LOCK_FILE, MANIFEST_FILE, READERS_FILE
from backupdb.repository.pins import FILE as PIN
from backupdb.repository.place import Place
from backupdb.repository.problems import Problems
from backupdb.restore.plan import open_archives
from backupdb.system.files import open_regular, read_small_file
from backupdb.verify import one_backup as verify
from support import needs
from support.stored import DUMP, TIME, store

PATIENCE = 20  # seconds; each command takes less than one
OTHER_RUN = "b2b2b2b2"


def make_socket(path: Path) -> None:
    folder = os.open(path.parent, os.O_RDONLY)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"/proc/self/fd/{folder}/{path.name}")  # a socket's own path is short
    os.close(folder)


def make_device(path: Path) -> None:
    needs.root("only root makes devices")
    os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(1, 5))  # /dev/zero


def link_to_itself_elsewhere(path: Path) -> None:
    path.symlink_to(path.with_name(f".moved-{path.name}"))


KINDS: dict[str, Callable[[Path], Any]] = {
    "pipe": os.mkfifo,
    "device": make_device,
    "socket": make_socket,
    "folder": Path.mkdir,
    "link to a device": lambda path: path.symlink_to("/dev/zero"),
    "link to what was there": link_to_itself_elsewhere,
    "dead link": lambda path: path.symlink_to("nothing"),
}
# Where the file is, from the folder of the backup.
FILES = {
    "archive": "data.sql.zst",
    "manifest": MANIFEST_FILE,
    "checksums": CHECKSUM_FILE,
    "drill record": "drill-20261121T000000Z.json",
    "attempt": "../.drills/{0}.attempt.json",
    "pin": PIN,
    "last run": f"../../{LAST_RUN}",
    "lock": f"../../{LOCK_FILE}",
    "readers' lock": f"../../{READERS_FILE}",
}


@contextmanager
def in_time() -> Iterator[None]:
    def too_late(*_signal: object) -> None:
        raise AssertionError(f"it took more than {PATIENCE} seconds")

    before = signal.signal(signal.SIGALRM, too_late)
    signal.alarm(PATIENCE)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def odd(backup: StoredBackup, file: str, kind: str) -> Path:
    path = Path(os.path.normpath(backup.folder / FILES[file].format(backup.folder.name)))
    path.parent.mkdir(exist_ok=True)
    if path.exists():
        path.rename(path.with_name(f".moved-{path.name}"))
    KINDS[kind](path)
    return path


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("file", FILES)
def test_no_odd_file_stops_a_command_or_hides_the_other_backups(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], file: str, kind: str
) -> None:
    good = store(tmp_path, "good", content=DUMP)
    bad = store(tmp_path, "bad", content=DUMP, time=TIME + timedelta(days=1), run_id=OTHER_RUN)
    record = {"schema": 1, "backup_id": bad.folder.name, "verdict": "equal", "finished": "2026-11-21T00:00:00Z"}
    write_drill(bad.folder, record)
    note_attempt(bad.folder, TIME)
    odd(bad, file, kind)
    root = str(tmp_path)
    with in_time():
        for command in (
            ["list", root],
            ["verify", root, "--level", "digest"],
            ["verify", root],
            ["status", "--repository", root],
            ["prune", "--repository", root, "--keep-last", "5", "--check"],
            ["prune", "--repository", root, "--keep-last", "5"],
        ):
            status = main(command)
            said = capsys.readouterr()
            assert status in range(8), command
            assert "Traceback" not in said.err
            if command[0] != "prune":
                assert "good" in said.out, command
        main(["cat", str(bad.folder), "data.sql.zst"])
        assert len(capsys.readouterr().out) <= len(DUMP)
        for select in SELECTS:
            problems = Problems()
            assert good.folder in [
                one.folder
                for one in choose(DrillRequest(root, select=select, count=9), Place(tmp_path, root), problems)
            ]
    assert good.folder.is_dir()
    assert bad.folder.is_dir()
    assert verify.verify(good, level="decrypt", identities=[])["verdict"] == "good"


@pytest.mark.parametrize("kind", KINDS)
def test_an_archive_that_is_no_file_is_named_by_verify_and_by_a_restore(tmp_path: Path, kind: str) -> None:
    backup = store(tmp_path, "bad", content=DUMP)
    path = odd(backup, "archive", kind)
    with in_time():
        for level in verify.LEVELS:
            result = verify.verify(backup, level=level, identities=[])
            assert result["verdict"] == ("unreadable" if kind == "folder" else "damaged")
            assert str(path) in result["problems"][0]
        with pytest.raises((ArchiveDamaged, RepositoryError), match=r"data\.sql\.zst"):
            open_archives(backup, [])


@pytest.mark.parametrize("level", verify.LEVELS)
def test_an_archive_that_has_grown_is_named_and_not_read_to_its_end(tmp_path: Path, level: str) -> None:
    backup = store(tmp_path, "shop", content=DUMP)
    path = backup.folder / "data.sql.zst"
    whole = path.stat().st_size
    os.truncate(path, 1 << 40)  # a file with a hole
    with in_time():
        result = verify.verify(backup, level=level, identities=[])
    assert result["verdict"] == "damaged"
    assert f"has {1 << 40} bytes, the manifest says {whole}" in result["problems"][0]


@pytest.mark.parametrize("file", ["manifest", "checksums", "drill record", "pin", "last run"])
def test_a_small_file_that_has_grown_without_end_is_a_problem_of_its_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], file: str
) -> None:
    store(tmp_path, "good", content=DUMP)
    bad = store(tmp_path, "bad", content=DUMP, run_id=OTHER_RUN)
    path = Path(os.path.normpath(bad.folder / FILES[file]))
    path.touch()
    os.truncate(path, 1 << 40)
    with in_time():
        for command in (["list", str(tmp_path)], ["verify", str(tmp_path)], ["status", "--repository", str(tmp_path)]):
            main(command)
            assert "good" in capsys.readouterr().out


def test_links_are_followed_only_where_the_administrator_may_have_made_them(tmp_path: Path) -> None:
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_bytes(b"content")
    link.symlink_to(target)
    assert read_small_file(link, 100, follow=True) == b"content"
    with pytest.raises(OSError, match="symbolic link"):
        read_small_file(link, 100)
    with pytest.raises(OSError, match="evels of symbolic links"):
        open_regular(link, os.O_RDWR | os.O_CREAT)


def test_a_job_whose_lock_is_a_pipe_is_refused(tmp_path: Path) -> None:
    from backupdb.jobs.record import job_lock, record_path

    path = record_path(str(tmp_path), "nightly").with_suffix(".lock")
    path.parent.mkdir(parents=True, exist_ok=True)
    os.mkfifo(path)
    with in_time(), pytest.raises(BackupDbError, match="not a regular file"), job_lock(str(tmp_path), "nightly"):
        pytest.fail("it was locked")


def test_a_backup_is_removed_with_whatever_lies_in_it(tmp_path: Path) -> None:
    bad = store(tmp_path, "bad", content=DUMP)
    store(tmp_path, "bad", content=DUMP, time=TIME + timedelta(days=1), run_id=OTHER_RUN)
    for number, kind in enumerate(KINDS):
        KINDS[kind](bad.folder / f"extra-{number}")
    with in_time():
        main(["prune", "--repository", str(tmp_path), "--keep-last", "1"])
    assert not bad.folder.exists()
