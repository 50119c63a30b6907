# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What this host knows of a copy without asking its store: which backups are there, and when they arrived.

Below `<state_dir>/copies/NAME/` lie `shadow`, the small files of the copy in the layout of a repository, and
`arrivals.json`, what the clock and the versions of the store say of each manifest in it.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from ..system.files import read_small_file, remove_file
from ..system.json_text import count, read_json
from ..system.text import parse_iso
from . import layout
from .catalogue import LARGEST_MANIFEST
from .files import make_folder, remove_tree, replace_file, storage_errors
from .problems import Problems

ARRIVALS_FILE = "arrivals.json"
REMOVED_FOLDER = ".removed"  # of a database in a shadow: the checksums of the manifests of what was removed from a copy
_LARGEST_NOTE = 64  # bytes
_LARGEST_ARRIVALS = 256 << 20  # bytes; 100,000 backups need about 20 MiB
_LONGEST_VERSION = 2000  # characters


@dataclass(frozen=True)
class Arrived:
    """What the store says of a manifest: when its first version arrived, by the store's clock, and what came later.

    `later` counts the versions and removals after the first one; `current` says whether its name still leads to it.
    """

    time: datetime | None = None
    version: str | None = None
    later: int = 0
    current: bool = True

    @property
    def tampered(self) -> bool:
        """Whether somebody wrote over it or removed it; no run of ours ever does."""
        return self.later > 0 or not self.current


def copy_folder(state_dir: str, name: str) -> Path:
    """Return the folder of what is known of a copy."""
    return Path(state_dir, "copies", name)


def shadow_folder(state_dir: str, name: str) -> Path:
    """Return the folder that has the small files of a copy, in the layout of a repository."""
    return copy_folder(state_dir, name) / "shadow"


def read_arrivals(folder: Path, problems: Problems) -> dict[str, Arrived]:
    """Return when the backups of a copy arrived, by their places `host/instance/database/id`.

    `folder` is that of `copy_folder`. Without a file that can be read nothing has arrived, and that is a problem where
    there is one.
    """
    path = folder / ARRIVALS_FILE
    try:
        values = read_json(read_small_file(path, _LARGEST_ARRIVALS))
        return {str(place): _arrived(entry) for place, entry in values.items()}
    except FileNotFoundError:
        return {}
    except OSError as error:
        problems.add_unreadable(path, error)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        problems.add(f"{path} does not count: it does not say when backups arrived ({error!r}); refresh the copy")
    return {}


def is_copied(backup: Path, copied: Path) -> bool:
    """Return whether the backup in the folder `backup` is, or was, the one in `copied`, its folder in a shadow.

    The manifests are compared, which have the checksums of all the rest; a name alone could be taken by others.
    """
    try:
        ours = read_small_file(backup / layout.MANIFEST_FILE, LARGEST_MANIFEST)
        if _exists(copied):
            return ours == read_small_file(copied / layout.MANIFEST_FILE, LARGEST_MANIFEST)
        return hashlib.sha256(ours).hexdigest().encode("ascii") == read_small_file(_note(copied), _LARGEST_NOTE)
    except OSError:
        return False


def missing_in(database_folder: Path, copied: Path) -> list[str]:
    """Return the ids of the backups in the folder of a database that never were in `copied`, the same one in a shadow.

    What cannot be listed has none: whoever looks for more says so.
    """
    there = {name for name in _backups(copied) if _exists(copied / name)} | _backups(copied / REMOVED_FOLDER)
    return sorted(_backups(database_folder) - there)


def take_out(copied: Path) -> None:
    """Let a backup that is removed from a copy be in the shadow no more, but note that it was there.

    So it is not sent again while it still is on this host, and nothing waits for it. Raises `RepositoryError` or
    `NotEnoughSpace`.
    """
    with storage_errors(copied, "reading"), suppress(FileNotFoundError):
        digest = hashlib.sha256(read_small_file(copied / layout.MANIFEST_FILE, LARGEST_MANIFEST)).hexdigest()
        make_folder(_note(copied).parent)
        replace_file(_note(copied), digest.encode("ascii"))
    remove_tree(copied)


def forget(copied: Path) -> None:
    """Forget that a backup was in a copy once: it is not on this host either, so nobody asks any more."""
    with suppress(OSError):
        remove_file(_note(copied))


def _arrived(entry: Mapping[str, Any]) -> Arrived:
    time, version, current = entry.get("time"), entry.get("version"), entry.get("current", True)
    if not isinstance(current, bool):
        raise ValueError(f"{str(current)[:50]!r} is neither true nor false")
    if version is not None and (not isinstance(version, str) or len(version) > _LONGEST_VERSION):
        raise ValueError(f"{str(version)[:50]!r} is no version")
    return Arrived(
        time=None if time is None else parse_iso(time),
        version=version,
        later=count(entry.get("later", 0)),
        current=current,
    )


def _backups(folder: Path) -> set[str]:
    try:
        return {name for name in os.listdir(folder) if layout.parse_backup_folder(name)}  # noqa: PTH208  names, not paths
    except OSError:
        return set()


def _note(copied: Path) -> Path:
    return copied.with_name(REMOVED_FOLDER) / copied.name


def _exists(folder: Path) -> bool:
    return os.path.lexists(folder / layout.MANIFEST_FILE)
