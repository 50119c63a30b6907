# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Backups of real servers are copied into an object store, by a key that may only write, and are whole there."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from backupdb.errors import StoreUnavailable
from backupdb.repository.stores import s3_upload
from backupdb.repository.stores.notes import FileNotes
from backupdb.system.text import utc_now
from support import run_state
from support.copying import Copier, copied, proven, shown
from support.failing_proxy import Cut, FailingProxy, Request
from support.library import back_up, database_folder
from support.restores import clean, make_database
from support.sender import SMALL_PARTS
from support.stores import content_of, opened, put, upload


@pytest.fixture(scope="module", params=["postgres15", "mariadb"])
def backups(request: pytest.FixtureRequest) -> Iterator[Path]:
    """A repository with two backups of a database, and two of the accounts."""
    server = request.getfixturevalue(request.param)
    folder = run_state.new_folder("r")
    with clean(server):
        make_database(server, "shop")
        server.sql("CREATE TABLE item (n int NOT NULL PRIMARY KEY, t varchar(100))", database="shop")
        for first in range(0, 5000, 1000):
            rows = ", ".join(
                f"({n}, '{hashlib.sha256(str(n).encode()).hexdigest()}')" for n in range(first, first + 1000)
            )
            server.sql(f"INSERT INTO item VALUES {rows}", database="shop")
        for _run in range(2):
            result = back_up(server, folder, databases=["shop"], row_counts=True)
            assert result["status"] == "ok", result
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def made(backups: Path, repository: Path) -> list[str]:
    """The ids of these backups, of which the test's own repository has a copy."""
    shutil.copytree(backups, repository, dirs_exist_ok=True)
    return sorted(path.parent.name for path in repository.glob("*/*/*/*/manifest.json"))


@pytest.fixture
def copy(seaweed: Any, proxy: FailingProxy, bucket: str) -> dict[str, Any]:
    """A copy in a bucket that locks all for a day, for a key with our policy's rights."""
    found: dict[str, Any] = seaweed.copy(
        seaweed.bucket(bucket, lock_days=1), key="granted", endpoint=proxy.url, prefix="hosts"
    )
    with opened(found) as store:
        seaweed.grant(bucket, store.policy())
    return found


def read_by_others(seaweed: Any, copy: dict[str, Any]) -> dict[str, Any]:
    """The same copy for a key that only reads."""
    return {"options": {**copy["options"], "endpoint": seaweed.url}, "secrets": seaweed.key("reader")}


def size_of(repository: Path) -> int:
    files = [path for folder in repository.glob("*/*/*/*Z-*") for path in folder.iterdir()]
    return sum(path.stat().st_size for path in files)


def test_backups_are_copied_once_by_a_key_that_may_only_write(
    seaweed: Any, repository: Path, state: Path, made: list[str], copy: dict[str, Any], proxy: FailingProxy
) -> None:
    plan = copied(repository, state, copy, check_mode=True)
    assert (plan["status"], plan["changed"]) == ("planned", True)
    assert "4 backups would be sent" in plan["message"]
    assert proxy.of("PUT") == []
    (entry,) = plan["copies"]
    assert {right["right"]: right["known"] for right in entry["rights"]}["list"] == "no"
    assert "s3:PutObject" in entry["policy"]
    assert not entry["listed"]
    first = copied(repository, state, copy)
    assert (first["status"], first["changed"], first["warnings"]) == ("ok", True, [])
    assert first["copies"][0]["bytes"] == size_of(repository) == proxy.sent()
    second = copied(repository, state, copy)
    assert (second["status"], second["changed"]) == ("ok", False)
    assert proxy.sent() == size_of(repository)
    others = read_by_others(seaweed, copy)
    assert shown(others) == proven(others) == made
    again = copied(repository, state, copy, check_mode=True)
    assert (again["status"], again["changed"]) == ("ok", False)


def test_the_manifest_comes_last_and_the_oldest_backup_first(
    repository: Path, state: Path, made: list[str], copy: dict[str, Any], proxy: FailingProxy
) -> None:
    copied(repository, state, copy)
    sent = [request.target.split("?")[0] for request in proxy.of("PUT")]
    manifests = [at for at, target in enumerate(sent) if target.endswith("/manifest.json")]
    times = [sent[at].split("/")[-2][:16] for at in manifests]
    assert times == sorted(times)
    begin = 0
    for at in manifests:
        assert len({target.rpartition("/")[0] for target in sent[begin : at + 1]}) == 1
        begin = at + 1
    assert begin == len(sent)


@pytest.mark.parametrize("backups", ["postgres15"], indirect=True)
def test_a_copier_that_is_killed_after_every_object_sends_nothing_twice(
    seaweed: Any, repository: Path, state: Path, made: list[str], copy: dict[str, Any], proxy: FailingProxy
) -> None:
    """Each process may send one object; the moment is when the store has it and the copier has no answer yet."""
    others = read_by_others(seaweed, copy)
    copiers: list[Copier] = []
    stored: list[str] = []

    def kill(request: Request) -> None:
        if request.method == "PUT" and request.status == 200:
            stored.append(request.target)
            copiers[-1].kill()

    proxy.answered = kill
    for _attempt in range(50):
        copiers.append(Copier(repository, state, copy, constants=SMALL_PARTS))
        if not copiers[-1].was_killed():
            break
        assert shown(others) == sorted(target.split("/")[-2] for target in stored if target.endswith("/manifest.json"))
    files = list(repository.glob("*/*/*/*Z-*/*"))
    assert len(stored) == len(set(stored)) == len(files)
    assert proven(others) == made
    # What a process had no answer for it cannot know of: it goes out once more, and the store says that it is there.
    assert proxy.sent() <= 2 * size_of(repository)
    host = {**copy, "options": {**copy["options"]}, "secrets": seaweed.key("host")}
    proxy.reset()
    assert copied(repository, state, host)["changed"] is False
    assert proxy.sent() == 0


