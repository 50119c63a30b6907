# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Verifying: reading backups back, in constant memory, each with its own verdict.

`digest` compares the stored bytes with the manifest. `decrypt` goes on to the plain bytes: every chunk is
authenticated, decompressed, compared with the digest taken while dumping, and read as its format to the end.
That a restore works is shown by a drill only.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Callable

from ..age.stream import Identity
from ..archives.read import plain_blocks, stored_blocks
from ..errors import ArchiveDamaged, LockBusy, ManifestDamaged, RepositoryError, SignatureRefused, WrongKey
from ..repository import layout
from ..repository.catalogue import LARGEST_MANIFEST, StoredBackup, read_backup
from ..repository.lock import readers_lock
from ..signatures.check import check_manifest, claimed
from ..system.files import is_folder, read_small_file
from .format_check import format_check

LEVELS = ("digest", "decrypt")
GOOD = "good"
UNREADABLE = "unreadable"  # the storage gives no answer; nothing is known about the backup
WRONG_KEY = "wrong_key"
DAMAGED = "damaged"
REFUSED = "refused"  # a signature was demanded; whatever else it is, no known host made it
VERDICTS = (GOOD, UNREADABLE, WRONG_KEY, DAMAGED, REFUSED)  # from good to bad: a whole is as bad as its worst part
_LARGEST_SIGNATURE = 4096  # bytes
_LARGEST_CHECKSUM_FILE = 16 << 20  # bytes; one line per archive


def _ignored(_size: int) -> None:
    """Nobody wants to know."""


def verify(
    backup: StoredBackup,
    *,
    level: str,
    identities: Sequence[Identity],
    signed_by: Sequence[str] | None = None,
    count: Callable[[int], None] = _ignored,
) -> dict[str, Any]:
    """Read a backup back and return its verdict as plain values; a bad backup is a verdict, never an exception.

    `count` is told how many bytes have been read, stored ones for `digest` and plain ones for `decrypt`.

    Raises `RequirementMissing` when this host lacks what reading needs.
    """
    began = time.monotonic()
    try:
        with readers_lock(backup.instance_folder) as warnings:
            if not is_folder(backup.folder):
                raise RepositoryError(f"{backup.where} is gone: it was removed after it had been listed")
            altered = manifest_problem(backup)
            signature, refused = _signature(backup, signed_by)
            archives = [_Archive(backup, entry, count) for entry in backup.manifest["archives"]]
            for archive in archives:
                archive.verify(level, identities)
    except (RepositoryError, LockBusy) as error:
        return _result(backup, level, UNREADABLE, [str(error)], began)
    problems = [archive.problem for archive in archives if archive.problem is not None]
    verdicts = [archive.verdict for archive in archives]
    if altered is not None:
        problems.insert(0, altered)
        verdicts.append(DAMAGED)
    if refused is not None:
        problems.insert(0, refused)
        verdicts.append(REFUSED)
    return {
        **_result(backup, level, max(verdicts, key=VERDICTS.index, default=GOOD), problems, began),
        "signature": signature,
        "archives": [archive.result() for archive in archives],
        "bytes": sum(archive.bytes for archive in archives),
        "warnings": [*warnings, *dict.fromkeys(archive.note for archive in archives if archive.note)],
    }


def _signature(backup: StoredBackup, signed_by: Sequence[str] | None) -> tuple[dict[str, Any], str | None]:
    try:
        return check_manifest(backup, signed_by), None
    except SignatureRefused as error:
        return claimed(backup.manifest), str(error)


def verify_path(
    folder: Path,
    *,
    level: str,
    identities: Sequence[Identity],
    signed_by: Sequence[str] | None = None,
    count: Callable[[int], None] = _ignored,
) -> dict[str, Any]:
    """Verify the backup in a folder; one whose manifest cannot be read is damaged."""
    try:
        backup = read_backup(folder)
    except ManifestDamaged as error:
        return damaged(folder, level, str(error))
    return verify(backup, level=level, identities=identities, signed_by=signed_by, count=count)


def damaged(folder: Path, level: str, problem: str) -> dict[str, Any]:
    """Return the result for a folder whose manifest cannot be read, so that nobody knows whose it is."""
    unknown = {
        "host": None,
        "instance": None,
        "database": None,
        "kind": None,
        "backup_id": folder.name,
        "signature": None,
    }
    return {"folder": str(folder), **unknown, "backup_id": folder.name, **_outcome(level, DAMAGED, [problem], 0.0)}


def _result(backup: StoredBackup, level: str, verdict: str, problems: Sequence[str], began: float) -> dict[str, Any]:
    return {
        "folder": backup.where,
        "host": backup.manifest["host"],
        "instance": backup.manifest["instance"],
        "database": backup.database,
        "kind": backup.kind,
        "backup_id": backup.manifest["backup_id"],
        "signature": claimed(backup.manifest),
        **_outcome(level, verdict, problems, time.monotonic() - began),
    }


