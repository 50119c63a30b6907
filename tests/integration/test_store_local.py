# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Copies in a folder of this host."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import pytest
from backupdb.errors import StoreError
from backupdb.repository.stores.interface import NO, YES, Store
from backupdb.repository.stores.patience import Patience
from backupdb.repository.stores.registry import open_store
from backupdb.repository.stores.settings import copy_from
from support.store_compliance import PLACE, Counted, backup_of, listed, send
from support.tree_compliance import ARRIVING, FarFolder, TreeCompliance


class _Folder(FarFolder):
    sent_again: ClassVar[int] = 2 << 20  # what was handed over, and not written, when it was killed

    def __init__(self, root: Path) -> None:
        self.root = root
        self.owner = os.geteuid()

    def open(self, patience: Patience) -> Store:
        return open_store(copy_from(self.options, "copies[0]"), patience)

    def break_connections(self) -> None:
        """There are none."""

    @property
    def options(self) -> dict[str, Any]:
        return {"name": "disk", "type": "local", "path": str(self.root)}


@pytest.fixture
def far(scratch: Path) -> _Folder:
    root = scratch / "disk"
    root.mkdir(mode=0o700)
    return _Folder(root)


class TestLocalStore(TreeCompliance):
    """A folder on the same disk behaves as one on another."""


def test_a_part_that_is_not_what_was_sent_is_begun_anew(far: _Folder, scratch: Path) -> None:
    uploads = backup_of(scratch, size=3_000_000)
    name = uploads[0].name.rpartition("/")[2]
    for part in (b"x" * 2_000_000, b"x" * 3_000_000):
        far.plant(f"{ARRIVING}/{name}", part)
        send(far.open(Patience(5)), uploads)
        assert far.content(uploads[0].name) == uploads[0].path.read_bytes()
        store = far.open(Patience(5))
        store.remove(PLACE, list(store.entries()))


def test_a_part_that_is_what_was_sent_is_gone_on_with(far: _Folder, scratch: Path) -> None:
    uploads = backup_of(scratch, size=3_000_000)
    name = uploads[0].name.rpartition("/")[2]
    far.plant(f"{ARRIVING}/{name}", uploads[0].path.read_bytes()[:2_999_000])
    assert send(far.open(Patience(5)), uploads).sent == sum(upload.size for upload in uploads) - 2_999_000


def test_another_archive_of_the_same_size_in_a_finished_copy_is_told(far: _Folder, scratch: Path) -> None:
    uploads = backup_of(scratch)
    send(far.open(Patience(5)), uploads)
    far.plant(uploads[0].name, b"x" * uploads[0].size)
    with pytest.raises(StoreError, match="nothing is ever replaced"):
        send(far.open(Patience(5)), uploads)


def test_a_full_disk_is_told_and_what_fits_stays_for_the_next_run(
    small_tmpfs: Callable[[str], Path], scratch: Path
) -> None:
    far = _Folder(small_tmpfs("6M"))
    uploads = backup_of(scratch, size=5_000_000)
    with pytest.raises(StoreError, match=r"that filesystem is full \(0 B free\); free space there"):
        send(far.open(Patience(5)), uploads)
    assert listed(far.open(Patience(5))) == []
    sent = Counted()
    with pytest.raises(StoreError, match="full"):
        send(far.open(Patience(5)), uploads, sent)
    assert sent.sent <= 2 << 20


def test_a_folder_on_the_disk_of_the_system_is_told(far: _Folder, small_tmpfs: Callable[[str], Path]) -> None:
    mounted = _Folder(small_tmpfs("1M"))
    known = [{right.name: right.known for right in each.open(Patience(1)).rights()} for each in (far, mounted)]
    assert [rights["own disk"] for rights in known] == [NO, YES]
