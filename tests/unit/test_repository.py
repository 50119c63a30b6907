# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where things lie, how they are published, who holds the lock, what the catalogue says."""

from __future__ import annotations

import json
import os
import threading
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from backupdb.errors import InvalidOption, LockBusy, ManifestDamaged, NotEnoughSpace, RepositoryError
from backupdb.repository import catalogue, layout, local, manifest
from backupdb.repository.files import StoredFile, publish_folder
from backupdb.repository.lock import lock_owner, run_lock
from backupdb.system.text import iso
from support.stored import RUN

NOW = datetime(2026, 11, 24, 5, 6, 7, tzinfo=timezone.utc)
ODD_NAMES = [
    "../x",
    "..",
    ".",
    "a/b",
    "-rf",
    "@accounts",
    ".partial-x",
    "new\nline",
    "nul\x00",
    "$(x)",
    "'\"`",
    "%2e",
    "~",
    "Shop",
    "shop",
    "ümläut",
    "x" * 64,
    "漢" * 64,
    "漢" * 63 + "字",
    "a" * 250,
    "a" * 249 + "b",
    "b\udcffytes",
]


def test_no_name_leaves_its_folder_or_hides_in_it() -> None:
    for name in ODD_NAMES:
        encoded = layout.encode_name(name)
        assert "/" not in encoded
        assert encoded[0] not in ".-@"
        assert encoded.isascii()
        assert encoded.isprintable()
        assert len(encoded) <= 200
        assert Path("/repository", encoded).resolve().parent == Path("/repository")


def test_different_names_never_meet_even_where_case_does_not_count() -> None:
    assert len({layout.encode_name(name).lower() for name in ODD_NAMES}) == len(ODD_NAMES)


def test_ordinary_names_stay_readable() -> None:
    assert layout.encode_name("shop_2026-11.old") == "shop_2026-11.old"


def test_an_empty_name_is_refused() -> None:
    with pytest.raises(InvalidOption):
        layout.encode_name("")


def test_a_backup_folder_names_time_and_run() -> None:
    name = layout.backup_folder(NOW, RUN)
    assert name == "20261124T050607Z-01234567"
    assert layout.parse_backup_folder(name) == (NOW, "01234567")
    assert layout.parse_backup_folder("20261399T050607Z-01234567") is None
    assert layout.parse_backup_folder("lost+found") is None


def a_manifest(**values: Any) -> dict[str, Any]:
    return {
        "schema": 1,
        "kind": "database",
        "backup_id": layout.backup_folder(NOW, RUN),
        "run_id": RUN,
        "host": "h",
        "instance": "i",
        "database": "shop",
        "status": "complete",
        "engine": "postgresql",
        "server": {},
        "started": iso(NOW),
        "finished": iso(NOW),
        "archives": [],
        "plain_bytes": 0,
        "stored_bytes": 0,
        "missing": [],
        "warnings": [],
        **values,
    }


def publish(root: Path, *, database: str = "shop", time: datetime = NOW, run_id: str = RUN) -> Path:
    folder = local.make_instance_folder(root, "h", "i") / layout.encode_name(database)
    publication = local.Publication(folder, run_id=run_id, time=time)
    content = a_manifest(database=database, started=iso(time), run_id=run_id, backup_id=publication.backup_id)
    return publication.publish(content).folder


def test_a_published_backup_is_private_checked_by_sha256sum_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    folder = local.make_instance_folder(tmp_path, "h", "i") / "shop"
    publication = local.Publication(folder, run_id=RUN, time=NOW)
    stored = publication.create("data.dump")
    stored.write(b"bytes")
    stored.close()
    record = {
        "name": "data.dump",
        "format": "sql",
        "compression": "none",
        "encryption": "none",
        "plain_bytes": 5,
        "plain_sha256": stored.sha256(),
        "stored_bytes": 5,
        "sha256": stored.sha256(),
    }
    published = publication.publish(a_manifest(archives=[record], plain_bytes=5, stored_bytes=5))
    publication.abandon()
    assert [path.name for path in folder.iterdir()] == ["20261124T050607Z-01234567"]
    assert {oct(path.stat().st_mode & 0o777) for path in published.folder.iterdir()} == {"0o600"}
    assert oct(published.folder.stat().st_mode & 0o777) == "0o700"
    assert os.system(f"cd {published.folder} && sha256sum --quiet -c manifest.json.sha256") == 0  # noqa: S605
    assert catalogue.read_backup(published.folder).database == "shop"


