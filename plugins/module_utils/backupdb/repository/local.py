# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The repository in a local (or mounted) folder: opening it, publishing a backup, clearing what dead runs left."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from time import sleep
from typing import Any, Callable

from ..errors import NotEnoughSpace, RepositoryError, RepositoryMissing
from ..system.files import is_folder
from ..system.text import utc_now
from . import layout
from .files import StoredFile, make_folder, publish_folder, remove_tree, storage_errors, sync_folder, write_file
from .manifest import serialise


@dataclass(frozen=True)
class Published:
    """A backup that now exists: its folder and the digest of its manifest."""

    folder: Path
    manifest_sha256: str
    warning: str | None = None  # what may yet undo it


def open_repository(path: str) -> Path:
    """Check that the repository can be written; raises `RepositoryError` with what to do.

    The top folder is never made here: where it is missing, a mount is likely missing too.
    """
    root = Path(path)
    with storage_errors(root, "looking at the repository"):  # a folder above it is closed to us
        _check_root(root)
    return root


def _check_root(root: Path) -> None:
    if not root.exists():
        raise RepositoryMissing(
            f"repository {root} does not exist on this host; mount it, or make it with mode 0700 for the backup user"
        )
    if not root.is_dir():
        raise RepositoryError(f"repository {root} is not a folder")
    if os.statvfs(root).f_flag & os.ST_RDONLY:
        raise RepositoryError(f"repository {root} is on a filesystem mounted read-only; remount it writable")
    if not _is_usable(root):
        raise RepositoryError(
            f"repository {root} is not writable for uid {os.geteuid()}; give it to the backup user with mode 0700"
        )


def instance_path(root: Path, host: str, instance: str) -> Path:
    """Return where the backups of an instance lie; the folder may not be there yet."""
    return root / layout.encode_name(host) / layout.encode_name(instance)


def instance_folders(root: Path, host: str | None, instance: str | None) -> list[Path]:
    """Return the folders of the instances that are there; None is any host, or any instance. Links are not followed."""
    wanted = ["[!.]*" if name is None else layout.encode_name(name) for name in (host, instance)]
    found = sorted(root.glob("/".join(wanted)))
    return [path for path in found if is_folder(path) and not path.is_symlink() and not path.parent.is_symlink()]


def check_instance_folder(root: Path, host: str, instance: str) -> None:
    """Find out whether a run could begin in the folder of an instance; raises `RepositoryError`. Changes nothing."""
    folder = instance_path(root, host, instance)
    check_folder(root, folder)
    for leftover in _leftovers(folder):
        if is_folder(leftover) and not leftover.is_symlink() and not _is_usable(leftover):
            raise RepositoryError(
                f"{leftover}, left by a run that did not end well, cannot be removed by uid {os.geteuid()}; remove it, "
                "or give it to the backup user"
            )


def check_folder(root: Path, folder: Path) -> None:
    """Find out whether a folder of the repository is there, or could be made, and can be written into.

    Raises `RepositoryError`. Changes nothing.
    """
    with storage_errors(folder, "looking at"):
        nearest = root
        for name in folder.relative_to(root).parts:
            if not os.path.lexists(nearest / name):
                break
            nearest /= name
            if nearest.is_symlink() or not nearest.is_dir():
                raise RepositoryError(f"{nearest} is in the way: it should be a folder of the repository")
    if not _is_usable(nearest):
        raise RepositoryError(
            f"{nearest}: permission denied for uid {os.geteuid()}; give the backup user this folder (mode 0700)"
        )


def _is_usable(folder: Path) -> bool:
    return os.access(folder, os.R_OK | os.W_OK | os.X_OK, effective_ids=True)


def make_instance_folder(root: Path, host: str, instance: str) -> Path:
    """Make and return the folder of an instance."""
    folder = instance_path(root, host, instance)
    make_folder(folder.parent)
    make_folder(folder)
    return folder


def remove_leftovers(instance_folder: Path) -> list[Path]:
    """Remove unpublished folders. Only for the holder of the lock, which proves that their runs are dead."""
    leftovers = _leftovers(instance_folder)
    for leftover in leftovers:
        remove_tree(leftover)
    return leftovers


