# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the backups of a host cover, in which order they come back, and how long that takes."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from backupdb.connection.instance import Instance
from backupdb.engines.names import ENGINE_NAMES
from backupdb.engines.registry import engine_of
from backupdb.errors import BackupNotFound, InvalidOption
from backupdb.rebuild.choose import Chooser
from backupdb.rebuild.coverage import InstanceCoverage, look
from backupdb.rebuild.options import OPTIONS, rebuild_request_from
from backupdb.rebuild.order import Piece, carry_out, predicted
from backupdb.rebuild.predict import predict
from backupdb.rebuild.request import RebuildRequest
from backupdb.repository import last_run
from backupdb.repository.drill_records import write_drill
from backupdb.repository.place import Place
from backupdb.repository.problems import Problems
from backupdb.signatures.keys import write_signing_key
from backupdb.system.options import defaults_of
from backupdb.system.text import iso
from support.library import IDENTITY
from support.stored import DUMP, RUN, SEALED, TIME, store

OTHER_RUN = "f" * 32
HOUR = timedelta(hours=1)
SERVERS = {"shop-db": Instance(id="shop-db", engine="mariadb", host="127.0.0.1")}
ODD = "o d/d\udcff%41"


def covered(root: Path, **options: Any) -> tuple[InstanceCoverage, Problems]:
    """The one instance of the host in a repository."""
    request = RebuildRequest(host="db1", servers=SERVERS, repository=str(root), **options)
    problems = Problems()
    chooser = Chooser([Place(root, str(root))], (IDENTITY,), request.signed_by, request.at, problems)
    (found,) = look(request, chooser)
    return found, problems


def times(found: InstanceCoverage) -> dict[str, datetime | None]:
    return {one.name: one.chosen.backup.time if one.chosen.backup else None for one in found.databases}


def note_run(root: Path, *, present: list[str], failed: dict[str, str] | None = None, started: datetime) -> None:
    """The record of a run that backed up `shop` and failed with others."""
    entries = [{"name": "shop", "status": "complete", "error": None}]
    entries += [{"name": name, "status": "failed", "error": why} for name, why in (failed or {}).items()]
    sizes = {"plain_bytes": 1, "stored_bytes": 1, "duration": 1.0}
    result = {
        **sizes,
        "host": "db1",
        "instance": "shop-db",
        "run_id": RUN,
        "status": "partial",
        "engine": "mariadb",
        "server_version": "10.11.19",
        "databases": [{**entry, **sizes} for entry in entries],
        "accounts": None,
        "gone": [],
        "new": [],
    }
    folder = root / "db1" / "shop-db"
    assert last_run.write(folder, result, started=started, finished=started, present=present, faults={}) == []


def test_the_newest_backup_that_can_be_used_is_taken_whatever_databases_are_called(repository: Path) -> None:
    for name in ("shop", ODD):
        store(repository, name, content=DUMP, envelope=SEALED)
        store(repository, name, content=DUMP, envelope=SEALED, time=TIME + HOUR, run_id=OTHER_RUN)
    found, problems = covered(repository)
    assert times(found) == {"shop": TIME + HOUR, ODD: TIME + HOUR}
    assert (found.engine, found.version, found.not_covered, problems.lines) == ("mariadb", "10.11.19", {}, [])
    assert found.accounts.backup is None
    assert times(covered(repository, at=TIME)[0]) == {"shop": TIME, ODD: TIME}


def test_what_cannot_be_used_is_passed_over_and_named(repository: Path) -> None:
    store(repository, content=DUMP, envelope=SEALED)
    manifest = store(repository, content=DUMP, time=TIME + HOUR).folder / "manifest.json"
    manifest.write_bytes(b"{")
    missing = store(repository, content=DUMP, time=TIME + 2 * HOUR)
    (missing.folder / missing.manifest["archives"][0]["name"]).unlink()
    future = store(repository, content=DUMP, time=datetime.now(timezone.utc) + 48 * HOUR)
    (repository / "db1" / "shop-db" / "shop" / "notes").touch()
    found, problems = covered(repository)
    assert times(found) == {"shop": TIME}
    passed_over = found.databases[0].chosen.passed_over
    for folder in (manifest.parent, missing.folder, future.folder):
        assert sum(str(folder) in line for line in passed_over) == 1, passed_over
    assert len(passed_over) == 3
    assert ["notes" in line for line in problems.lines] == [True]


