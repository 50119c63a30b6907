# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many drills, one after the other: what goes wrong in one is kept with its reason and stops none of the others."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from backupdb.credentials.secrets import Secrets
from backupdb.drill import run as drill
from backupdb.drill.one_backup import failed
from backupdb.drill.request import OLDEST_UNPROVEN, DrillRequest, choose
from backupdb.drill.restore import DrillContext
from backupdb.errors import BackupDbError, ClientMissing, Interrupted, RequirementMissing
from backupdb.jobs import steps
from backupdb.jobs.definition import job_from
from backupdb.repository import listing
from backupdb.repository.catalogue import Filter
from backupdb.repository.copy_source import CopySource
from backupdb.repository.drill_records import (
    drill_file,
    forget_attempt,
    last_tried,
    note_attempt,
    proven,
    write_drill,
)
from backupdb.repository.place import Place
from backupdb.repository.problems import Problems
from backupdb.repository.removal import remove_files, take_name
from backupdb.repository.stores.settings import copy_from
from backupdb.system.text import iso, utc_now
from support.stored import RUN, TIME, store

RECORD = {"finished": "2026-11-25T00:00:00Z"}
Drill = Callable[[DrillContext], dict[str, Any]]


def three_backups(root: Path) -> list[Path]:
    """Backups of three databases, the oldest first."""
    return [store(root, name, time=TIME + timedelta(days=day)).folder for day, name in enumerate("abc")]


def request(root: Path, **options: Any) -> DrillRequest:
    return DrillRequest(repository=str(root), **{"select": "all", **options})


def chosen(root: Path, count: int = 1) -> list[Path]:
    return [
        one.folder
        for one in choose(request(root, select=OLDEST_UNPROVEN, count=count), Place(root, str(root)), Problems())
    ]


def drills(monkeypatch: pytest.MonkeyPatch, faults: dict[str, BaseException]) -> None:
    """Let the drill of each of these databases end with this fault, and all others well."""

    def one(context: DrillContext) -> dict[str, Any]:
        if str(context.backup.database) in faults:
            fault = faults[str(context.backup.database)]
            if isinstance(fault, ClientMissing):
                return failed(context.backup, fault)
            raise fault
        return {**failed(context.backup, BackupDbError("")), "verdict": "equal", "error": None, "error_kind": None}

    monkeypatch.setattr(drill, "drill_one", one)


@pytest.mark.parametrize(
    ("fault", "kept"),
    [
        (Interrupted("another part failed"), True),
        (KeyError("something that nobody thought of"), True),
        (OSError(5, "Input/output error"), True),
        (ClientMissing("install a server"), False),
        (RequirementMissing("a library is missing", library="pymysql"), False),
    ],
)
def test_a_drill_that_ends_badly_stops_no_other_and_leaves_its_reason(
    root: Path, monkeypatch: pytest.MonkeyPatch, fault: BaseException, kept: bool
) -> None:
    folders = three_backups(root)
    drills(monkeypatch, {"b": fault})
    result = drill.run(request(root))
    entries = {entry["database"]: entry for entry in result["drills"]}
    assert {name: entry["verdict"] for name, entry in entries.items()} == {"a": "equal", "b": "failed", "c": "equal"}
    assert (result["status"], result["proven"]) == ("failed", 2)
    assert (entries["b"]["record"] is not None) is kept
    assert entries["b"]["error"]
    assert [proven(folder) for folder in folders] == [True, False, True]
    assert last_tried(folders[1]) is not None
    if not kept:
        note = json.loads((folders[1].parent / ".drills" / f"{folders[1].name}.attempt.json").read_bytes())
        assert note["error"] == entries["b"]["error"]


