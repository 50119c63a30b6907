# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What must be true after any case, whatever went wrong. Each check returns what it found, as sentences."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from backupdb.archives.keys import load_identities
from backupdb.repository import layout
from backupdb.verify import one_backup as verify
from support.library import KEYS
from support.tree import Entry, folder_state

from chaos.child import Ended

_BACKUP = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{8}")
_DEPTH = 4  # host, instance, database, backup
_AGE = b"age-encryption.org/v1\n"
# A message that shows our inside, or Python's words for an error instead of ours.
_IMPROPER = ("Traceback", "[Errno", "object at 0x", "Error(", "internal:")
# What a driver says of a lost connection, in the brackets in which it is quoted.
_OF_THE_DRIVER = re.compile(r"\(\[-?\d+\] .*\)")
_FINE = ("ok", "restored")


def ended_properly(ended: Ended, *, secrets: Sequence[str], named: Sequence[str]) -> Iterator[str]:
    """It ended by itself with a proper word, let go of everything, and told no secret."""
    if ended.hung:
        yield "it did not end"
    if ended.crash:
        yield f"it crashed: {ended.crash}"
    if ended.orphans:
        yield f"processes were left behind: {ended.orphans}"
    if ended.left_open:
        yield f"still open at the end, and so locked: {ended.left_open}"
    if "Traceback" in ended.stderr:
        yield f"a traceback on standard error: {ended.stderr}"
    for secret in secrets:
        if secret in ended.text() or secret in ended.stderr:
            yield f"the secret {secret[:4]}... was told"
    if ended.result is not None or ended.error is not None:
        yield from _is_proper(ended.message(), () if ended.status in _FINE else named)


def _is_proper(message: str, named: Sequence[str]) -> Iterator[str]:
    ours = _OF_THE_DRIVER.sub("", message)
    for words in _IMPROPER:
        if words in ours:
            yield f"the message has {words!r}: {message}"
    if named and not any(name in message for name in named):
        yield f"the message names nothing that one could look at: {message!r}"


def backups_in(repository: Path) -> list[Path]:
    """What stands in the repository under the final name of a backup."""
    return sorted(path for path in repository.glob("*/*/*/*") if _BACKUP.fullmatch(path.name))


def is_whole(folder: Path) -> str | None:
    """Read a backup to its last byte; return what is wrong with it."""
    verdict = verify.verify_path(folder, level="decrypt", identities=load_identities(KEYS))
    if verdict["verdict"] == verify.GOOD:
        return None
    return f"{folder} has a final name and is {verdict['verdict']}: {verdict['problems']}"


def published_are_whole(repository: Path, before: Mapping[str, Entry]) -> Iterator[str]:
    """Nothing stands under a final name that is not whole; what was there before needs no second look."""
    for folder in backups_in(repository):
        if str(folder.relative_to(repository)) not in before:
            wrong = is_whole(folder)
            if wrong:
                yield wrong


def earlier_are_unchanged(repository: Path, before: Mapping[str, Entry], *, gone: Sequence[str] = ()) -> Iterator[str]:
    """Every file of an earlier backup is as it was, byte for byte; whole backups in `gone` may be missing.

    These are folders relative to the repository, as the keys of `before` are.
    """
    after = folder_state(repository)
    for path, entry in before.items():
        parts = Path(path).parts
        if len(parts) <= _DEPTH or not _BACKUP.fullmatch(parts[_DEPTH - 1]) or not entry.mode.startswith("-"):
            continue
        if "/".join(parts[:_DEPTH]) not in gone and after.get(path) != entry:
            yield f"{path} of an earlier backup is {'changed' if path in after else 'gone'}"


def nothing_is_plain(folder: Path, words: Sequence[str]) -> Iterator[str]:
    """No file has what is secret, and every archive is sealed."""
    for path in folder.rglob("*"):
        if path.is_symlink() or not path.is_file():
            continue
        content = path.read_bytes()
        for word in words:
            if word.encode() in content:
                yield f"{path} holds {word!r} in plain"
        if path.name.endswith(".age") and content and not content.startswith(_AGE[: len(content)]):
            yield f"{path} is not encrypted"


def nothing_unfinished(repository: Path) -> Iterator[str]:
    """No unpublished folder and no temporary file is left."""
    for path in repository.rglob("*"):
        if path.name.startswith((layout.PARTIAL_PREFIX, layout.REMOVING_PREFIX)) or path.name.endswith(".partial"):
            yield f"{path} is left over"


def result_is_true(result: Mapping[str, Any]) -> Iterator[str]:
    """What a run says of each backup is so on the disk, and its status is the sum of it."""
    entries = [*result["databases"], *([result["accounts"]] if result["accounts"] else [])]
    for entry in entries:
        if entry["status"] in ("complete", "partial"):
            wrong = is_whole(Path(entry["path"])) if Path(entry["path"]).is_dir() else f"{entry['path']} is not there"
            if wrong:
                yield f"{entry['name']} is told as {entry['status']}, but {wrong}"
        elif entry["status"] == "failed" and not entry["error"]:
            yield f"{entry['name']} failed without a reason"
    statuses = {entry["status"] for entry in entries}
    if result["status"] == "ok" and not statuses <= {"complete", "skipped"}:
        yield f"the status is ok, but there are {sorted(statuses)}"
    if result["status"] != "ok" and statuses == {"complete"}:
        yield f"all is complete, but the status is {result['status']}: {result['message']}"


def only_what_is_told_is_new(repository: Path, before: Mapping[str, Entry], told: Sequence[str]) -> Iterator[str]:
    """No backup came into being that nobody was told of."""
    for folder in backups_in(repository):
        if str(folder.relative_to(repository)) not in before and str(folder) not in told:
            yield f"{folder} was published, and the run did not say so"