def _leftovers(instance_folder: Path) -> list[Path]:
    with storage_errors(instance_folder, "looking for leftovers in"):
        return sorted(instance_folder.glob(f"*/{layout.PARTIAL_PREFIX}*"))


def own_second(database_folder: Path) -> datetime:
    """Return the time, in a second that no backup there has in its name yet: names have no order within one.

    It waits for the next second once; a folder with names of all seconds to come holds nobody up.
    """
    now = utc_now()
    try:
        taken = any(one.name.startswith(layout.stamp(now)) for one in database_folder.iterdir())
    except OSError:
        return now  # there is none yet, or whoever makes it says what is wrong with it
    if taken:
        sleep(1 - now.microsecond / 1_000_000)
        now = utc_now()
    return now


class Publication:
    """One backup in the making, beside its final place; published by one rename or removed without trace."""

    def __init__(self, database_folder: Path, *, run_id: str, time: datetime) -> None:
        make_folder(database_folder)
        self._final = database_folder / layout.backup_folder(time, run_id)
        self._folder = database_folder / f"{layout.PARTIAL_PREFIX}{run_id}"
        make_folder(self._folder, durable=False)  # it lasts once it is published
        self._files: list[StoredFile] = []

    @property
    def backup_id(self) -> str:
        """The name of the backup's folder."""
        return self._final.name

    @property
    def final_folder(self) -> Path:
        """Where the backup will be once it is published."""
        return self._final

    def create(self, name: str) -> StoredFile:
        """Open a new archive for writing."""
        stored = StoredFile(self._folder / name)
        self._files.append(stored)
        return stored

    def sync(self) -> None:
        """Wait until all archives are on the disk, as `publish` does; raises `NotEnoughSpace` or `RepositoryError`."""
        for stored in self._files:
            stored.close()

    def publish(self, manifest: Mapping[str, Any], *, sign: Callable[[bytes], bytes] | None = None) -> Published:
        """Write signature, checksums and manifest, in this order, and give the folder its final name.

        `sign` returns the signature of the manifest's bytes. When it raises, the backup does not exist.
        """
        import hashlib

        self.sync()
        content = serialise(manifest)
        digest = hashlib.sha256(content).hexdigest()
        lines = [f"{digest}  {layout.MANIFEST_FILE}"]
        lines += [f"{archive['sha256']}  {archive['name']}" for archive in manifest["archives"]]
        if sign is not None:
            signature = sign(content)
            lines.append(f"{hashlib.sha256(signature).hexdigest()}  {layout.SIGNATURE_FILE}")
            write_file(self._folder / layout.SIGNATURE_FILE, signature)
        write_file(self._folder / layout.CHECKSUM_FILE, ("\n".join(lines) + "\n").encode("ascii"))
        write_file(self._folder / layout.MANIFEST_FILE, content)
        sync_folder(self._folder)
        return Published(self._final, digest, warning=publish_folder(self._folder, self._final))

    def abandon(self) -> None:
        """Remove what was written; an empty database folder goes too. Harmless after `publish`."""
        for stored in self._files:
            stored.discard()
        remove_tree(self._folder)
        with suppress(OSError):  # it holds earlier backups, or this one
            self._final.parent.rmdir()


def space_of(path: Path) -> tuple[int, int] | None:
    """Return the bytes that this user may still write on the filesystem of `path`, and its size; None without one."""
    try:
        state = os.statvfs(path)
    except OSError:
        return None
    return state.f_bavail * state.f_frsize, state.f_blocks * state.f_frsize


def require_room_for_files(path: Path, wanted: int) -> None:
    """Raise `NotEnoughSpace` where the filesystem of `path` has no room for so many more files, whatever is free."""
    with storage_errors(path, "reading the free space of"):
        state = os.statvfs(path)
    if state.f_files and state.f_favail < wanted:  # some filesystems count none
        raise NotEnoughSpace(
            f"{path}: the filesystem has no room for more files ({state.f_favail} inodes are free); remove files, or "
            "move the repository"
        )


def free_bytes(path: Path) -> int:
    """Return the bytes that this user may still write on the filesystem of `path`."""
    with storage_errors(path, "reading the free space of"):
        state = os.statvfs(path)
    return state.f_bavail * state.f_frsize
