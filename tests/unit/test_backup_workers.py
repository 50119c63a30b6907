# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How many backups of a run are under way at once, and what a wait for the disk does to the others."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from backupdb.archives.envelope import Compression, Encryption
from backupdb.backup.plan import PlannedBackup
from backupdb.backup.request import BackupRequest, Selection
from backupdb.backup.workers import Slots, Task, carry_out
from backupdb.connection.instance import Instance
from backupdb.engines.values import DumpOptions
from backupdb.errors import Interrupted
from backupdb.hooks.values import AFTER, DATABASE, Hook
from backupdb.repository.subject import Subject

PATIENCE = 20.0  # seconds
HOOK = Hook(AFTER, DATABASE, ("/bin/true",), None, (), 10.0, True)


@pytest.fixture
def request_of_one_worker(tmp_path: Path) -> BackupRequest:
    return BackupRequest(
        instance=Instance(id="main", engine="mariadb"),
        selection=Selection(),
        dump=DumpOptions(),
        encryption=Encryption("none"),
        compression=Compression("none"),
        repository=str(tmp_path),
        host="db1",
        workers=1,
    )


class Backups:
    """Backups that wait for the disk until all of them do."""

    def __init__(self, count: int) -> None:
        self.dumping = 0
        self.most = 0
        self.on_disk = threading.Event()
        self.waiting: list[str] = []
        self._guard = threading.Lock()
        self.tasks = [self._task(f"db{number}", count) for number in range(count)]

    def _task(self, name: str, count: int) -> Task:
        def work(_waits: Callable[[bool], None], dumped: Callable[[], None]) -> Any:
            with self._guard:
                self.dumping += 1
                self.most = max(self.most, self.dumping)
            with self._guard:
                self.dumping -= 1
            dumped()
            self.waiting.append(name)
            if len(self.waiting) == count:
                self.on_disk.set()
            self.on_disk.wait(PATIENCE)

        return Task(PlannedBackup(Subject(name), None, None, None, None), work)


def test_the_next_one_begins_while_one_waits_for_the_disk(request_of_one_worker: BackupRequest) -> None:
    backups = Backups(2)
    carry_out(backups.tasks, request_of_one_worker, threading.Event(), lambda: None)
    assert backups.on_disk.is_set()
    assert backups.most == 1
    assert [task.result is not None and task.result.error for task in backups.tasks] == [None, None]


def test_no_more_than_one_for_each_worker_wait_for_the_disk(request_of_one_worker: BackupRequest) -> None:
    backups, cancel = Backups(3), threading.Event()
    seen: list[int] = []

    def look() -> None:
        seen.append(len(backups.waiting))
        if len(seen) == 3:
            backups.on_disk.set()

    carry_out(backups.tasks, request_of_one_worker, cancel, look)
    assert seen[:3] == [2, 2, 2]
    assert len(backups.waiting) == 3


def test_with_hooks_for_databases_one_is_over_before_the_next_begins(request_of_one_worker: BackupRequest) -> None:
    backups = Backups(2)
    seen: list[int] = []

    def look() -> None:
        seen.append(len(backups.waiting))
        if len(seen) == 2:
            backups.on_disk.set()

    carry_out(backups.tasks, replace(request_of_one_worker, hooks=(HOOK,)), threading.Event(), look)
    assert seen[:2] == [1, 1]
    assert len(backups.waiting) == 2


def test_whoever_waits_for_a_slot_heeds_the_order_to_stop() -> None:
    cancel = threading.Event()
    slots = Slots(1, cancel)
    with slots.taken():
        cancel.set()
        with pytest.raises(Interrupted, match="asked to stop"), slots.taken():
            pass
    with slots.taken() as give_back:
        give_back()
        with slots.taken():
            pass
