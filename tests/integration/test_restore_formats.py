# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every way in which a backup can be wrapped comes back: compression, encryption, parts, engines."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from backupdb.archives.envelope import Encryption
from backupdb.archives.keys import Keys
from backupdb.streams.compression import Compression
from support import mysql_sid
from support.library import IDENTITY, back_up
from support.private_server import PrivateServer
from support.restores import KEYS, clean, details_of, drop_database, make_database, restored

KINDS = ["postgres15", "mariadb", pytest.param("mysql", marks=pytest.mark.mysql)]
PASSPHRASE = "seven clouds over a green field"
WRAPPINGS = {
    "recipient": (Encryption(recipients=(IDENTITY.recipient,)), KEYS),
    "passphrase": (Encryption(passphrase=PASSPHRASE), Keys(passphrase=PASSPHRASE)),
    "none": (Encryption(mode="none"), Keys()),
}


@pytest.fixture(params=KINDS)
def server(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[PrivateServer]:
    if request.param == "mysql":
        monkeypatch.setenv("PATH", f"{os.environ['PATH']}:{mysql_sid.programs()}")
    private: PrivateServer = request.getfixturevalue(request.param)
    with clean(private):
        make_database(private, "wrapped")
        for table in ("a", "b", "c"):
            private.sql(f"CREATE TABLE {table} (n int NOT NULL PRIMARY KEY, t text)", database="wrapped")
            private.sql(f"INSERT INTO {table} VALUES (1, 'x'), (2, '{table}')", database="wrapped")
        yield private


@pytest.mark.parametrize("jobs", [1, 3])
@pytest.mark.parametrize("wrapping", ["recipient", pytest.param("passphrase", marks=pytest.mark.slow), "none"])
def test_every_compression_and_encryption_comes_back_in_one_part_and_in_several(
    server: PrivateServer, scratch: Path, wrapping: str, jobs: int
) -> None:
    encryption, keys = WRAPPINGS[wrapping]
    before = details_of(server, "wrapped")
    for method in ("zstd", "gzip", "none"):
        repository = scratch / method
        repository.mkdir(mode=0o700)
        result = back_up(
            server,
            repository,
            databases=["wrapped"],
            accounts=False,
            jobs=jobs,
            row_counts=True,
            compression=Compression(method),
            encryption=encryption,
        )
        assert result["status"] == "ok", result["message"]
        target = restored(server, repository, "wrapped", keys=keys, jobs=jobs)["target"]
        assert details_of(server, target).fingerprints == before.fingerprints, method
        drop_database(server, target)