def test_an_abandoned_backup_leaves_no_trace(tmp_path: Path) -> None:
    folder = local.make_instance_folder(tmp_path, "h", "i") / "shop"
    publication = local.Publication(folder, run_id=RUN, time=NOW)
    publication.create("data.dump").write(b"half")
    publication.abandon()
    assert not folder.exists()


@pytest.mark.parametrize("renameat2", [True, False])
def test_publishing_never_replaces_what_is_there(
    tmp_path: Path, renameat2: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not renameat2:
        monkeypatch.setattr("ctypes.CDLL", lambda *_names, **_options: object())
    source, target = tmp_path / "new", tmp_path / "old"
    source.mkdir()
    target.mkdir()
    with pytest.raises(RepositoryError, match="there already"):
        publish_folder(source, target)
    assert source.is_dir()
    target.rmdir()
    publish_folder(source, target)
    assert target.is_dir()


def test_leftovers_of_dead_runs_are_removed_and_nothing_else(tmp_path: Path) -> None:
    kept = publish(tmp_path)
    leftover = kept.parent / ".partial-dead"
    leftover.mkdir()
    (leftover / "data.dump").write_bytes(b"half")
    assert local.remove_leftovers(kept.parent.parent) == [leftover]
    assert not leftover.exists()
    assert kept.is_dir()


def test_a_symbolic_link_in_the_way_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "h").symlink_to("/tmp")  # noqa: S108
    with pytest.raises(RepositoryError, match="in the way"):
        local.make_instance_folder(tmp_path, "h", "i")


def test_a_missing_repository_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(RepositoryError, match=r"does not exist.*mount"):
        local.open_repository(str(tmp_path / "nowhere"))
    assert not (tmp_path / "nowhere").exists()


def test_a_full_filesystem_is_an_error_with_the_numbers() -> None:
    stored = StoredFile.__new__(StoredFile)
    stored.__init__(Path("/dev/shm/backupdb-test-full"))  # type: ignore[misc]  # noqa: S108
    try:
        os.dup2(os.open("/dev/full", os.O_WRONLY), stored._descriptor)
        with pytest.raises(NotEnoughSpace, match=r"full.*free"):
            stored.write(b"x" * 100)
    finally:
        stored.discard()
        stored.path.unlink()


def test_a_second_run_is_told_who_holds_the_lock(tmp_path: Path) -> None:
    with run_lock(tmp_path, run_id=RUN, timeout=0, cancel=threading.Event()):
        assert f"run {RUN}" in lock_owner(tmp_path)
        with (
            pytest.raises(LockBusy, match=rf"run {RUN} on .*pid {os.getpid()}.*repository_lock_timeout"),
            run_lock(tmp_path, run_id="f" * 32, timeout=0.3, cancel=threading.Event()),
        ):
            raise RuntimeError("both hold it")
        assert f"run {RUN}" in lock_owner(tmp_path)
    assert lock_owner(tmp_path) == ""
    with run_lock(tmp_path, run_id="f" * 32, timeout=0, cancel=threading.Event()):
        pass


def test_a_waiting_run_gets_the_lock_when_it_is_free(tmp_path: Path) -> None:
    release = threading.Event()
    held = threading.Event()

    def hold() -> None:
        with run_lock(tmp_path, run_id=RUN, timeout=0, cancel=threading.Event()):
            held.set()
            release.wait(5)

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait(5)
    threading.Timer(0.3, release.set).start()
    with run_lock(tmp_path, run_id="f" * 32, timeout=5, cancel=threading.Event()):
        assert release.is_set()
    thread.join()


