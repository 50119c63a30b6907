# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Verifying real backups of real servers, good ones and every sort of bad one."""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from backupdb.age.stream import X25519Identity
from backupdb.archives.envelope import Encryption
from backupdb.archives.keys import Keys
from backupdb.engines.postgresql import clients as postgresql_clients
from backupdb.streams.compression import Compression
from backupdb.verify import one_backup as verify
from backupdb.verify import run as verify_run
from support.library import IDENTITY, back_up, entry_of
from support.private_server import PrivateServer
from support.stored import flip_bit, rewrite_manifest
from support.tree import folder_state

PLAIN = {"encryption": Encryption(mode="none"), "compression": Compression(method="none")}


@pytest.fixture(scope="module", params=["postgres15", "mariadb"])
def server(request: pytest.FixtureRequest) -> Iterator[PrivateServer]:
    server: PrivateServer = request.getfixturevalue(request.param)
    server.sql("CREATE DATABASE verified")
    server.sql("CREATE TABLE item (id int PRIMARY KEY, name text)", database="verified")
    server.sql("CREATE TABLE other (id int PRIMARY KEY)", database="verified")
    rows = ", ".join(f"({number}, '{hashlib.sha256(str(number).encode()).hexdigest()}')" for number in range(2000))
    server.sql(f"INSERT INTO item VALUES {rows}", database="verified")
    yield server
    server.sql("DROP DATABASE verified")


def made(server: PrivateServer, repository: Path, **options: Any) -> Path:
    """Back the database up and return the folder of its backup."""
    result = back_up(server, repository, databases=["verified"], **options)
    assert result["status"] == "ok", result["message"]
    return Path(entry_of(result, "verified")["path"])


def checked(folder: Path, level: str = "decrypt", *identities: Any) -> dict[str, Any]:
    return verify.verify_path(folder, level=level, identities=identities or (IDENTITY,))


def largest_archive(folder: Path) -> Path:
    return max(
        (path for path in folder.iterdir() if not path.name.startswith("manifest")),
        key=lambda path: path.stat().st_size,
    )


@pytest.mark.distro
@pytest.mark.parametrize("jobs", [1, 2])
def test_a_whole_run_is_good_and_verifying_changes_nothing(server: PrivateServer, repository: Path, jobs: int) -> None:
    made(server, repository, jobs=jobs)
    before = folder_state(repository)
    for level in verify.LEVELS:
        keys = Keys(identity=IDENTITY.reveal())
        result = verify_run.run(verify_run.VerifyRequest(level=level, repository=str(repository), keys=keys))
        assert (result["status"], result["warnings"]) == ("ok", []), result["message"]
        assert result["counts"]["good"] == 2
        archives = sum(len(entry["archives"]) for entry in result["backups"])
        assert archives == 3 if jobs == 1 else archives > 4
    assert {path for path in folder_state(repository) if not path.endswith("readers")} == set(before)


def test_a_truncated_archive_a_flipped_bit_a_missing_archive_and_a_wrong_key_are_told_apart(
    server: PrivateServer, repository: Path
) -> None:
    folder = made(server, repository)
    archive = largest_archive(folder)
    whole = archive.read_bytes()
    assert checked(folder)["verdict"] == "good"
    assert checked(folder, "decrypt", X25519Identity.generate())["verdict"] == "wrong_key"
    archive.write_bytes(whole[: len(whole) // 2])
    assert checked(folder)["verdict"] == "damaged"
    assert checked(folder, "digest")["verdict"] == "damaged"
    archive.write_bytes(whole)
    flip_bit(archive, len(whole) // 2)
    result = checked(folder)
    assert (result["verdict"], result["archives"][0]["verdict"]) == ("damaged", "damaged")
    assert "chunk" in result["problems"][0]
    archive.unlink()
    assert "is missing" in checked(folder)["problems"][0]
    archive.write_bytes(whole)
    assert checked(folder)["verdict"] == "good"


def test_a_plain_stream_other_than_the_one_that_was_dumped_is_damage(server: PrivateServer, repository: Path) -> None:
    folder = made(server, repository)
    manifest = json.loads((folder / "manifest.json").read_bytes())
    archives = [{**archive, "plain_sha256": "0" * 64} for archive in manifest["archives"]]
    rewrite_manifest(folder, archives=archives)
    assert checked(folder, "digest")["verdict"] == "good"
    result = checked(folder)
    assert result["verdict"] == "damaged"
    assert "plain stream" in result["problems"][0]


@pytest.mark.parametrize("kept", [0.6, 0.999])
def test_a_dump_that_was_cut_short_before_it_was_stored_is_found_although_all_digests_fit(
    server: PrivateServer, repository: Path, kept: float
) -> None:
    folder = made(server, repository, **PLAIN)
    archive = largest_archive(folder)
    cut = archive.read_bytes()[: int(archive.stat().st_size * kept)]
    archive.write_bytes(cut)
    manifest = json.loads((folder / "manifest.json").read_bytes())
    digest = hashlib.sha256(cut).hexdigest()
    fitting = {"plain_bytes": len(cut), "stored_bytes": len(cut), "plain_sha256": digest, "sha256": digest}
    rewrite_manifest(folder, archives=[{**manifest["archives"][0], **fitting}])
    assert checked(folder, "digest")["verdict"] == "good"
    if archive.suffix == ".dump":
        (program,) = (
            path
            for path in postgresql_clients.installed("pg_restore")
            if path.parent.name == "bin" and "lib" in path.parts
        )
        listed = subprocess.run([program, "--list", archive], check=True, stdout=subprocess.PIPE, text=True)
        assert "TABLE DATA public item" in listed.stdout
    result = checked(folder)
    assert result["verdict"] == "damaged", result
    assert ("pg_restore cannot read it" if archive.suffix == ".dump" else "was not whole") in result["problems"][0]


def test_without_a_pg_restore_that_reads_the_archive_this_is_said_and_the_rest_is_checked(
    server: PrivateServer, repository: Path
) -> None:
    folder = made(server, repository)
    manifest = json.loads((folder / "manifest.json").read_bytes())
    rewrite_manifest(folder, client={**manifest["client"], "version": "99.1"})
    result = checked(folder)
    assert result["verdict"] == "good"
    if server.engine == "postgresql":
        (warning,) = result["warnings"]
        assert "postgresql-client-99" in warning
    else:
        assert result["warnings"] == []
