# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading an archive back: stored bytes, decrypted, decompressed, checked against what the manifest says.

The inverse of archive.py, in constant memory: a block that is compressed a thousandfold is given out in pieces.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import shutil
import subprocess
import threading
import zlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..age.stream import Decryptor, Identity
from ..errors import ArchiveDamaged, BackupDbError, RequirementMissing, WrongKey
from ..repository.archive_files import ArchiveFiles
from ..system.json_text import read_json
from ..system.text import human_size

LARGEST_DOCUMENT = 64 << 20  # bytes; the accounts of 100,000 users stay below. Parsed, it takes several times as much.
_BLOCK = 1 << 20


def plain_blocks(files: ArchiveFiles, archive: Mapping[str, Any], identities: Sequence[Identity]) -> Iterator[bytes]:
    """Yield the plain stream of an archive (an entry of a manifest's `archives`) in blocks of at most 1 MiB.

    Raises `WrongKey`, and `ArchiveDamaged` for bytes that are not what was written, at the latest after the last
    block: what was yielded counts only once the iterator has ended without an error. Raises `RepositoryError` for
    a file that is there and cannot be read.
    """
    path = files.where(archive["name"])
    stored = _Stored(files, archive)
    digest = hashlib.sha256()
    count = 0
    with stored:
        source: Any = stored if archive["encryption"] == "none" else _Decrypted(stored, path, identities)
        for block in _decompressed(source, archive["compression"], path):
            digest.update(block)
            count += len(block)
            if count > archive["plain_bytes"]:
                raise ArchiveDamaged(
                    f"{path}: the plain stream is not the one that the manifest names: it is longer than"
                    f" {archive['plain_bytes']} bytes"
                )
            yield block
        while source.read(_BLOCK):
            pass  # to its end, so that the last chunk is authenticated and the stored digest is whole
    _check_stored(stored, archive, path)
    if count != archive["plain_bytes"] or digest.hexdigest() != archive["plain_sha256"]:
        raise ArchiveDamaged(f"{path}: the plain stream is not the one that the manifest names (sha256 differs)")


def read_document(files: ArchiveFiles, archive: Mapping[str, Any], identities: Sequence[Identity]) -> Any:
    """Return what is in an archive that is one JSON document of at most `LARGEST_DOCUMENT` bytes.

    Raises as `plain_blocks` does, and `ArchiveDamaged` for a larger one, before a byte of it is read.
    """
    path = files.where(archive["name"])
    if archive["plain_bytes"] > LARGEST_DOCUMENT:
        raise ArchiveDamaged(
            f"{path} is no document: it would have {human_size(archive['plain_bytes'])}, and no document has more than"
            f" {human_size(LARGEST_DOCUMENT)}"
        )
    content = b"".join(plain_blocks(files, archive, identities))
    try:
        return read_json(content)
    except ValueError as error:
        raise ArchiveDamaged(f"{path} is no document: {error}") from error


def stored_blocks(files: ArchiveFiles, archive: Mapping[str, Any]) -> Iterator[bytes]:
    """Yield the stored bytes of an archive as they are; raises as `plain_blocks` does, but needs no key."""
    with _Stored(files, archive) as stored:
        yield from iter(lambda: stored.read(_BLOCK), b"")
    _check_stored(stored, archive, files.where(archive["name"]))


def _check_stored(stored: _Stored, archive: Mapping[str, Any], path: str) -> None:
    if stored.count != archive["stored_bytes"]:
        raise ArchiveDamaged(f"{path} has {stored.count} bytes, the manifest says {archive['stored_bytes']}")
    if stored.digest.hexdigest() != archive["sha256"]:
        raise ArchiveDamaged(f"{path}: the stored bytes are not those that the manifest names (sha256 differs)")


