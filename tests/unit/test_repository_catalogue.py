# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading a whole repository: filters, order, what cannot be read, and how many are no trouble."""

from __future__ import annotations

import json
import os
import shutil
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from backupdb.errors import RepositoryError
from backupdb.repository import listing as overview
from backupdb.repository.catalogue import Filter, Problems, read_all, read_wanted
from backupdb.repository.drill_records import write_drill
from backupdb.system.text import iso, utc_now
from support.stored import TIME, store

HOUR = timedelta(hours=1)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    store(tmp_path, "shop", time=TIME, run_id="a" * 32)
    store(tmp_path, "shop", time=TIME + HOUR, run_id="b" * 32, status="partial", missing=["view v"])
    store(tmp_path, "Shop/2 [old]", time=TIME + 2 * HOUR, run_id="c" * 32)
    store(tmp_path, None, time=TIME + 3 * HOUR, run_id="c" * 32)
    store(tmp_path, "wiki", host="db2", instance="wiki-db", time=TIME + 4 * HOUR, run_id="d" * 32)
    return tmp_path


def names(root: Path, **wanted: Any) -> list[str]:
    """The first letter of each backup's run, newest first; nothing may be wrong."""
    problems = Problems()
    found = [backup.manifest["run_id"][0] for backup in read_all(root, problems=problems, **wanted)]
    assert problems.lines == []
    return found


def test_all_backups_come_newest_first_across_hosts_instances_and_databases(repository: Path) -> None:
    assert names(repository) == ["d", "c", "c", "b", "a"]


@pytest.mark.parametrize(
    ("wanted", "runs"),
    [
        ({"host": "db2"}, "d"),
        ({"host": "db?"}, "dccba"),
        ({"instance": "shop*"}, "ccba"),
        ({"database": "shop"}, "ba"),
        ({"database": "Shop/2 [old]"}, "c"),
        ({"database": "Shop*"}, "c"),
        ({"database": "nothing"}, ""),
        ({"kind": "accounts"}, "c"),
        ({"kind": "database", "host": "db1"}, "cba"),
        ({"status": "partial"}, "b"),
        ({"since": TIME + 2 * HOUR}, "dcc"),
        ({"since": TIME + 2 * HOUR + timedelta(microseconds=1)}, "dc"),
        ({"until": TIME + HOUR}, "ba"),
        ({"since": TIME + HOUR, "until": TIME + 2 * HOUR}, "cb"),
    ],
)
def test_a_filter_compares_true_names_and_times(repository: Path, wanted: dict[str, Any], runs: str) -> None:
    assert "".join(names(repository, **wanted)) == runs


def test_a_backup_is_proven_by_its_newest_drill(repository: Path) -> None:
    proven, refuted, _accounts = names_to_folders(repository)[:3]
    for folder, verdicts in ((proven, ("failed", "equal")), (refuted, ("equal, expressions rewritten", "different"))):
        for hour, verdict in enumerate(verdicts):
            record = {"schema": 1, "backup_id": folder.name, "verdict": verdict, "finished": iso(TIME + hour * HOUR)}
            write_drill(folder, record)
    assert [backup.folder for backup in read_all(repository, proven=True, problems=Problems())] == [proven]
    assert len(names(repository, proven=False)) == 4


def names_to_folders(root: Path) -> list[Path]:
    return [backup.folder for backup in read_all(root, problems=Problems())]


def test_what_is_damaged_or_foreign_is_reported_and_neither_fatal_nor_hidden(repository: Path) -> None:
    shop = repository / "db1" / "shop-db" / "shop"
    (repository / "README").write_text("not a host")
    (repository / "lost+found").mkdir()
    (shop / "notes").mkdir()
    (shop / ".partial-0123").mkdir()
    damaged = {
        "20261124T100000Z-00000001": b"{",
        "20261124T100000Z-00000002": b"[" * 100_000,
        "20261124T100000Z-00000003": b"\xff\xfe",
        "20261124T100000Z-00000004": json.dumps({"schema": 1, "host": ""}).encode(),
        "20261124T100000Z-00000005": None,
        "20261124T100000Z-00000006": "fifo",
    }
    for name, content in damaged.items():
        (shop / name).mkdir()
        if content == "fifo":
            os.mkfifo(shop / name / "manifest.json")
        elif content is not None:
            (shop / name / "manifest.json").write_bytes(content)  # type: ignore[arg-type]
    copied = repository / "db1" / "shop-db" / "copy" / "20261120T050607Z-aaaaaaaa"
    shutil.copytree(shop / "20261120T050607Z-aaaaaaaa", copied)
    problems = Problems()
    found = list(read_wanted(repository, Filter(database="shop"), problems))
    assert len(found) == 3
    assert {path.name for path in problems.damaged} == set(damaged)
    for word in ("README", "notes", *damaged, f"{copied} holds a backup that belongs in {shop}"):
        assert len([line for line in problems.lines if word in line]) == 1, word
    assert not any("partial-" in line or "lost+found" in line for line in problems.lines)


def test_a_repository_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RepositoryError, match="mount it"):
        list(read_all(tmp_path / "nowhere", problems=Problems()))


def test_the_overview_has_what_one_wants_to_know_of_a_backup(repository: Path) -> None:
    soon = utc_now() + timedelta(days=1)
    store(repository, "wiki", host="db2", instance="wiki-db", time=soon, inventory={"tables": 3}, content=b"-- x")
    result = overview.collect(str(repository), Filter(database="wiki"))
    future, old = result["backups"]
    assert (future["future"], future["inventory"], future["archives"], future["encryption"]) == (
        True,
        {"tables": 3},
        1,
        ["none"],
    )
    assert future["age_seconds"] < 0 and future["stored_bytes"] > 0
    assert (old["future"], old["proven"], old["drill"], old["age_seconds"] > 0) == (False, False, None, True)
    assert (result["count"], result["problems"], result["damaged"]) == (2, [], [])


@pytest.mark.unmeasured
def test_ten_thousand_backups_are_read(tmp_path: Path) -> None:
    first = store(tmp_path, "db000", inventory={f"kind{number}": number for number in range(20)})
    manifest = json.loads((first.folder / "manifest.json").read_bytes())
    for database in range(100):
        for hour in range(100):
            moment = TIME + hour * HOUR
            folder = tmp_path / "db1" / "shop-db" / f"db{database:03}" / f"{moment:%Y%m%dT%H%M%SZ}-0123abcd"
            folder.mkdir(parents=True)
            changed = {"database": f"db{database:03}", "backup_id": folder.name, "started": iso(moment)}
            (folder / "manifest.json").write_text(json.dumps({**manifest, **changed}))
    shutil.rmtree(first.folder)
    began = time.monotonic()
    result = overview.collect(str(tmp_path), Filter())
    all_of_them = time.monotonic() - began
    assert (result["count"], result["problems"]) == (10_000, [])
    began = time.monotonic()
    assert next(read_all(tmp_path, problems=Problems(), database="db042")).database == "db042"
    print(f"10,000 backups: {all_of_them:.2f} s, the newest of one: {time.monotonic() - began:.2f} s")
