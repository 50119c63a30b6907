# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole life of copies, on every engine: what is read from S3 or over SSH comes back as from the repository.

The bucket locks everything and the host's key only adds, as docs/copies.md wants it.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from backupdb.archives.envelope import Encryption
from backupdb.archives.keys import Keys
from backupdb.copying import run as copying
from backupdb.copying.plan import CopyRequest
from backupdb.copying.run import CopyRun
from backupdb.drill import run as drill
from backupdb.drill.request import DrillRequest
from backupdb.errors import ArchiveDamaged
from backupdb.repository import listing
from backupdb.repository.catalogue import Filter
from backupdb.repository.copy_source import CopySource
from backupdb.repository.stores.settings import CopySettings
from backupdb.restore import run as restore
from backupdb.verify import run as verify
from support import mysql_sid
from support.library import KEYS, SCHEMAS, back_up, database_folder, entry_of
from support.private_server import PrivateServer
from support.restores import clean, details_of, make_database, names, restore_request
from support.seaweed import Seaweed
from support.sshd import Sshd
from support.stores import settings_of
from support.tree import Entry, folder_state

KINDS = ["postgres15", "mariadb", pytest.param("mysql", marks=pytest.mark.mysql)]
PASSPHRASE = "seven clouds over a green field"
ODD = 'Kunden "../x"; --'


class Far:
    """A copy, with the settings of the host that sends and of somebody who reads."""

    def __init__(self, host: CopySettings, reader: CopySettings, state: Path) -> None:
        self.host = host
        self.reader = reader
        self.may_add = host is reader
        self._state = state

    def send(self, repository: Path) -> dict[str, Any]:
        """Copy all that the repository has."""
        return copying.run(CopyRun([CopyRequest(str(repository))], [self.host], str(self._state / "host")))

    def source(self) -> CopySource:
        """The copy as another host reads it, which knows nothing of it."""
        return CopySource(self.reader, str(self._state / "reader"))


@pytest.fixture(scope="module")
def sshd() -> Iterator[Sshd]:
    with Sshd() as server:
        yield server


@pytest.fixture(params=["s3", "sftp"])
def far(request: pytest.FixtureRequest, seaweed: Seaweed, bucket: str, scratch: Path) -> Far:
    state = scratch / "state"
    state.mkdir(mode=0o700)
    if request.param == "s3":
        seaweed.bucket(bucket, lock_days=1)
        writing, reading = (settings_of(seaweed.copy(bucket, key=key, prefix="hosts")) for key in ("writer", "reader"))
        return Far(writing, reading, state)
    server: Sshd = request.getfixturevalue("sshd")
    shutil.rmtree(server.top, ignore_errors=True)
    server.make_top()
    settings = settings_of({"options": server.options, "secrets": {}})
    return Far(settings, settings, state)


