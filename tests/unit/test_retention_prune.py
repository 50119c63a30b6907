# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Removing backups from a real repository: only what the policy lets go, whoever is there, whenever it is killed."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from backupdb.errors import BackupNotFound, InvalidOption, LockBusy, RepositoryError
from backupdb.repository import layout, removal
from backupdb.repository.catalogue import StoredBackup, read_all
from backupdb.repository.drill_records import note_attempt, write_drill
from backupdb.repository.lock import readers_lock, run_lock
from backupdb.repository.pins import write_pin
from backupdb.repository.problems import Problems
from backupdb.repository.removal import take_name
from backupdb.retention import prune
from backupdb.retention.decide import RetentionPolicy
from backupdb.retention.prune import PruneRequest
from backupdb.system.text import iso, utc_now
from backupdb.verify import one_backup as verify
from backupdb.verify import run as verify_run
from support.stored import DUMP, rewrite_manifest, store
from support.tree import folder_state

DAY = timedelta(days=1)
TODAY = utc_now().replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=1)
TWO = RetentionPolicy(keep_last=2)


def store_daily(root: Path, count: int, database: str | None = "shop", **facts: Any) -> list[StoredBackup]:
    """Backups of the last days, the newest first."""
    return [
        store(root, database, time=TODAY - number * DAY, run_id=f"{number:08x}" + "0" * 24, **facts)
        for number in range(count)
    ]


def pruned(root: Path, policy: RetentionPolicy = TWO, *, check_mode: bool = False, **fields: Any) -> dict[str, Any]:
    return prune.run(PruneRequest(repository=str(root), policy=policy, **fields), check_mode=check_mode)


def ids(backups: Sequence[StoredBackup]) -> list[str]:
    return [backup.folder.name for backup in backups]


