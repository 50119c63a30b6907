# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Verifying many backups in one pass: which ones, and the verdict on each."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable

from ..archives.keys import Keys, load_identities
from ..archives.opening import require_fitting_keys
from ..errors import BackupNotFound, InvalidOption, ManifestDamaged
from ..outcome import Outcome
from ..repository.catalogue import Filter, StoredBackup, read_backup, read_wanted
from ..repository.copy_source import CopySource
from ..repository.place import Place, open_place
from ..repository.problems import Problems
from ..streams.meter import Meter
from ..system.files import is_gone
from ..system.grouping import Fault, grouped
from ..system.text import counted, human_duration, human_size
from . import one_backup as verify

_SHOWN = 3


@dataclass(frozen=True)
class VerifyRequest:
    """The backups at `paths`, or the wanted ones of a `repository` or a `copy`; how far to read, and who has signed."""

    level: str
    repository: str | None = None
    wanted: Filter = field(default_factory=Filter)
    paths: tuple[str, ...] = ()
    keys: Keys = field(default_factory=Keys)
    signed_by: tuple[str, ...] | None = None
    copy: CopySource | None = None

    def __post_init__(self) -> None:
        if self.level not in verify.LEVELS:
            raise InvalidOption(f"level {self.level!r} is not known; use {' or '.join(verify.LEVELS)}")
        if [self.repository is None, self.copy is None, not self.paths].count(False) != 1:
            raise InvalidOption(
                "say what to verify: a repository, a copy, or the paths of backups, and one of them only"
            )


def check(request: VerifyRequest) -> None:
    """Find out what can be told without a backup: raises for keys that cannot be used, and `RequirementMissing`."""
    if request.level == "decrypt":
        load_identities(request.keys)


def run(request: VerifyRequest, *, report: Callable[[str], None] | None = None) -> dict[str, Any]:
    """Verify and return the verdicts; `status` is `ok` only when every one is good.

    `report` is told now and then, in a line, how far the reading is.

    Raises `BackupNotFound` when nothing is wanted, `InvalidOption` for keys that cannot be used, `WrongKey` for those
    that open none of the backups, `RepositoryError` when there is no repository to read, and `RequirementMissing`.
    """
    began = time.monotonic()
    identities = load_identities(request.keys) if request.level == "decrypt" else ()
    problems = Problems()
    folders = [Path(path) for path in request.paths]
    meter = Meter(report)
    how: dict[str, Any] = {
        "level": request.level,
        "identities": identities,
        "signed_by": request.signed_by,
        "count": meter.count,
    }
    if request.level == "decrypt":
        require_fitting_keys(_readable(folders), identities)
    entries = [verify.verify_path(folder, **how) for folder in folders]
    if not request.paths:
        with open_place(
            request.repository,
            request.copy,
            host=request.wanted.host,
            instance=request.wanted.instance,
            can_wait=True,
        ) as place:
            if request.level == "decrypt":
                wanted = read_wanted(place.root, request.wanted, Problems())
                require_fitting_keys(map(place.adopt, wanted), identities)
            entries += _verify_place(place, request.wanted, problems, how, meter)
    # It counts whatever is wanted: nobody can know whose backup an unreadable manifest was.
    entries += [verify.damaged(folder, request.level, line) for folder, line in problems.damaged.items()]
    if not entries:
        if problems.lines:
            raise BackupNotFound(f"nothing was verified: {'; '.join(problems.lines[-_SHOWN:])}")
        raise BackupNotFound(
            f"there is nothing to verify in {request.repository or 'the copy'}: no backup is what the filters want; "
            "widen them, or look with backup_info at what there is"
        )
    return _result(request, entries, problems.lines, time.monotonic() - began)


def _readable(folders: Iterable[Path]) -> Iterator[StoredBackup]:
    for folder in folders:
        with suppress(ManifestDamaged):
            yield read_backup(folder)


def _verify_place(
    place: Place, wanted: Filter, problems: Problems, how: dict[str, Any], meter: Meter
) -> list[dict[str, Any]]:
    entries = []
    if meter.is_heard:  # looked through once more, as all manifests together may not fit into the memory
        size = "stored_bytes" if how["level"] == "digest" else "plain_bytes"
        meter.expect(sum(found.manifest[size] for found in read_wanted(place.root, wanted, Problems())))
    waiting = 0
    for line in place.problems:
        problems.add(line)
    for found in read_wanted(place.root, wanted, problems):
        backup = place.adopt(found)
        left = place.allowance(Problems())
        if left is not None and backup.manifest["stored_bytes"] > left:
            waiting += 1
            continue
        meter.begin(f"{backup.manifest['host']}/{backup.manifest['instance']}/{backup.subject.title}")
        entry = verify.verify(backup, **how)
        if entry["verdict"] != verify.GOOD and is_gone(backup.folder):
            problems.add(f"{backup.where} was removed after it had been listed")
        else:
            entries.append(entry)
    if waiting:
        backups = counted(waiting, "backup")
        problems.add(f"{backups} in {place.where} must wait for the next month: verify_budget has no room for more")
    return entries


def _result(
    request: VerifyRequest, entries: list[dict[str, Any]], problems: list[str], seconds: float
) -> dict[str, Any]:
    counts = Counter(entry["verdict"] for entry in entries)
    possible = [verdict for verdict in verify.VERDICTS if verdict != verify.REFUSED or request.signed_by is not None]
    size = sum(entry["bytes"] for entry in entries)
    bad = [entry for entry in entries if entry["verdict"] != verify.GOOD]
    backups, verb = counted(len(entries), "backup"), "is" if len(entries) == 1 else "are"
    message = f"{counts[verify.GOOD]} of {backups} {verb} good at level {request.level}"
    message += f" ({human_size(size)} in {human_duration(seconds)})"
    if bad:
        message += f". {'; '.join(grouped(map(_fault, bad), 'backups', shown=_SHOWN))}"
    damaged = {entry["problems"][0] for entry in bad}
    warnings = [line for line in problems if line not in damaged]
    return Outcome(
        status="failed" if bad else "ok",
        changed=False,
        message=message,
        warnings=[*warnings, *(line for entry in entries for line in entry["warnings"])],
        facts={
            "level": request.level,
            "backups": entries,
            "counts": {verdict: counts[verdict] for verdict in possible},
            "bytes": size,
            "seconds": round(seconds, 3),
        },
    ).to_dict()


def _fault(entry: Mapping[str, Any]) -> Fault:
    folder = entry["folder"]
    return Fault(folder, f"{entry['verdict'].replace('_', ' ')}, {entry['problems'][0]}", place=folder)