@pytest.mark.parametrize("backups", ["postgres15"], indirect=True)
def test_a_copier_that_may_look_sends_nothing_twice_whenever_it_is_killed(
    seaweed: Any, repository: Path, state: Path, made: list[str], copy: dict[str, Any], proxy: FailingProxy
) -> None:
    host = {**copy, "secrets": seaweed.key("host")}
    copiers: list[Copier] = []

    def kill(request: Request) -> None:
        if request.method == "PUT" and request.status == 200:
            copiers[-1].kill()

    proxy.answered = kill
    for _attempt in range(50):
        copiers.append(Copier(repository, state, host, constants=SMALL_PARTS))
        if not copiers[-1].was_killed():
            break
    assert proxy.sent() == size_of(repository)
    assert proven(read_by_others(seaweed, copy)) == made


def test_an_archive_in_parts_whose_last_answer_was_lost_is_not_sent_again(
    seaweed: Any, proxy: FailingProxy, copy: dict[str, Any], scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The key may not look, and the run was killed before it heard that the parts had become the object."""
    for name, value in SMALL_PARTS.items():
        monkeypatch.setattr(s3_upload, name, value)
    one, notes = upload(scratch, "data", 16 << 20), scratch / "notes.json"
    lost: list[Request] = []

    def lose(request: Request) -> Any:
        if request.method == "POST" and "uploadId" in request.target:
            lost.append(request)
            return Cut(0, answer=True)
        return None

    proxy.fault = lose
    with opened(copy, patience=0.1, notes=FileNotes(notes)) as store, pytest.raises(StoreUnavailable):
        put(store, one)
    proxy.reset()
    assert lost
    with opened(copy, notes=FileNotes(notes)) as store:
        assert put(store, one) == 0
    with opened(read_by_others(seaweed, copy)) as store:
        found = store.facts(one.name)
        assert (found.size, found.later) == (one.size, 0)
        assert hashlib.sha256(content_of(store, found)).hexdigest() == one.sha256
    assert "Uploads" not in seaweed.client().list_multipart_uploads(Bucket=copy["options"]["bucket"])


def test_an_upload_that_nobody_goes_on_with_is_given_up(
    seaweed: Any, proxy: FailingProxy, copy: dict[str, Any], scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in SMALL_PARTS.items():
        monkeypatch.setattr(s3_upload, name, value)
    one, notes = upload(scratch, "data", 16 << 20), scratch / "notes.json"
    proxy.fault = lambda request: Cut(0) if request.is_part() and "partNumber=3&" in f"{request.target}&" else None
    with opened(copy, patience=0.1, notes=FileNotes(notes)) as store, pytest.raises(StoreUnavailable):
        put(store, one)
    proxy.reset()
    place, long_ago = one.name.rpartition("/")[0], utc_now() - timedelta(days=99)
    with opened(copy, notes=FileNotes(notes)) as store:
        assert store.clear_arrivals("db1/shop-pg", {place}, long_ago) == []
        assert store.clear_arrivals("db1/other", (), long_ago) == []
        assert store.clear_arrivals("db1/shop-pg", (), long_ago) == [store.where(one.name)]
    assert not notes.exists()
    assert "Uploads" not in seaweed.client().list_multipart_uploads(Bucket=copy["options"]["bucket"])


def test_progress_is_told_in_lines(repository: Path, state: Path, made: list[str], copy: dict[str, Any]) -> None:
    lines: list[str] = []
    copied(repository, state, copy, report=lines.append, report_every=0.0)
    assert lines[0].startswith("copy offsite: backup 1 of 4 (host1/test/")
    assert "100 %" in lines[-1]
    assert all("/s" in line for line in lines)
    assert all(" left" in line for line in lines if "100 %" not in line)


def test_an_archive_that_rots_after_it_was_published_is_refused_and_the_others_are_sent(
    seaweed: Any, repository: Path, state: Path, made: list[str], copy: dict[str, Any]
) -> None:
    folders = sorted(database_folder(repository, "shop").glob("*Z-*"))
    archive = next(path for path in folders[0].iterdir() if path.name.startswith("data"))
    content = bytearray(archive.read_bytes())
    content[len(content) // 2] ^= 1
    archive.chmod(0o600)
    archive.write_bytes(content)
    result = copied(repository, state, copy)
    assert result["status"] == "partial"
    assert f"{archive} is not what its manifest says" in result["message"]
    assert "make a new backup" in result["message"]
    assert len(result["copies"][0]["sent"]) == 3
    others = read_by_others(seaweed, copy)
    assert shown(others) == proven(others) == made[1:]  # the oldest run had its id twice
    assert not any(f"shop/{folders[0].name}" in name for name in seaweed.names(copy["options"]["bucket"]))


def test_an_archive_that_is_gone_stops_only_its_own_backup(
    repository: Path, state: Path, made: list[str], copy: dict[str, Any]
) -> None:
    folder = min(database_folder(repository, "shop").glob("*Z-*"))
    next(path for path in folder.iterdir() if path.name.startswith("data")).unlink()
    result = copied(repository, state, copy)
    assert (result["status"], len(result["copies"][0]["sent"])) == ("partial", 3)
    assert str(folder) in result["message"]
