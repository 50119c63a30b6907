# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is missing where: the published backups of a repository that a copy does not have yet, oldest first.

The order of their arrival is then that of their times, by which removals in a copy tell true ones from forged ones.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import ManifestDamaged
from ..repository import catalogue, layout, local
from ..repository.catalogue import StoredBackup
from ..repository.problems import Problems
from ..repository.stores.interface import Upload
from ..retention.decide import Candidate
from ..retention.plan import candidate_of
from ..retention.policy import RetentionPolicy
from ..retention.wanted import unwanted
from ..system.files import is_gone, read_small_file
from ..system.text import utc_now

_SIGNATURE_SIZE = 4096  # bytes at most


@dataclass(frozen=True)
class CopyRequest:
    """Which backups of a repository are to be in the copies: all of it, or those of the named places.

    `instances` are exact names of host and instance; None is any instance of that host.
    """

    repository: str
    instances: Sequence[tuple[str, str | None]] = ()


@dataclass(frozen=True)
class MissingBackup:
    """A backup that is to be sent. `files` are in the order in which they go, the manifest last."""

    place: str
    backup: StoredBackup
    files: Sequence[Upload] = field(repr=False)

    @property
    def size(self) -> int:
        """Return how many bytes it has."""
        return sum(upload.size for upload in self.files)


def published(request: CopyRequest, problems: Problems) -> Iterator[StoredBackup]:
    """Yield the backups that are to be in the copies, newest first within each database."""
    root = Path(request.repository)
    folders: list[Path] = []
    for host, instance in request.instances or ((None, None),):
        folders += local.instance_folders(root, host, instance)
    for folder in dict.fromkeys(folders):
        for database_folder in catalogue.database_folders(folder, problems):
            yield from catalogue.backups(database_folder, problems)


def missing_in(
    there: Container[str],
    requests: Sequence[CopyRequest],
    problems: Problems,
    *,
    policy: RetentionPolicy | None = None,
    shadow: Path | None = None,
) -> list[MissingBackup]:
    """Return what is not `there`, oldest first; what cannot be read is in `problems`.

    What `policy`, that of the copy, would let go there at once is not missing; `shadow` shows what else is there.
    """
    missing = []
    candidates: dict[str, list[Candidate]] = {}
    for backup in (backup for request in requests for backup in published(request, problems)):
        if not backup.is_in_place():
            problems.add(f"{backup.folder} holds a backup that belongs elsewhere and is not copied")
            continue
        place = "/".join(backup.place())
        if policy is not None:
            candidates.setdefault(place.rpartition("/")[0], []).append(candidate_of(backup, Problems()))
        if place in there:
            continue
        try:
            missing.append(MissingBackup(place, backup, list(files_of(place, backup))))
        except ManifestDamaged as error:
            if not is_gone(backup.folder):
                problems.add_damaged(backup.folder, str(error))
    now = utc_now()
    left_out = {
        f"{database}/{backup_id}"
        for database, known in candidates.items()
        for backup_id in unwanted(policy, known, Path(shadow or "/", database), now)
    }
    missing = [one for one in missing if one.place not in left_out]
    return sorted(missing, key=lambda one: one.backup.time)


def files_of(place: str, backup: StoredBackup) -> Iterator[Upload]:
    """Yield the files of a backup in the order in which they are sent; raises `ManifestDamaged`."""
    archives: Sequence[Mapping[str, Any]] = backup.manifest["archives"]
    for archive in archives:
        name = archive["name"]
        yield Upload(backup.folder / name, f"{place}/{name}", archive["stored_bytes"], archive["sha256"])
    small = [layout.CHECKSUM_FILE, layout.MANIFEST_FILE]
    if backup.manifest.get("signing_key") is not None:
        small.insert(0, layout.SIGNATURE_FILE)
    for name in small:
        yield _small(backup.folder / name, f"{place}/{name}")


def _small(path: Path, name: str) -> Upload:
    """Describe a small file by its content as it is now."""
    import hashlib

    try:
        content = read_small_file(path, catalogue.LARGEST_MANIFEST)
    except OSError as error:
        raise ManifestDamaged(f"{path} cannot be read: {error.strerror}") from error
    return Upload(path, name, len(content), hashlib.sha256(content).hexdigest())