def _outcome(level: str, verdict: str, problems: Sequence[str], seconds: float) -> dict[str, Any]:
    return {
        "level": level,
        "verdict": verdict,
        "problems": list(problems),
        "archives": [],
        "bytes": 0,
        "seconds": round(seconds, 3),
        "warnings": [],
    }


def manifest_problem(backup: StoredBackup) -> str | None:
    """Compare the file of checksums with the manifest, which nothing else need cover, and with the archives in it.

    Each is on one line, and there is no other line: whoever recovers by hand goes by this file alone.
    """
    folder, archives = backup.folder, backup.manifest["archives"]
    path = folder / layout.CHECKSUM_FILE
    try:
        manifest = read_small_file(folder / layout.MANIFEST_FILE, LARGEST_MANIFEST)
        signed = backup.manifest.get("signing_key") is not None
        signature = [read_small_file(folder / layout.SIGNATURE_FILE, _LARGEST_SIGNATURE)] if signed else []
        *lines, rest = read_small_file(path, _LARGEST_CHECKSUM_FILE).split(b"\n")
    except OSError as error:
        return f"{error.filename or path} cannot be read, so the manifest cannot be checked: {error.strerror}"
    if _checksum_line(hashlib.sha256(manifest).hexdigest(), layout.MANIFEST_FILE) not in lines:
        return f"{folder / layout.MANIFEST_FILE} is not as it was written: its sha256 is not the one in {path.name}"
    for archive in archives:
        if _checksum_line(archive["sha256"], archive["name"]) not in lines:
            return f"{path} is not as it was written: it does not have {archive['name']} with the manifest's sha256"
    for content in signature:
        if _checksum_line(hashlib.sha256(content).hexdigest(), layout.SIGNATURE_FILE) not in lines:
            return (
                f"{folder / layout.SIGNATURE_FILE} is not as it was written: its sha256 is not the one in {path.name}"
            )
    if len(lines) != len(archives) + len(signature) + 1 or rest:
        return f"{path} is not as it was written: it has lines more than the manifest and its archives"
    return None


def _checksum_line(digest: str, name: str) -> bytes:
    return f"{digest}  {name}".encode("utf-8", "surrogateescape")


class _Archive:
    """One archive of a backup, and what was found out about it."""

    def __init__(self, backup: StoredBackup, entry: Mapping[str, Any], count: Callable[[int], None]) -> None:
        self._count = count
        self._backup = backup
        self._entry = entry
        self.verdict = GOOD
        self.problem: str | None = None
        self.note = ""
        self.bytes = 0

    def result(self) -> dict[str, Any]:
        return {"name": self._entry["name"], "verdict": self.verdict, "problem": self.problem}

    def verify(self, level: str, identities: Sequence[Identity]) -> None:
        """Read the archive to its end and keep the verdict."""
        try:
            if level == "digest":
                self._read(stored_blocks(self._backup.files, self._entry))
            else:
                self._read_plain(identities)
            self.bytes = self._entry["stored_bytes"]
        except WrongKey as error:
            self._judge_key(error)
        except ArchiveDamaged as error:
            self._found(DAMAGED, str(error))
        except RepositoryError as error:
            self._found(UNREADABLE, str(error))

    def _read_plain(self, identities: Sequence[Identity]) -> None:
        """Read the plain stream, and let the check of its format see it."""
        with closing(format_check(self._backup.manifest, self._entry)) as check:
            for block in plain_blocks(self._backup.files, self._entry, identities):
                check.feed(block)
                self._count(len(block))
            problem = check.finish()
            self.note = check.note and f"{self._backup.files.where(self._entry['name'])}: {check.note}"
        if problem is not None:
            raise ArchiveDamaged(f"{self._backup.files.where(self._entry['name'])}: {problem}")

    def _read(self, blocks: Iterator[bytes]) -> None:
        for block in blocks:
            self._count(len(block))

    def _judge_key(self, error: WrongKey) -> None:
        """Distinguish a wrong key from a damaged header, which looks the same to age."""
        try:
            self._read(stored_blocks(self._backup.files, self._entry))
        except ArchiveDamaged as damage:
            self._found(DAMAGED, str(damage))
        except RepositoryError as unreadable:
            self._found(UNREADABLE, str(unreadable))
        else:
            recipients = ", ".join(map(str, self._entry.get("recipients") or ["a passphrase"]))
            self._found(WRONG_KEY, f"{error} It was encrypted for {recipients}.")

    def _found(self, verdict: str, problem: str) -> None:
        self.verdict = verdict
        self.problem = problem
