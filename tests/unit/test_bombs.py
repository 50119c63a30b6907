# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Archives that become a thousand times larger than their manifest says, or that are documents without end."""

from __future__ import annotations

import gzip
import hashlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import zstandard
from backupdb.accounts.stored import read_document
from backupdb.archives import read
from backupdb.cli.main import main
from backupdb.drill.stored_accounts import accounts_of
from backupdb.errors import ArchiveDamaged
from backupdb.repository.catalogue import StoredBackup, read_backup
from backupdb.restore.plan import open_archives
from backupdb.streams.compression import Compression
from backupdb.verify import one_backup as verify
from support import needs
from support.stored import PLAIN, Envelope, rewrite_manifest, store

SMALL = b'{\n "schema": 1\n}\n'
HUGE = 64 << 20  # bytes, of a few KiB
METHODS: dict[str, Callable[[bytes], bytes]] = {
    "zstd": zstandard.ZstdCompressor().compress,
    "gzip": lambda data: gzip.compress(data, 9),
}


def bomb(root: Path, method: str, content: bytes, database: str | None = "shop", **entry: Any) -> StoredBackup:
    """A backup whose archive is something else than its manifest says; digests of what is stored are right."""
    form = "sql" if database else "json"
    backup = store(root, database, content=SMALL, form=form, envelope=Envelope(Compression(method), PLAIN.encryption))
    [archive] = backup.manifest["archives"]
    path = backup.folder / archive["name"]
    stored = METHODS[method](content)
    path.write_bytes(stored)
    digest = hashlib.sha256(stored).hexdigest()
    changed = {**archive, "stored_bytes": len(stored), "sha256": digest, **entry}
    rewrite_manifest(backup.folder, archives=[changed])
    sums = backup.folder / "manifest.json.sha256"
    sums.write_text(sums.read_text(encoding="ascii").replace(archive["sha256"], digest), encoding="ascii")
    return read_backup(backup.folder)


@pytest.fixture(params=[*METHODS, "zstd program"])
def method(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "zstd program":
        needs.program("zstd", "zstd")
        monkeypatch.setitem(sys.modules, "zstandard", None)
    return str(request.param).split()[0]


def test_no_reader_goes_beyond_the_plain_bytes_of_the_manifest(
    tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes], method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    backup = bomb(tmp_path, method, b"\0" * HUGE)
    given = 0
    decompressed = read._decompressed

    def counted(*arguments: Any) -> Any:
        nonlocal given
        for block in decompressed(*arguments):
            given += len(block)
            yield block

    monkeypatch.setattr(read, "_decompressed", counted)
    result = verify.verify(backup, level="decrypt", identities=[])
    assert result["verdict"] == "damaged"
    assert f"longer than {len(SMALL)} bytes" in result["problems"][0]
    with pytest.raises(ArchiveDamaged, match="longer than"):  # as a restore and a drill begin
        open_archives(backup, [])
    assert main(["cat", str(backup.folder), backup.manifest["archives"][0]["name"]]) != 0
    assert len(capsysbinary.readouterr().out) <= len(SMALL)
    assert given <= 3 << 20


def test_a_document_of_accounts_without_end_is_refused_before_it_is_read(
    tmp_path: Path, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = b'{"schema": 1, "accounts": [' + b"0," * (HUGE // 2) + b"0]}"
    digest = hashlib.sha256(content).hexdigest()
    accounts = bomb(tmp_path, method, content, None, plain_bytes=len(content), plain_sha256=digest)
    database = store(tmp_path, "shop", content=SMALL)
    monkeypatch.setattr(read, "plain_blocks", lambda *_arguments: pytest.fail("it was read"))
    with pytest.raises(ArchiveDamaged, match=r"no document: it would have 64\.0 MiB"):
        read_document(accounts, [])
    stored = accounts_of(database, [])
    assert stored.document is None
    assert "no document" in stored.note


@pytest.mark.parametrize(
    "content", [b"[" * 200_000, b'{"schema": ' + b"[" * 5000, b"9" * 10_000, b"[]", b"\xff", b"null"]
)
def test_a_document_that_is_no_json_of_ours_is_one_error(tmp_path: Path, content: bytes) -> None:
    digest = hashlib.sha256(content).hexdigest()
    accounts = bomb(tmp_path, "zstd", content, None, plain_bytes=len(content), plain_sha256=digest)
    with pytest.raises(ArchiveDamaged, match="no document"):
        read_document(accounts, [])
    assert accounts_of(store(tmp_path, "shop", content=SMALL), []).document is None