def test_with_signatures_demanded_what_is_unsigned_or_of_another_key_is_passed_over(
    repository: Path, scratch: Path
) -> None:
    ours, theirs = (write_signing_key(str(scratch / name)) for name in ("ours", "theirs"))
    store(repository, content=DUMP, key=ours)
    store(repository, content=DUMP, key=theirs, time=TIME + HOUR)
    store(repository, content=DUMP, time=TIME + 2 * HOUR)
    assert times(covered(repository)[0]) == {"shop": TIME + 2 * HOUR}
    found = covered(repository, signed_by=(ours.public,))[0]
    assert times(found) == {"shop": TIME}
    assert len(found.databases[0].chosen.passed_over) == 2


def test_the_last_run_tells_what_was_dropped_and_what_has_no_backup(repository: Path) -> None:
    store(repository, content=DUMP, time=TIME + HOUR)
    store(repository, "old", content=DUMP)
    note_run(
        repository,
        present=["shop", "broken", "unwanted", "mysql", "information_schema"],
        failed={"broken": "wrong flag"},
        started=TIME + HOUR,
    )
    found, _problems = covered(repository)
    assert {one.name: one.dropped is not None for one in found.databases} == {"shop": False, "old": True}
    assert set(found.not_covered) == {"broken", "unwanted"}
    assert "wrong flag" in found.not_covered["broken"]
    earlier, _problems = covered(repository, at=TIME + 2 * HOUR)
    assert all(one.dropped is None for one in earlier.databases)


def test_without_a_record_of_the_run_it_is_a_warning_that_something_may_have_been_dropped(repository: Path) -> None:
    store(repository, content=DUMP, time=TIME + HOUR, run_id=OTHER_RUN)
    store(repository, "old", content=DUMP)
    found, _problems = covered(repository)
    assert [line.split("'")[1] for line in found.warnings] == ["old"]
    assert all(one.dropped is None for one in found.databases)


def test_the_backups_of_safety_are_no_instance_of_the_host_and_another_host_is_named(repository: Path) -> None:
    store(repository, content=DUMP)
    store(repository, content=DUMP, instance="shop-db-before-restore")
    assert covered(repository)[0].name == "shop-db"
    request = RebuildRequest(host="db2", servers=SERVERS, repository=str(repository))
    chooser = Chooser([Place(repository, "the repository")], (), None, None, Problems())
    with pytest.raises(BackupNotFound, match="the repository has no backup of host 'db2'; it has 'db1'"):
        look(request, chooser)


def piece(name: str, seconds: float = 1.0, *needs: str) -> Piece:
    return Piece(("i", name), frozenset(("i", other) for other in needs), seconds)


def order_of(pieces: list[Piece], at_once: int = 1) -> list[str]:
    """The names in the order in which they were begun."""
    begun: list[str] = []
    carry_out(pieces, lambda one: begun.append(one.key[1]), at_once=at_once, cancel=threading.Event())
    return begun


def test_the_largest_comes_first_after_what_it_needs_and_a_circle_holds_nobody_up() -> None:
    assert order_of([piece("a", 1), piece("b", 3), piece("c", 2)]) == ["b", "c", "a"]
    assert order_of([piece("view", 9, "base"), piece("base", 1), piece("c", 5)]) == ["c", "base", "view"]
    assert order_of([piece("a", 1, "b"), piece("b", 2, "a"), piece("c", 3, "c")]) == ["c", "b", "a"]
    assert sorted(order_of([piece(str(number)) for number in range(20)], 4)) == sorted(map(str, range(20)))
    assert order_of([]) == []


def test_what_is_needed_has_ended_before_and_others_go_on_beside_it() -> None:
    ended: list[str] = []
    seen: dict[str, list[str]] = {}

    def work(one: Piece) -> None:
        seen[one.key[1]] = list(ended)
        time.sleep(0.05)
        ended.append(one.key[1])

    pieces = [piece("view", 9, "base"), piece("base", 1), piece("other", 1)]
    carry_out(pieces, work, at_once=3, cancel=threading.Event())
    assert "base" in seen["view"]
    assert seen["base"] == seen["other"] == []