class _Stored:
    """The stored file, hashed as it is read, and never beyond the size that the manifest names."""

    def __init__(self, files: ArchiveFiles, archive: Mapping[str, Any]) -> None:
        self.digest = hashlib.sha256()
        self.count = 0
        self._files = files
        self._name: str = archive["name"]
        self._recorded: int = archive["stored_bytes"]
        self._reader = files.open(self._name)

    def __enter__(self) -> _Stored:
        return self

    def __exit__(self, *_exception: object) -> None:
        self._reader.close()

    def read(self, size: int = -1) -> bytes:
        left = self._recorded - self.count
        block = self._reader.read(max(1, min(size if size > 0 else _BLOCK, left)))
        if len(block) > left:
            raise ArchiveDamaged(
                f"{self._files.where(self._name)} has {self._files.size(self._name)} bytes, the manifest says "
                f"{self._recorded}"
            )
        self.digest.update(block)
        self.count += len(block)
        return block


class _Decrypted:
    """What age yields, as an object with `read`."""

    def __init__(self, stored: _Stored, path: str, identities: Sequence[Identity]) -> None:
        if not identities:
            raise WrongKey(f"{path} is encrypted; give an identity or a passphrase that opens it")
        self._stored = stored
        self._path = path
        self._decryptor = Decryptor(identities)
        self._ready = b""
        self._given = 0  # bytes of them
        self._ended = False

    def read(self, size: int = -1) -> bytes:
        wanted = size if size > 0 else _BLOCK
        try:
            while self._given == len(self._ready) and not self._ended:
                block = self._stored.read(_BLOCK)
                self._ended = not block
                self._ready = self._decryptor.update(block) if block else self._decryptor.finish()
                self._given = 0
        except (ArchiveDamaged, WrongKey) as error:
            raise type(error)(f"{self._path}: {error}") from error
        out = self._ready[self._given : self._given + wanted]
        self._given += len(out)
        return out


def _decompressed(source: Any, method: str, path: str) -> Iterator[bytes]:
    if method == "none":
        yield from iter(lambda: source.read(_BLOCK), b"")
        return
    if method == "gzip":
        yield from _reading(gzip.GzipFile(fileobj=source, mode="rb"), path)
        return
    try:
        import zstandard
    except ImportError:
        yield from _zstd_program(source, path)
        return
    try:
        yield from _reading(zstandard.ZstdDecompressor().stream_reader(source, read_across_frames=True), path)
    except zstandard.ZstdError as error:
        raise ArchiveDamaged(f"{path}: not a whole zstd stream: {error}") from error


def _reading(reader: Any, path: str) -> Iterator[bytes]:
    try:
        yield from iter(lambda: reader.read(_BLOCK), b"")
    except (OSError, EOFError, zlib.error) as error:
        raise ArchiveDamaged(f"{path}: cannot be decompressed: {error}") from error


def _zstd_program(source: Any, path: str) -> Iterator[bytes]:
    """Decompress with the `zstd` program, fed by a thread."""
    program = shutil.which("zstd")
    if program is None:
        packages = "python3-zstandard, or the program zstd (package zstd)"
        raise RequirementMissing(f"{path} needs {packages} to be read", library="zstandard")
    process = subprocess.Popen([program, "-q", "-d", "-c"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
    failure: list[Exception] = []

    def feed(stdin: Any) -> None:
        try:
            with stdin:
                for block in iter(lambda: source.read(_BLOCK), b""):
                    stdin.write(block)
        except (OSError, BackupDbError) as error:
            failure.append(error)

    feeder = threading.Thread(target=feed, args=(process.stdin,), daemon=True)
    feeder.start()
    try:
        stdout = process.stdout or io.BytesIO()
        yield from iter(lambda: stdout.read(_BLOCK), b"")
        feeder.join()
        status = process.wait()
    finally:
        process.kill()
        process.wait()
    for error in failure:
        if not isinstance(error, OSError):
            raise error
    if status != 0:
        raise ArchiveDamaged(f"{path}: not a whole zstd stream")