@pytest.fixture(params=KINDS)
def server(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[PrivateServer]:
    if request.param == "mysql":
        monkeypatch.setenv("PATH", f"{os.environ['PATH']}:{mysql_sid.programs()}")
    private: PrivateServer = request.getfixturevalue(request.param)
    with clean(private):
        make_database(private, "torture")
        private.run_sql_script(SCHEMAS / f"{private.engine}_torture.sql", database="torture")
        yield private
    if private.engine == "postgresql":
        private.sql("DROP ROLE IF EXISTS torture_owner, torture_reader")


def test_everything_works_from_a_copy(server: PrivateServer, far: Far, repository: Path, work_dir: Path) -> None:
    make_database(server, ODD)
    wanted = ["torture", ODD]
    result = back_up(server, repository, databases=wanted, jobs=2, row_counts=True, fingerprints=True)
    assert result["status"] == "ok", result["message"]
    before = details_of(server, "torture")
    published = _files(repository)

    sent = far.send(repository)
    assert sent["status"] == "ok", sent["message"]
    assert sent["copies"][0]["still_missing"] == 0
    assert _files(repository) == published
    again = far.send(repository)
    assert (again["changed"], again["copies"][0]["bytes"]) == (False, 0)

    local = listing.collect(str(repository), Filter())
    there = listing.collect(None, Filter(), far.source())
    assert there["problems"] == []
    assert [entry["backup_id"] for entry in there["backups"]] == [entry["backup_id"] for entry in local["backups"]]
    verified = verify.run(verify.VerifyRequest(level="decrypt", copy=far.source(), keys=KEYS))
    assert verified["counts"]["good"] == len(local["backups"]), verified["message"]

    request = replace(restore_request(server, repository, "torture", jobs=2), repository=None, copy=far.source())
    back = restore.run(request)
    assert back["status"] == "restored", back["message"]
    after = details_of(server, back["target"])
    assert (after.row_counts, after.fingerprints) == (before.row_counts, before.fingerprints)
    drilled = drill.run(
        DrillRequest(copy=far.source(), wanted=Filter(database="torture"), keys=KEYS, work_dir=str(work_dir))
    )
    assert drilled["status"] == "ok", drilled["message"]
    assert drilled["drills"][0]["verdict"].startswith("equal")
    assert listing.collect(None, Filter(database="torture"), far.source())["backups"][0]["proven"]
    # The key that reads the bucket may not write there; over SFTP it is the one that sends, and others see the proof.
    entry = drilled["drills"][0]
    assert (entry["record_in_copy"] is not None) is far.may_add
    assert not [line for line in drilled["warnings"] if "record" in line]
    elsewhere = replace(far.source(), state_dir=str(work_dir / "elsewhere"))
    assert listing.collect(None, Filter(database="torture"), elsewhere)["backups"][0]["proven"] is far.may_add


def _files(repository: Path) -> dict[str, Entry]:
    """What is published, without the locks that whoever reads leaves behind."""
    return {
        name: entry
        for name, entry in folder_state(repository).items()
        if entry.mode.startswith("-") and not Path(name).name.startswith(".")
    }


def test_what_a_passphrase_opens_comes_back_from_a_copy(server: PrivateServer, far: Far, repository: Path) -> None:
    back_up(server, repository, databases=["torture"], accounts=False, encryption=Encryption(passphrase=PASSPHRASE))
    assert far.send(repository)["status"] == "ok"
    keys = Keys(passphrase=PASSPHRASE)
    request = replace(restore_request(server, repository, "torture"), repository=None, copy=far.source(), keys=keys)
    back = restore.run(request)
    assert back["status"] == "restored", back["message"]
    assert details_of(server, back["target"]).fingerprints == details_of(server, "torture").fingerprints


def test_what_was_swapped_in_the_bucket_is_found_and_not_restored(
    postgres15: PrivateServer, seaweed: Seaweed, bucket: str, repository: Path, scratch: Path
) -> None:
    seaweed.bucket(bucket)  # without versions, so that what is written again takes the place of the first
    far = Far(*[settings_of(seaweed.copy(bucket))] * 2, scratch / "state")
    (scratch / "state").mkdir()
    with clean(postgres15):
        make_database(postgres15, "shop")
        postgres15.sql("CREATE TABLE t AS SELECT g FROM generate_series(1, 5000) g", database="shop")
        databases = names(postgres15)
        result = back_up(postgres15, repository, databases=["shop"], accounts=False)
        assert far.send(repository)["status"] == "ok"
        folder = Path(entry_of(result, "shop")["path"])
        (archive,) = folder.glob("data.*")
        content = bytearray(archive.read_bytes())
        content[len(content) // 2] ^= 1
        key = f"{folder.relative_to(repository)}/{archive.name}"
        seaweed.client().put_object(Bucket=bucket, Key=key, Body=bytes(content))
        verified = verify.run(verify.VerifyRequest(level="digest", copy=far.source()))
        assert verified["counts"]["damaged"] == 1
        request = replace(restore_request(postgres15, repository, "shop"), repository=None, copy=far.source())
        with pytest.raises(ArchiveDamaged, match=f"s3://{bucket}.*was altered"):
            restore.run(request)
        assert names(postgres15) == databases


def test_an_archive_that_rots_here_never_gets_there_and_the_others_do(
    postgres15: PrivateServer, far: Far, repository: Path
) -> None:
    with clean(postgres15):
        for name in ("good", "rotten"):
            make_database(postgres15, name)
        result = back_up(postgres15, repository, databases=["good", "rotten"], accounts=False)
        (archive,) = Path(entry_of(result, "rotten")["path"]).glob("data.*")
        content = bytearray(archive.read_bytes())
        content[-1] ^= 1
        archive.write_bytes(bytes(content))
        sent = far.send(repository)
        assert sent["status"] == "partial"
        assert "rotten" in sent["message"]
        assert "It was not copied" in sent["message"]
        there = listing.collect(None, Filter(), far.source())
        assert [entry["database"] for entry in there["backups"]] == ["good"]
        assert database_folder(repository, "rotten").is_dir()
