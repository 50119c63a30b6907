# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a backup is in a copy, and which a copy is to have at all."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path

from backupdb.copying.plan import CopyRequest, missing_in
from backupdb.repository.arrivals import Arrived
from backupdb.repository.copied import backup_ids, is_copied
from backupdb.repository.pins import write_pin
from backupdb.repository.problems import Problems
from backupdb.retention.policy import RetentionPolicy
from backupdb.retention.wanted import missing_by_name, unwanted
from backupdb.system.text import utc_now
from support.stored import TIME, rewrite_manifest, store

HOUR = timedelta(hours=1)


def test_a_backup_is_in_a_copy_when_its_own_manifest_is(root: Path, tmp_path: Path) -> None:
    shadow = tmp_path / "shadow"
    backups = [store(root, time=TIME + number * HOUR) for number in range(4)]
    shop = backups[0].folder.parent.relative_to(root)
    assert backup_ids(shadow / shop) == set()
    for backup in backups[:2]:
        shutil.copytree(backup.folder, shadow / backup.folder.relative_to(root))
    (shadow / shop / backups[2].folder.name).mkdir()
    (shadow / shop / "notes").mkdir()
    assert backup_ids(shadow / shop) == {backup.folder.name for backup in backups[:2]}
    copied = [shadow / backup.folder.relative_to(root) for backup in backups]
    assert [is_copied(backup.folder, place) for backup, place in zip(backups, copied)] == [True, True, False, False]
    rewrite_manifest(copied[1], warnings=["another"])
    assert not is_copied(backups[1].folder, copied[1])


def test_what_a_copy_would_let_go_at_once_is_not_sent_there(root: Path, tmp_path: Path) -> None:
    backups = [store(root, time=TIME + number * HOUR) for number in range(5)]
    store(root, "wiki")
    write_pin(backups[0].folder, "the audit", TIME)
    shadow = tmp_path / "shadow"

    def missing(policy: RetentionPolicy | None) -> list[str]:
        found = missing_in((), [CopyRequest(str(root))], Problems(), policy=policy, shadow=shadow)
        return [one.backup.folder.name for one in found if one.backup.database == "shop"]

    ids = [backup.folder.name for backup in backups]
    assert missing(None) == ids
    two = RetentionPolicy(keep_last=2)
    assert missing(two) == [ids[0], *ids[3:]]
    shop = backups[0].folder.parent
    assert missing_by_name(two, shop, shadow / "db1/shop-db/shop", utc_now()) == ids[3:]
    assert missing_by_name(None, shop, shadow / "db1/shop-db/shop", utc_now()) == ids
    # What only the copy has counts there as well.
    shadow.mkdir()
    store(shadow, time=TIME + 9 * HOUR)
    assert missing(two) == [ids[0], ids[4]]


def test_in_doubt_everything_is_wanted(root: Path, tmp_path: Path) -> None:
    stopped = RetentionPolicy(keep_last=1, max_age=1.0)
    for number in range(3):
        shop = store(root, time=TIME + number * HOUR).folder.parent
    assert len(missing_by_name(stopped, shop, tmp_path / "none", utc_now())) == 3
    assert unwanted(None, (), tmp_path, utc_now()) == frozenset()


def test_whoever_writes_over_a_manifest_or_removes_it_is_seen() -> None:
    assert not Arrived(TIME).tampered
    assert Arrived(TIME, later=1).tampered and Arrived(TIME, current=False).tampered