def test_the_catalogue_reports_what_it_cannot_read_and_goes_on(tmp_path: Path) -> None:
    good = publish(tmp_path)
    folder = good.parent
    (folder / "lost+found").mkdir()
    broken = folder / layout.backup_folder(NOW + timedelta(hours=1), "f" * 32)
    broken.mkdir()
    (broken / "manifest.json").write_text("{")
    empty = folder / layout.backup_folder(NOW + timedelta(hours=2), "e" * 32)
    empty.mkdir()
    problems = catalogue.Problems()
    assert [entry.folder for entry in catalogue.backups(folder, problems)] == [good]
    assert len(problems.lines) == 3
    assert broken.exists()


def test_a_backup_from_the_future_is_reported_and_does_not_count(tmp_path: Path) -> None:
    good = publish(tmp_path)
    publish(tmp_path, time=NOW + timedelta(days=1), run_id="f" * 32)
    problems = catalogue.Problems()
    newest = catalogue.newest(good.parent, now=NOW + timedelta(minutes=1), problems=problems)
    assert newest is not None
    assert newest.folder == good
    assert "future" in problems.lines[0]


def test_the_databases_of_the_last_run_are_known(tmp_path: Path) -> None:
    publish(tmp_path, database="old")
    later = NOW + timedelta(hours=1)
    publish(tmp_path, database="a", time=later, run_id="f" * 32)
    publish(tmp_path, database="B", time=later + timedelta(seconds=5), run_id="f" * 32)
    folder = local.instance_path(tmp_path, "h", "i")
    found = catalogue.last_run_databases(folder, now=later + timedelta(hours=1), problems=catalogue.Problems())
    assert found == {"a", "B"}


@pytest.mark.parametrize(
    "broken",
    [
        "[]",
        "nonsense",
        json.dumps(a_manifest(schema=2)),
        json.dumps(a_manifest(status="fine")),
        json.dumps(a_manifest(database=None)),
        json.dumps(a_manifest(started="yesterday")),
        json.dumps(a_manifest(archives=[{"name": "x"}])),
        json.dumps({key: value for key, value in a_manifest().items() if key != "run_id"}),
    ],
)
def test_a_damaged_or_foreign_manifest_is_refused(broken: str) -> None:
    with pytest.raises(ManifestDamaged, match="here"):
        manifest.parse(broken.encode(), "here")


def test_a_manifest_cannot_point_outside_its_folder() -> None:
    record = {
        "name": "../../etc/passwd",
        "format": "sql",
        "compression": "none",
        "encryption": "none",
        "plain_bytes": 0,
        "plain_sha256": "",
        "stored_bytes": 0,
        "sha256": "",
    }
    with pytest.raises(ManifestDamaged, match="outside"):
        manifest.parse(manifest.serialise(a_manifest(archives=[record])), "here")


def test_a_name_that_is_not_utf8_survives_the_manifest() -> None:
    name = "M\udcfcller"
    assert manifest.parse(manifest.serialise(a_manifest(database=name)), "here")["database"] == name


def test_two_backups_of_a_database_never_have_the_same_second(tmp_path: Path) -> None:
    seconds = []
    for _number in range(3):
        when = local.own_second(tmp_path / "shop")
        local.Publication(tmp_path / "shop", run_id=RUN, time=when).publish({"archives": []})
        seconds.append(when.replace(microsecond=0))
    assert seconds == sorted(set(seconds))
    # Names of every second to come hold nobody up.
    for ahead in range(60):
        (tmp_path / "far" / layout.backup_folder(local.utc_now() + timedelta(seconds=ahead), RUN)).mkdir(parents=True)
    began = local.utc_now()
    local.own_second(tmp_path / "far")
    assert local.utc_now() - began < timedelta(seconds=30)
    assert local.own_second(tmp_path / "nothing") >= began