def test_once_it_is_told_to_stop_nothing_is_begun_any_more() -> None:
    cancel = threading.Event()
    begun: list[str] = []

    def work(one: Piece) -> None:
        begun.append(one.key[1])
        cancel.set()

    carry_out([piece("a", 2), piece("b", 1)], work, at_once=1, cancel=cancel)
    assert begun == ["a"]


@pytest.mark.parametrize(
    ("pieces", "at_once", "seconds"),
    [
        ([], 2, 0.0),
        ([piece("a", 4), piece("b", 3), piece("c", 2)], 1, 9.0),
        ([piece("a", 4), piece("b", 3), piece("c", 2)], 2, 5.0),
        ([piece("view", 4, "base"), piece("base", 3)], 2, 7.0),
    ],
)
def test_the_time_for_all_is_that_of_the_order(pieces: list[Piece], at_once: int, seconds: float) -> None:
    assert predicted(pieces, at_once) == seconds


def test_the_time_of_a_database_is_that_of_its_drill_or_by_the_rate(repository: Path) -> None:
    drilled = store(repository, content=DUMP)
    backup = store(repository, content=DUMP + DUMP, time=TIME + HOUR)
    folder = backup.folder.parent
    assert predict(backup, folder, len(DUMP)).source == "rate"
    assert predict(backup, folder, len(DUMP)).seconds == 3.0
    record = {"schema": 1, "backup_id": drilled.folder.name, "verdict": "equal", "finished": iso(TIME + HOUR)}
    write_drill(drilled.folder, {**record, "seconds": {"decrypt": 1.0, "restore": 4.0, "compare": 1.0}})
    found = predict(backup, folder, len(DUMP))
    assert (found.source, found.seconds) == ("drill", 10.0)


@pytest.mark.parametrize("seconds", [None, [], {}, {"restore": "4"}, {"restore": True}, {"restore": -1.0}])
def test_a_record_that_somebody_made_up_predicts_nothing(repository: Path, seconds: Any) -> None:
    backup = store(repository, content=DUMP)
    record = {"schema": 1, "backup_id": backup.folder.name, "verdict": "equal", "finished": iso(TIME)}
    write_drill(backup.folder, {**record, "seconds": seconds})
    assert predict(backup, backup.folder.parent, 1 << 20).source == "rate"


def test_every_engine_names_needed_databases_of_any_manifest() -> None:
    for name in ENGINE_NAMES:
        engine = engine_of(name)
        for outside in (None, "x", 5, {}, [5, {}, {"database": "base"}]):
            assert engine.needed_databases({"engine_details": {"outside": outside}}) <= {"base"}
    assert engine_of("mariadb").needed_databases({"engine_details": {"outside": [{"database": "base"}]}}) == {"base"}


def options(**changes: Any) -> dict[str, Any]:
    server = {**defaults_of(OPTIONS["servers"].options or {}), "instance": "i", "engine": "mariadb", "login_host": "h"}
    return {**defaults_of(OPTIONS), "repository": "/srv", "host": "db1", "servers": [server], **changes}


def test_options_reach_the_library_as_they_were_meant() -> None:
    request = rebuild_request_from(options(confirm="", at="2026-11-24T03:15:00+01:00", rate="1M"))
    assert (request.confirm, request.rate, request.jobs) == (None, 1 << 20, 2)
    assert request.at == datetime(2026, 11, 24, 2, 15, tzinfo=timezone.utc)
    assert request.servers["i"].host == "h"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"confirm": "db2"}, "confirm is 'db2', but the host to bring back is 'db1'"),
        ({"servers": []}, "none is given"),
        ({"servers": [*options()["servers"], *options()["servers"]]}, "'i' is there twice"),
        ({"jobs": 0}, "jobs: 0 is too small"),
        ({"rate": "0"}, "rate: '0' is too small"),
        ({"repository": "here"}, "must be an absolute path"),
    ],
)
def test_options_that_contradict_are_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidOption, match=words):
        rebuild_request_from(options(**changes))


def test_a_request_shows_no_secret() -> None:
    server = replace(SERVERS["shop-db"], password="SECRET")
    assert "SECRET" not in repr(RebuildRequest(host="db1", servers={"shop-db": server}, repository="/srv"))