def test_a_library_that_every_drill_lacks_is_raised_so_that_all_can_be_tried_elsewhere(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    three_backups(root)
    drills(monkeypatch, {name: RequirementMissing("a library is missing", library="pymysql") for name in "abc"})
    with pytest.raises(RequirementMissing):
        drill.run(request(root))


def test_a_record_of_a_drill_from_a_copy_is_put_into_the_copy_for_other_hosts(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = three_backups(root)
    copy = copy_from({"name": "disk", "type": "local", "path": str(root)}, "copy")
    sources = [CopySource(copy, str(tmp_path / name)) for name in ("mine", "others")]
    drills(monkeypatch, {"b": BackupDbError("the archive is cut")})
    result = drill.run(DrillRequest(copy=sources[0], select="all"))
    for entry, folder in zip(sorted(result["drills"], key=lambda one: one["database"]), folders):
        (there,) = folder.glob("drill-*.json")
        assert entry["record_in_copy"] == str(there)
        assert there.read_bytes() == Path(entry["record"]).read_bytes()
        assert Path(entry["record"]).is_relative_to(tmp_path / "mine")
    assert result["warnings"] == []
    shown = listing.collect(None, Filter(), sources[1])
    assert {one["database"]: one["proven"] for one in shown["backups"]} == {"a": True, "b": False, "c": True}
    assert shown["problems"] == []


def test_a_record_that_cannot_be_put_into_the_copy_stays_here_and_that_is_told(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b, _c = three_backups(root)
    copy = CopySource(copy_from({"name": "disk", "type": "local", "path": str(root)}, "copy"), str(tmp_path / "mine"))

    def one(context: DrillContext) -> dict[str, Any]:
        if context.backup.database == "a":  # somebody else has taken the name, and a prune comes in between
            (a / drill_file(RECORD)).write_bytes(b"{}")
        if context.backup.database == "b":
            (b / "manifest.json").unlink()
        return {**failed(context.backup, BackupDbError("")), "verdict": "equal", "error": None, **RECORD}

    monkeypatch.setattr(drill, "drill_one", one)
    result = drill.run(DrillRequest(copy=copy, select="all"))
    assert (result["status"], result["proven"]) == ("ok", 3)
    kept = {entry["database"]: (bool(entry["record"]), bool(entry["record_in_copy"])) for entry in result["drills"]}
    assert kept == {"a": (True, False), "b": (True, False), "c": (True, True)}
    assert (a / drill_file(RECORD)).read_bytes() == b"{}"
    assert not [path for path in b.parent.iterdir() if path != b]
    gone, taken = sorted(result["warnings"], key=lambda line: "replaced" in line)
    assert "nothing is ever replaced" in taken
    assert "was removed meanwhile" in gone


def test_the_oldest_unproven_are_those_never_tried_then_those_tried_longest_ago(root: Path) -> None:
    a, b, c = three_backups(root)
    assert chosen(root, 9) == [a, b, c]
    note_attempt(a, utc_now())  # it began and was ended from outside, or this host could not do it
    assert chosen(root, 9) == [b, c, a]
    write_drill(b, {"schema": 1, "backup_id": b.name, "verdict": "failed", "finished": iso(utc_now())})
    assert chosen(root, 1) == [c]
    note_attempt(a, utc_now() + timedelta(minutes=1))
    assert chosen(root, 9) == [c, b, a]
    write_drill(c, {"schema": 1, "backup_id": c.name, "verdict": "equal", "finished": iso(utc_now())})
    assert chosen(root, 9) == [b, a]


def test_a_backup_that_fails_for_ever_keeps_no_other_waiting(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folders = three_backups(root)
    drills(monkeypatch, {"a": ClientMissing("install a server")})
    tried = [drill.run(request(root, select=OLDEST_UNPROVEN))["drills"][0]["database"] for _number in range(4)]
    assert tried == ["a", "b", "c", "a"]
    assert [proven(folder) for folder in folders] == [False, True, True]


def test_a_job_with_nothing_unproven_is_well(root: Path) -> None:
    folder = three_backups(root)[0]
    entry = {"instance": "shop-db", "host": "db1", "repository": str(root), "login_host": "x", "engine": "postgresql"}
    job = {"schema": 1, "name": "daily", "backups": [entry], "drill": {"every": "7d", "select": OLDEST_UNPROVEN}}
    parsed = job_from({**job, "state_dir": str(root)}, "job")
    for one in folder.parents[1].glob("*/*"):
        write_drill(one, {"schema": 1, "backup_id": one.name, "verdict": "equal", "finished": iso(utc_now())})
    assert parsed.drill is not None
    result = steps.prove(parsed, parsed.drill, Secrets())
    assert (result["status"], result["drills"]) == ("ok", [])


def test_what_is_noted_of_a_drill_goes_with_its_backup(root: Path) -> None:
    a, b, _c = three_backups(root)
    second = store(root, "a", time=TIME + timedelta(days=9), run_id=RUN).folder
    for folder in (a, b, second):
        note_attempt(folder, utc_now())
    assert remove_files(a.parent, [take_name(a)], threading.Event()) == []
    assert [path.name for path in (second.parent / ".drills").iterdir()] == [f"{second.name}.attempt.json"]
    forget_attempt(b)
    assert not (b.parent / ".drills").exists()
    assert last_tried(b) is None