def listed(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def there(root: Path, **wanted: Any) -> list[str]:
    """Names of the backups in a repository of which nothing may be damaged, newest first."""
    problems = Problems()
    found = ids(list(read_all(root, problems=problems, **wanted)))
    assert problems.lines == []
    return found


def decisions(result: dict[str, Any], database: str | None = "shop") -> dict[str, tuple[str, str]]:
    entry = next(entry for entry in result["databases"] if entry["database"] == database)
    return {decision["backup_id"]: (decision["action"], decision["reason"]) for decision in entry["decisions"]}


def test_what_the_policy_lets_go_is_removed_and_nothing_else(tmp_path: Path) -> None:
    shop = store_daily(tmp_path, 5, content=DUMP)
    store_daily(tmp_path, 3, None)
    store_daily(tmp_path, 1, "wiki", host="db2")
    result = pruned(tmp_path)
    assert (result["status"], result["changed"], result["removed"], result["kept"]) == ("ok", True, 4, 5)
    assert result["freed_bytes"] == 3 * shop[0].manifest["stored_bytes"] > 0
    assert there(tmp_path, database="shop") == ids(shop[:2])
    assert decisions(result)[shop[1].folder.name] == ("keep", "keep_last 2")
    assert decisions(result)[shop[2].folder.name] == ("remove", "no rule keeps it")
    assert listed(shop[0].folder.parent) == set(ids(shop[:2]))
    again = pruned(tmp_path)
    assert (again["status"], again["changed"], again["removed"], again["kept"]) == ("ok", False, 0, 5)


def test_the_plan_is_a_table_and_removes_nothing(tmp_path: Path) -> None:
    store_daily(tmp_path, 4, content=DUMP)
    before = folder_state(tmp_path)
    result = pruned(tmp_path, check_mode=True)
    assert (result["status"], result["changed"], result["removed"], result["kept"]) == ("planned", True, 2, 2)
    assert folder_state(tmp_path) == before
    lines = result["diff"]["before"].splitlines()
    assert lines == result["lines"]
    assert lines[0] == "db1/shop-db/shop"
    assert [line.split()[4:] for line in lines[1:]] == [
        ["keep", "newest,", "newest", "complete,", "keep_last", "2"],
        ["keep", "keep_last", "2"],
        ["remove", "no", "rule", "keeps", "it"],
        ["remove", "no", "rule", "keeps", "it"],
    ]
    assert result["diff"]["after"].splitlines() == lines[:3]
    assert decisions(pruned(tmp_path)) == decisions(result)


def test_only_what_was_asked_for_is_pruned(tmp_path: Path) -> None:
    for database in ("shop", "Shop/2 [old]", None):
        store_daily(tmp_path, 3, database)
    store_daily(tmp_path, 3, host="db2")
    store_daily(tmp_path, 3, instance="other")
    one = RetentionPolicy(keep_last=1)
    assert pruned(tmp_path, one, host="db1", instance="shop-db", databases=("Shop/2*",))["removed"] == 2
    assert pruned(tmp_path, one, host="db1", instance="shop-db", databases=("@accounts",))["removed"] == 2
    assert pruned(tmp_path, one, host="db1", instance="shop-db", databases=("nothing",))["removed"] == 0
    assert pruned(tmp_path, one, host="db2")["removed"] == 2
    assert pruned(tmp_path, one, instance="other")["removed"] == 2
    assert len(there(tmp_path, database="shop", host="db1", instance="shop-db")) == 3


def test_a_repository_without_what_was_asked_for_has_nothing_to_prune_and_says_so(tmp_path: Path) -> None:
    result = pruned(tmp_path, host="db1")
    assert (result["status"], result["changed"]) == ("ok", False)
    assert "nothing to prune" in result["message"]


def test_pinned_and_proven_backups_stay(tmp_path: Path) -> None:
    shop = store_daily(tmp_path, 5)
    write_pin(shop[4].folder, "the audit", TODAY)
    record = {"schema": 1, "backup_id": shop[3].folder.name, "verdict": "equal", "finished": iso(TODAY)}
    write_drill(shop[3].folder, record)
    result = pruned(tmp_path, RetentionPolicy(keep_last=1))
    assert there(tmp_path) == ids([shop[0], shop[3], shop[4]])
    assert decisions(result)[shop[3].folder.name] == ("keep", "newest proven")
    assert decisions(result)[shop[4].folder.name] == ("keep", "pinned: the audit")


def _garbage(backup: StoredBackup) -> None:
    (backup.folder / "manifest.json").write_text("{")


def _no_manifest(backup: StoredBackup) -> None:
    (backup.folder / "manifest.json").unlink()


def _of_another(backup: StoredBackup) -> None:
    rewrite_manifest(backup.folder, database="wiki")


def _of_another_time(backup: StoredBackup) -> None:
    rewrite_manifest(backup.folder, started=iso(backup.time - 40 * DAY))


def _bad_drill(backup: StoredBackup) -> None:
    (backup.folder / "drill-20261124T000000Z.json").write_text("{")


def _bad_pin(backup: StoredBackup) -> None:
    (backup.folder / "pin.json").write_text("{")


@pytest.mark.parametrize("damage", [_garbage, _no_manifest, _of_another, _of_another_time, _bad_drill, _bad_pin])
def test_what_cannot_be_read_blocks_its_own_database_only(
    tmp_path: Path, damage: Callable[[StoredBackup], None]
) -> None:
    shop = store_daily(tmp_path, 4)
    store_daily(tmp_path, 4, "wiki")
    damage(shop[3])
    result = pruned(tmp_path)
    assert (result["status"], result["removed"]) == ("partial", 2)
    assert listed(shop[0].folder.parent) == set(ids(shop))
    assert [entry["database"] for entry in result["databases"] if entry["refused"]] == ["shop"]
    assert len(result["problems"]) == 1 and str(shop[3].folder) in result["problems"][0]
    assert {action for action, _reason in decisions(result).values()} == {"keep"}


def test_backups_from_the_future_and_backups_that_have_stopped_are_refused_each_for_its_database(
    tmp_path: Path,
) -> None:
    store_daily(tmp_path, 4)
    store(tmp_path, "shop", time=TODAY + 3 * DAY, run_id="f" * 32)
    for number in range(5, 9):
        store(tmp_path, "stopped", time=TODAY - number * DAY, run_id=f"{number}" * 32)
    store_daily(tmp_path, 4, "wiki")
    result = pruned(tmp_path, RetentionPolicy(keep_last=2, max_age=3 * 86400))
    assert (result["status"], result["removed"], result["kept"]) == ("partial", 2, 11)
    refused = {entry["database"]: entry["refused"] for entry in result["databases"] if entry["refused"]}
    assert "impossible dates" in refused["shop"] and "seem to have stopped" in refused["stopped"]
    assert "shop: refused: 1 of its backups have impossible dates" in "\n".join(result["lines"])


def test_a_stray_file_is_told_of_and_blocks_nothing(tmp_path: Path) -> None:
    shop = store_daily(tmp_path, 4)
    (shop[0].folder.parent / "notes.txt").write_text("mine")
    result = pruned(tmp_path)
    assert (result["status"], result["removed"]) == ("ok", 2)
    assert any("notes.txt does not belong" in line for line in result["warnings"])
    assert (shop[0].folder.parent / "notes.txt").exists()


def last_run(instance_folder: Path, *present: str) -> None:
    record = {
        "schema": 1,
        "host": "db1",
        "instance": "shop-db",
        "run_id": "0" * 32,
        "started": iso(TODAY),
        "finished": iso(TODAY),
        "status": "ok",
        "engine": "mariadb",
        "server_version": "10.11",
        "databases": [],
        "accounts": None,
        "present": list(present),
        "gone": [],
        "new": [],
        "duration": 1,
        "plain_bytes": 0,
        "stored_bytes": 0,
    }
    (instance_folder / ".last-run.json").write_text(json.dumps(record))


def test_a_database_that_is_gone_is_kept_by_the_policy_until_that_is_acknowledged(tmp_path: Path) -> None:
    for number in range(5, 10):
        backup = store(tmp_path, "old_shop", time=TODAY - number * DAY, run_id=f"{number}" * 32)
    last_run(backup.folder.parents[1], "wiki")
    policy = RetentionPolicy(keep_last=4, max_age=86400)
    result = pruned(tmp_path, policy)
    assert (result["status"], result["removed"], result["kept"]) == ("ok", 1, 4)
    assert "no longer on its server" in result["warnings"][0] and "acknowledge_gone" in result["warnings"][0]
    assert pruned(tmp_path, policy, acknowledge_gone=("other",))["removed"] == 0
    result = pruned(tmp_path, policy, acknowledge_gone=("old*",))
    assert (result["status"], result["removed"], result["kept"]) == ("ok", 3, 1)
    last_run(backup.folder.parents[1], "old_shop")
    assert pruned(tmp_path, policy, acknowledge_gone=("old*",))["status"] == "failed"  # it is not gone, it has stopped


@pytest.fixture
def never() -> threading.Event:
    return threading.Event()


def test_a_run_that_holds_the_lock_makes_the_prune_busy_and_nothing_is_lost(
    tmp_path: Path, never: threading.Event
) -> None:
    shop = store_daily(tmp_path, 4)
    other = store_daily(tmp_path, 4, host="db2")
    with run_lock(shop[0].folder.parents[1], run_id="a" * 32, timeout=0, cancel=never):
        before = folder_state(shop[0].folder.parents[1])
        assert pruned(tmp_path, host="db1")["status"] == "busy"
        result = pruned(tmp_path)
        assert folder_state(shop[0].folder.parents[1]) == before
    assert (result["status"], result["removed"]) == ("partial", 2)
    assert f"run {'a' * 32}" in result["problems"][0]
    assert ids(other[:2]) == there(tmp_path, host="db2")
    assert pruned(tmp_path)["removed"] == 2


def test_a_reader_makes_the_prune_busy_and_a_removal_makes_readers_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = store_daily(tmp_path, 4)
    instance = shop[0].folder.parents[1]
    with readers_lock(instance):
        result = pruned(tmp_path)
        assert (result["status"], result["removed"]) == ("busy", 0)
        assert "are being read" in result["message"]
        assert there(tmp_path) == ids(shop)

    def look(folder: Path) -> Path:
        with pytest.raises(LockBusy, match="removes backups"), readers_lock(instance, timeout=0):
            pass
        return folder

    monkeypatch.setattr(prune, "take_name", look)
    assert pruned(tmp_path)["status"] == "ok"


def test_a_prune_waits_for_readers_as_long_as_it_is_told(tmp_path: Path) -> None:
    shop = store_daily(tmp_path, 4)
    reading, leave = threading.Event(), threading.Event()

    def read() -> None:
        with readers_lock(shop[0].folder.parents[1]):
            reading.set()
            leave.wait(10)

    reader = threading.Thread(target=read)
    reader.start()
    reading.wait(10)
    threading.Timer(0.4, leave.set).start()
    assert pruned(tmp_path, repository_lock_timeout=10.0)["removed"] == 2
    reader.join()


def test_reading_goes_on_without_what_a_prune_removes_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = store_daily(tmp_path, 5, content=DUMP)
    problems = Problems()
    reading = read_all(tmp_path, problems=problems)
    found = [next(reading), next(reading)]
    assert pruned(tmp_path)["removed"] == 3
    assert ids([*found, *reading]) == ids(shop[:2])
    assert problems.lines == []

    (tmp_path / "again").mkdir()
    store_daily(tmp_path / "again", 5, content=DUMP)
    verify_one = verify.verify

    def after_a_prune(backup: StoredBackup, **options: Any) -> dict[str, Any]:
        if backup.folder.name == shop[2].folder.name:
            pruned(tmp_path / "again")
        return verify_one(backup, **options)

    monkeypatch.setattr(verify, "verify", after_a_prune)
    request = verify_run.VerifyRequest(level="decrypt", repository=str(tmp_path / "again"))
    result = verify_run.run(request)
    assert (result["status"], result["counts"]["good"]) == ("ok", 2)
    assert [line for line in result["warnings"] if "removed after it had been listed" in line]


def what_verify_complains_of(root: Path) -> list[str]:
    try:
        result = verify_run.run(verify_run.VerifyRequest(level="digest", repository=str(root)))
    except BackupNotFound as missing:  # of the newest, when newer ones came and it went after it was listed
        return [] if "removed after it had been listed" in str(missing) else [str(missing)]
    return [entry["problems"][0] for entry in result["backups"] if entry["verdict"] != "good"]


def test_runs_readers_and_prunes_at_once_lose_nothing_and_see_whole_backups_only(
    tmp_path: Path, never: threading.Event
) -> None:
    store_daily(tmp_path, 8, content=DUMP)
    instance = tmp_path / "db1" / "shop-db"
    made: list[str] = []
    failures: list[str] = []
    done = threading.Event()

    def back_up() -> None:
        try:
            for number in range(20):
                time.sleep(0.02)
                moment, run_id = TODAY + timedelta(microseconds=number), f"{number:02x}".ljust(32, "e")
                with run_lock(instance, run_id=run_id, timeout=20, cancel=never):
                    made.append(store(tmp_path, time=moment, run_id=run_id, content=DUMP).folder.name)
        finally:
            done.set()

    def read() -> None:
        while not done.is_set():
            time.sleep(0.02)
            failures.extend(what_verify_complains_of(tmp_path))

    def prune_again_and_again() -> None:
        while not done.is_set():
            time.sleep(0.02)
            problems = pruned(tmp_path, RetentionPolicy(keep_last=6))["problems"]
            failures.extend(line for line in problems if not ("another run" in line or "being read" in line))

    workers = [threading.Thread(target=work, daemon=True) for work in (back_up, read, read, prune_again_and_again)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert (failures, len(made)) == ([], 20)
    assert pruned(tmp_path)["problems"] == []
    assert there(tmp_path) == sorted(made[-2:], reverse=True)
    assert listed(instance / "shop") == set(made[-2:])


def in_a_process_killed_in_the_middle_of_a_removal(root: Path) -> None:
    """Prune in a child that stops for ever after it has removed one file of a backup, and kill it there."""
    read_end, write_end = os.pipe()
    child = os.fork()
    if child == 0:
        unlink = os.unlink

        def first_only(path: Any, **options: Any) -> None:
            unlink(path, **options)
            os.write(write_end, b"x")
            time.sleep(60)

        os.unlink = first_only  # type: ignore[assignment]
        pruned(root)
        os._exit(1)
    assert os.read(read_end, 1) == b"x"
    os.kill(child, signal.SIGKILL)
    assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL
    os.close(read_end)
    os.close(write_end)


def test_a_prune_that_is_killed_leaves_whole_backups_only_and_the_next_one_finishes(tmp_path: Path) -> None:
    shop = store_daily(tmp_path, 4, content=DUMP)
    in_a_process_killed_in_the_middle_of_a_removal(tmp_path)
    folder = shop[0].folder.parent
    left = [folder / f"{layout.REMOVING_PREFIX}{backup.folder.name}" for backup in (shop[3], shop[2])]
    assert [len(listed(removing)) for removing in left] == [2, 3]
    assert there(tmp_path) == ids(shop[:2])
    plan = pruned(tmp_path, check_mode=True)
    assert plan["changed"]
    assert all(f"  {removing.name}  left by a removal that did not end" in plan["lines"] for removing in left)
    result = pruned(tmp_path)
    assert (result["status"], result["removed"], result["changed"]) == ("ok", 0, True)
    assert result["warnings"] == [f"finished removing {removing}" for removing in left]
    assert listed(folder) == set(ids(shop[:2]))
    assert not pruned(tmp_path)["changed"]


def test_files_go_after_the_disk_has_confirmed_once_that_all_names_are_gone_oldest_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop, wiki = store_daily(tmp_path, 4, "shop"), store_daily(tmp_path, 3, "wiki")
    done: list[tuple[str, str]] = []
    for call in ("rename_new", "sync_folder", "remove_tree"):
        right = getattr(removal, call)

        def noted(path: Path, *words: Any, call: str = call, right: Any = right, **options: Any) -> Any:
            done.append((call, path.name.replace(layout.REMOVING_PREFIX, "")))
            return right(path, *words, **options)

        monkeypatch.setattr(removal, call, noted)
    assert pruned(tmp_path)["removed"] == 3
    assert done == [
        *(("rename_new", backup.folder.name) for backup in (shop[3], shop[2])),
        ("sync_folder", "shop"),
        *(("remove_tree", backup.folder.name) for backup in (shop[3], shop[2])),
        ("rename_new", wiki[2].folder.name),
        ("sync_folder", "wiki"),
        ("remove_tree", wiki[2].folder.name),
    ]


def test_no_file_goes_while_the_disk_does_not_confirm_that_the_names_are_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = store_daily(tmp_path, 4, content=DUMP)
    folder = shop[0].folder.parent
    before = {backup.folder.name: folder_state(backup.folder) for backup in shop[2:]}

    def refuse(path: Path) -> None:
        raise RepositoryError(f"syncing {path}: Input/output error")

    with monkeypatch.context() as broken:
        broken.setattr(removal, "sync_folder", refuse)
        for said in ("removed 2", "removed 0"):  # the next one cannot finish it either
            result = pruned(tmp_path)
            assert f"removed {result['removed']}" == said
            assert result["problems"] == [
                f"db1/shop-db/shop: syncing {folder}: Input/output error; "
                "the files of 2 removed backups are left to the next prune"
            ]
    left = {name: folder_state(folder / f"{layout.REMOVING_PREFIX}{name}") for name in before}
    assert (left, there(tmp_path)) == (before, ids(shop[:2]))
    assert pruned(tmp_path)["status"] == "ok"
    assert listed(folder) == set(ids(shop[:2]))


def test_what_is_noted_of_drills_goes_when_a_dead_removal_is_finished(tmp_path: Path) -> None:
    shop = store_daily(tmp_path, 4)
    for backup in shop[1:]:
        note_attempt(backup.folder, TODAY)
    take_name(shop[3].folder)
    assert pruned(tmp_path)["removed"] == 1
    assert listed(shop[0].folder.parent / layout.DRILLS_FOLDER) == {f"{shop[1].folder.name}.attempt.json"}


def test_what_a_dead_removal_left_is_finished_where_nothing_else_goes(tmp_path: Path) -> None:
    shop = store_daily(tmp_path, 2)
    left = shop[0].folder.parent / f"{layout.REMOVING_PREFIX}20200101T000000Z-00000000"
    left.mkdir()
    assert pruned(tmp_path)["changed"] and not left.exists()


@pytest.mark.parametrize(("where", "removed"), [("take_name", 1), ("remove_tree", 3)])
def test_being_asked_to_stop_ends_it_between_two_backups(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str, removed: int
) -> None:
    shop = store_daily(tmp_path, 5)
    room: Any = {"take_name": prune, "remove_tree": removal}[where]
    act = getattr(room, where)

    def stop_after(path: Path) -> Any:
        done = act(path)
        os.kill(os.getpid(), signal.SIGTERM)
        return done

    with monkeypatch.context() as stopped:
        stopped.setattr(room, where, stop_after)
        result = pruned(tmp_path)
    left = "1 removed backup" if where == "take_name" else "2 removed backups"
    assert (result["status"], result["removed"], result["problems"]) == ("partial", removed, ["stopped by SIGTERM"])
    assert result["warnings"] == [f"db1/shop-db/shop: the files of {left} are left to the next prune"]
    assert there(tmp_path) == ids(shop[: 5 - removed])
    result = pruned(tmp_path)
    assert (result["status"], result["removed"]) == ("ok", 3 - removed)
    assert listed(shop[0].folder.parent) == set(ids(shop[:2]))


def test_what_cannot_be_removed_is_told_and_stops_only_its_database(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = store_daily(tmp_path, 4)
    store_daily(tmp_path, 4, "wiki")
    remove = prune.take_name

    def refuse(folder: Path) -> Path:
        if folder == shop[2].folder:
            raise RepositoryError("the disk says no")
        return remove(folder)

    monkeypatch.setattr(prune, "take_name", refuse)
    result = pruned(tmp_path)
    assert (result["status"], result["removed"]) == ("partial", 3)
    assert result["problems"] == ["db1/shop-db/shop: the disk says no"]
    assert there(tmp_path, database="shop") == ids(shop[:3])


def test_what_has_lost_its_name_is_told_as_removed_even_where_its_files_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = store_daily(tmp_path, 4)

    def refuse(path: Path) -> None:
        raise RepositoryError("the disk says no")

    with monkeypatch.context() as broken:
        broken.setattr(removal, "remove_tree", refuse)
        result = pruned(tmp_path)
    assert (result["status"], result["removed"]) == ("failed", 2)
    assert there(tmp_path) == ids(shop[:2])
    assert pruned(tmp_path)["status"] == "ok"
    assert not list(shop[0].folder.parent.glob(f"{layout.REMOVING_PREFIX}*"))


def test_links_are_not_followed(tmp_path: Path) -> None:
    elsewhere, here = tmp_path / "elsewhere", tmp_path / "here"
    for folder in (elsewhere, here):
        folder.mkdir()
    shop = store_daily(elsewhere, 4)
    (here / "db1").symlink_to(elsewhere / "db1")
    assert pruned(here)["databases"] == []
    (here / "db1").unlink()
    (here / "db1").mkdir()
    (here / "db1" / "shop-db").symlink_to(elsewhere / "db1" / "shop-db")
    assert pruned(here)["databases"] == []
    (here / "db1" / "shop-db").unlink()
    (here / "db1" / "shop-db").mkdir()
    (here / "db1" / "shop-db" / "shop").symlink_to(elsewhere / "db1" / "shop-db" / "shop")
    assert pruned(here)["databases"] == []
    assert there(elsewhere) == ids(shop)


@pytest.mark.parametrize("check_mode", [False, True])
def test_a_repository_that_is_not_there_or_a_wrong_run_id_is_an_error(tmp_path: Path, check_mode: bool) -> None:
    with pytest.raises(RepositoryError, match="mount it"):
        pruned(tmp_path / "nowhere", check_mode=check_mode)
    with pytest.raises(InvalidOption, match="32 hexadecimal"):
        pruned(tmp_path, run_id="x", check_mode=check_mode)


@pytest.mark.unmeasured
def test_ten_thousand_backups_are_planned_within_seconds(tmp_path: Path) -> None:
    first = store(tmp_path, "db000", time=TODAY)
    manifest = json.loads((first.folder / "manifest.json").read_bytes())
    for database in range(20):
        for hour in range(500):
            moment = TODAY - timedelta(hours=hour)
            name = layout.backup_folder(moment, manifest["run_id"])
            folder = tmp_path / "db1" / "shop-db" / f"db{database:03}" / name
            folder.mkdir(parents=True, exist_ok=True)
            changed = {"database": f"db{database:03}", "backup_id": name, "started": iso(moment)}
            (folder / "manifest.json").write_text(json.dumps({**manifest, **changed}))
    began = time.monotonic()
    result = pruned(tmp_path, RetentionPolicy(keep_daily=7, keep_weekly=4), check_mode=True)
    seconds = time.monotonic() - began
    assert (result["status"], result["kept"] + result["removed"]) == ("planned", 10_000)
    assert seconds < 30
    print(f"10,000 backups planned in {seconds:.2f} s")


def test_a_moment_is_taken_from_the_manifest_to_the_microsecond(tmp_path: Path) -> None:
    moment = datetime.fromisoformat("2026-11-20T05:06:07.000001+00:00")
    for number, run in ((1, "f" * 32), (2, "0" * 32)):
        store(tmp_path, time=moment + timedelta(microseconds=number), run_id=run)
    result = pruned(tmp_path, RetentionPolicy(keep_daily=1))
    assert there(tmp_path) == ["20261120T050607Z-00000000"]
    assert result["removed"] == 1
