# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where backups are read: a repository on this host, or a copy, which is read through its shadow."""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from ..errors import InvalidOption, StoreRefused
from ..system.text import utc_now
from . import layout
from .archive_files import CopiedFiles
from .budget import Budget
from .catalogue import StoredBackup
from .copy_source import CopySource
from .find import BackupSelector, SelectedBackup, find
from .problems import Problems
from .shadow import Shadow, make_folders, remove_home
from .stores.interface import Store
from .stores.patience import Patience
from .stores.registry import open_store

_DEPTH = 4  # host, instance, database, backup


@dataclass(frozen=True)
class Place:
    """Where backups are read: `root` is a repository, or looks like one. `problems` are those of a copy's catalogue.

    `budget` is what may be read of a copy, where what it is read for can wait.
    """

    root: Path
    where: str
    problems: Sequence[str] = ()
    store: Store | None = None
    patience: Patience | None = None
    budget: Budget | None = None

    def allowance(self, problems: Problems) -> int | None:
        """Return how many bytes may be read here this month; None: as many as are wanted."""
        return None if self.budget is None else self.budget.allowance(utc_now(), problems)

    def adopt(self, backup: StoredBackup) -> StoredBackup:
        """Return a backup that was found here as one whose archives can be read."""
        if self.store is None or self.patience is None:
            return backup
        place = "/".join(backup.folder.parts[-_DEPTH:])
        spend = None if self.budget is None or self.budget.limit is None else self.budget.note
        return replace(backup, copied=CopiedFiles(self.store, place, self.patience, spend))


@contextmanager
def open_place(
    repository: str | None,
    copy: CopySource | None,
    *,
    host: str | None = None,
    instance: str | None = None,
    cancel: threading.Event | None = None,
    can_wait: bool = False,
) -> Iterator[Place]:
    """Open a repository, or a copy, after a look at what is new there.

    `host` and `instance`, where they are exact names, spare a look at the others. What `can_wait`, as a verification,
    has the budget of the copy; a restore has none. Raises `InvalidOption` for both or none of the places, `StoreError`,
    and what opening the store raises.
    """
    if copy is None:
        if repository is None:
            raise InvalidOption("say where the backups are: in a repository, or in a copy")
        yield Place(Path(repository), repository)
        return
    if repository is not None:
        raise InvalidOption("repository and copy both say where the backups are; remove one of them")
    patience = Patience(copy.settings.patience, cancel)
    with closing(open_store(copy.settings, patience)) as store, _home(copy) as home:
        root, problems = _refreshed(home, store, patience, _under(host, instance))
        budget = Budget(home, copy.settings.verify_budget) if can_wait else None
        yield Place(root, store.where(), problems, store, patience, budget)


def _refreshed(home: Path, store: Store, patience: Patience, under: str) -> tuple[Path, Sequence[str]]:
    """Look at the store, and return what looks like a repository, and what is wrong.

    A key that may not list it shows what this host has sent. When each backup arrived is not kept in memory.
    """
    shadow = Shadow(home)
    try:
        return shadow.root, shadow.refresh(store, patience, under=[under])
    except StoreRefused as error:
        if not shadow.arrivals.of:
            raise
        return shadow.root, [f"{error}; this is what is known here, and was sent by this host"]


@contextmanager
def _home(copy: CopySource) -> Iterator[Path]:
    """Use the shadow that is kept, or where it is another user's a passing one."""
    home = copy.home()
    if is_mine(home):
        make_folders(home)
        yield home
        return
    passing = Path(tempfile.mkdtemp(prefix="backupdb-copy-"))
    try:
        yield passing
    finally:
        remove_home(passing)


def is_mine(home: Path) -> bool:
    """Tell whether this user may keep a shadow there: he owns it, or the nearest folder above that is there."""
    there = next((path for path in (home, *home.parents) if path.exists()), Path("/"))
    return there.stat().st_uid == os.geteuid() and os.access(there, os.W_OK)


def _under(host: str | None, instance: str | None) -> str:
    """Return the folder of exact names; patterns are looked for everywhere."""
    if host is None or _is_pattern(host):
        return ""
    if instance is None or _is_pattern(instance):
        return layout.encode_name(host)
    return f"{layout.encode_name(host)}/{layout.encode_name(instance)}"


def _is_pattern(name: str) -> bool:
    return any(character in name for character in "*?[")


@contextmanager
def find_in_place(
    repository: str | None, copy: CopySource | None, wanted: BackupSelector, cancel: threading.Event | None = None
) -> Iterator[SelectedBackup]:
    """Find one backup by its path, or in a repository or a copy, and keep the place open while it is read.

    Raises as `find` and `open_place` do.
    """
    if copy is None:
        yield find(None if repository is None else Path(repository), wanted)
        return
    if wanted.path is not None:
        raise InvalidOption("the path of a backup is one of this host; to read from a copy, name instance and database")
    with ExitStack() as opened:
        place = opened.enter_context(
            open_place(repository, copy, host=wanted.host, instance=wanted.instance, cancel=cancel)
        )
        found = find(place.root, wanted)
        yield SelectedBackup(place.adopt(found.backup), [*place.problems, *found.warnings])
