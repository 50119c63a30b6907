# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A sealed repository, tried by a real user without rights: adding works, removing and changing does not.

`store` publishes by the library's own means, so what works here works for a run.
"""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from backupdb.cli import seal as sealing_command
from backupdb.cli.main import main
from backupdb.errors import RepositoryError
from backupdb.monitoring.stored import look
from backupdb.repository import catalogue, layout, local
from backupdb.repository.catalogue import read_all
from backupdb.repository.drill_records import forget_attempt, note_attempt, write_drill
from backupdb.repository.lock import readers_lock, run_lock
from backupdb.repository.problems import Problems
from backupdb.repository.sealing import seal
from backupdb.retention import pin as pinning
from backupdb.retention import prune
from backupdb.retention.decide import RetentionPolicy
from backupdb.retention.pin import PinRequest
from backupdb.retention.prune import PruneRequest
from backupdb.system.text import iso, utc_now
from backupdb.verify import run as verify_run
from support import needs
from support.stored import DUMP, store, there

USER = 64_321  # a uid and gid that nobody has
STRANGER = 64_322
NOW = utc_now().replace(microsecond=0) - timedelta(hours=1)
DAY = timedelta(days=1)


@pytest.fixture
def root() -> Iterator[Path]:
    """A repository of the user's, below folders that everybody can enter and nobody but root can change."""
    needs.root("only root seals")
    above = Path(tempfile.mkdtemp(prefix="sealed-"))
    above.chmod(0o755)
    repository = above / "repository"
    repository.mkdir(mode=0o700)
    os.chown(repository, USER, USER)
    yield repository
    shutil.rmtree(above)


def as_user(work: Callable[[], Any], uid: int = USER) -> str:
    """Do it in a child process that is that user for good; returns "" or the kind of the error and its text."""
    read_end, write_end = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read_end)
        outcome = "the child did not get that far"
        try:
            os.setgroups([])
            os.setgid(uid)
            os.setuid(uid)
            work()
            outcome = ""
        except Exception as error:  # noqa: BLE001  told to the parent, whatever it is
            outcome = f"{type(error).__name__}: {error}"
        finally:
            os.write(write_end, outcome.encode())
            os._exit(0)
    os.close(write_end)
    with os.fdopen(read_end, encoding="utf-8") as pipe:
        outcome = pipe.read()
    os.waitpid(child, 0)
    return outcome


def stored_by_user(root: Path, days_ago: int = 0, **facts: Any) -> Path:
    """A backup that the user made; its folder."""
    run_id = f"{days_ago % 1000:08x}" + "0" * 24
    moment = NOW - days_ago * DAY
    assert as_user(lambda: store(root, time=moment, run_id=run_id, content=DUMP, **facts)) == ""
    return local.instance_path(root, "db1", "shop-db") / "shop" / layout.backup_folder(moment, run_id)


def sealed(root: Path) -> dict[str, Any]:
    return seal(str(root), USER, USER)


def mode_of(path: Path) -> tuple[int, int, int]:
    status = path.lstat()
    return status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode)


def test_what_is_published_becomes_roots_and_stays_readable_and_a_second_time_changes_nothing(root: Path) -> None:
    backup = stored_by_user(root)
    assert as_user(lambda: verify_all(root)) == ""  # leaves the readers' lock
    result = sealed(root)
    assert (result["status"], result["changed"], result["sealed"]) == ("ok", True, [str(backup)])
    for folder in (root, *list(backup.parents)[:3]):
        assert mode_of(folder) == (0, USER, 0o1770), folder
    assert mode_of(backup) == (0, USER, 0o550)
    assert {mode_of(path) for path in backup.iterdir()} == {(0, USER, 0o440)}
    assert mode_of(backup.parents[1] / ".readers") == (0, USER, 0o660)
    assert as_user(lambda: verify_all(root)) == ""
    again = sealed(root)
    assert (again["status"], again["changed"], again["sealed"], again["backups"]) == ("ok", False, [], 1)


def verified(root: Path) -> dict[str, Any]:
    return verify_run.run(verify_run.VerifyRequest(level="decrypt", repository=str(root)))


def verify_all(root: Path) -> None:
    result = verified(root)
    if result["status"] != "ok" or result["warnings"]:
        raise AssertionError(result)


def test_the_user_can_add_backups_of_old_and_new_databases_instances_and_hosts(root: Path) -> None:
    stored_by_user(root, 2)
    sealed(root)
    for facts in ({}, {"database": "new"}, {"instance": "other"}, {"host": "db2"}, {"database": None}):
        stored_by_user(root, 1, **facts)
    assert len(there(root)) == 6
    result = sealed(root)
    assert (result["status"], len(result["sealed"]), result["backups"]) == ("ok", 5, 6)


def test_a_run_of_the_user_takes_its_locks_and_clears_its_leftovers(root: Path) -> None:
    instance = stored_by_user(root).parents[1]
    sealed(root)
    left = instance / "shop" / f"{layout.PARTIAL_PREFIX}{'9' * 32}"

    def work() -> None:
        left.mkdir()
        (left / "data").write_text("half")
        with run_lock(instance, run_id="a" * 32, timeout=0, cancel=threading.Event()):
            if local.remove_leftovers(instance) != [left]:
                raise AssertionError("the leftover was not found")
        with readers_lock(instance) as warnings:
            if warnings:
                raise AssertionError(warnings)

    assert as_user(work) == ""
    assert not left.exists()

    def note() -> None:  # as a run notes what it did
        half = instance / ".last-run.json.partial"
        half.write_text("{}")
        half.replace(instance / ".last-run.json")

    for _time in range(2):
        assert as_user(note) == ""
        sealed(root)
    # Locks that root makes first are for the user too.
    other = stored_by_user(root, instance="other").parents[1].with_name("other")
    sealed(root)
    with run_lock(other, run_id="b" * 32, timeout=0, cancel=threading.Event()), readers_lock(other):
        pass

    def take() -> None:
        with run_lock(other, run_id="c" * 32, timeout=0, cancel=threading.Event()), readers_lock(other) as warnings:
            if warnings:
                raise AssertionError(warnings)

    assert as_user(take) == ""


def _remove_file(backup: Path) -> None:
    next(backup.glob("data*")).unlink()


def _remove_backup(backup: Path) -> None:
    shutil.rmtree(backup)


def _remove_folder(backup: Path) -> None:
    backup.rmdir()


def _rename_backup(backup: Path) -> None:
    backup.rename(backup.with_name(".removing-it"))


def _rename_database(backup: Path) -> None:
    backup.parent.rename(backup.parent.with_name("elsewhere"))


def _rename_host(backup: Path) -> None:
    backup.parents[2].rename(backup.parents[2].with_name("elsewhere"))


def _rename_repository(backup: Path) -> None:
    backup.parents[3].rename(backup.parents[3].with_name("elsewhere"))


def _overwrite(backup: Path) -> None:
    next(backup.glob("data*")).write_bytes(b"ransom")


def _append(backup: Path) -> None:
    with next(backup.glob("data*")).open("ab") as file:
        file.write(b"ransom")


def _truncate(backup: Path) -> None:
    os.truncate(next(backup.glob("data*")), 0)


def _replace_manifest(backup: Path) -> None:
    mine = backup.parent / "mine"
    mine.write_text("{}")
    mine.replace(backup / "manifest.json")


def _replace_backup(backup: Path) -> None:
    mine = backup.parent / "mine"
    mine.mkdir()
    mine.replace(backup)


def _add_to_backup(backup: Path) -> None:
    (backup / "pin.json").write_text("{}")


def _open_up(backup: Path) -> None:
    backup.chmod(0o777)


def _take_back(backup: Path) -> None:
    os.chown(backup, USER, USER)


def _unstick(backup: Path) -> None:
    backup.parent.chmod(0o770)


ATTACKS = [
    _remove_file,
    _remove_backup,
    _remove_folder,
    _rename_backup,
    _rename_database,
    _rename_host,
    _rename_repository,
    _overwrite,
    _append,
    _truncate,
    _replace_manifest,
    _replace_backup,
    _add_to_backup,
    _open_up,
    _take_back,
    _unstick,
]


@pytest.mark.parametrize("attack", ATTACKS)
def test_the_user_cannot_remove_rename_or_change_what_is_sealed(root: Path, attack: Callable[[Path], None]) -> None:
    backup = stored_by_user(root)
    assert as_user(lambda: backup.rename(backup)) == ""
    sealed(root)
    outcome = as_user(lambda: attack(backup))
    assert outcome.startswith(("PermissionError", "OSError: [Errno 39]")), outcome
    assert verified(root)["status"] == "ok"
    assert there(root) == [backup.name]


def test_the_same_attacks_work_where_nothing_is_sealed(root: Path) -> None:
    backup = stored_by_user(root)
    assert as_user(lambda: _overwrite(backup)) == ""
    assert as_user(lambda: _remove_backup(backup)) == ""


def test_only_root_prunes_and_pins_and_what_root_adds_stays_readable(root: Path) -> None:
    backups = [stored_by_user(root, days) for days in (3, 2, 1, 0)]
    sealed(root)
    request = PruneRequest(repository=str(root), policy=RetentionPolicy(keep_last=1))
    assert "only root removes backups" in as_user(lambda: prune.run(request))
    assert as_user(lambda: prune.run(request, check_mode=True)) == ""
    pin = PinRequest(present=True, path=str(backups[0]), reason="the audit")
    assert "only root can pin it" in as_user(lambda: pinning.run(pin))
    pinning.run(pin)
    record = {"schema": 1, "backup_id": backups[1].name, "verdict": "equal", "finished": iso(NOW)}
    write_drill(backups[1], record)
    assert sealed(root)["changed"]

    def look() -> None:
        problems = Problems()
        if [entry.folder for entry in read_all(root, proven=True, problems=problems)] != [backups[1]] or problems.lines:
            raise AssertionError(problems.lines)

    assert as_user(look) == ""
    result = prune.run(request)
    assert (result["status"], result["removed"]) == ("ok", 1)
    assert there(root) == [backups[3].name, backups[1].name, backups[0].name]


def test_the_user_proves_a_sealed_backup_and_root_puts_the_record_in_its_place(root: Path) -> None:
    backups = [stored_by_user(root, days) for days in (1, 0)]
    sealed(root)
    record = {"schema": 1, "backup_id": backups[0].name, "verdict": "equal", "finished": iso(NOW)}

    def proven_ones() -> list[Path]:
        return [entry.folder for entry in read_all(root, proven=True, problems=Problems())]

    assert as_user(lambda: note_attempt(backups[0], NOW)) == ""
    assert as_user(lambda: write_drill(backups[0], record)) == ""
    assert as_user(lambda: forget_attempt(backups[0])) == ""
    name = f"drill-{layout.stamp(NOW)}.json"
    waiting = backups[0].parent / ".drills" / f"{backups[0].name}.{name}"
    assert waiting.exists()
    assert proven_ones() == [backups[0]]
    state = look(backups[0].parent, utc_now(), Problems())
    assert (state.proven, state.last_drill is not None) == (layout.parse_stamp(layout.stamp(NOW - DAY)), True)
    # What the user may still change lets root remove nothing, and keep nothing.
    request = PruneRequest(repository=str(root), policy=RetentionPolicy(keep_last=1))
    assert prune.run(request, check_mode=True)["removed"] == 1

    assert sealed(root)["problems"] == []
    assert mode_of(backups[0] / name) == (0, USER, 0o440)
    assert list(waiting.parent.iterdir()) == []
    assert proven_ones() == [backups[0]]
    assert not sealed(root)["changed"]
    assert prune.run(request, check_mode=True)["removed"] == 0
    # The next one waits beside, too.
    assert as_user(lambda: write_drill(backups[1], {**record, "backup_id": backups[1].name})) == ""
    assert sealed(root)["changed"]
    assert proven_ones() == [backups[1], backups[0]]


def test_what_only_looks_like_the_record_of_a_drill_is_not_put_beside_a_manifest(root: Path) -> None:
    backup = stored_by_user(root)
    sealed(root)
    folder = backup.parent / ".drills"
    assert as_user(folder.mkdir) == ""
    name = f"{backup.name}.drill-20261120T050607Z.json"
    assert as_user(lambda: (folder / name).symlink_to("/etc/hostname")) == ""
    result = sealed(root)
    assert result["problems"] == [f"{folder / name} was left alone: it is no new record of the backup user"]
    assert not (backup / "drill-20261120T050607Z.json").exists()


def test_what_is_not_sealed_yet_lets_no_sealed_backup_go(root: Path) -> None:
    old = [stored_by_user(root, days) for days in (3, 2)]
    sealed(root)
    new = [stored_by_user(root, days) for days in (1, 0)]
    stored_by_user(root, 0, host="db2")
    stored_by_user(root, 0, database="new")
    request = PruneRequest(repository=str(root), policy=RetentionPolicy(keep_last=2))
    result = prune.run(request)
    assert (result["status"], result["removed"]) == ("ok", 0)
    assert [line for line in result["warnings"] if "2 backups in" in line and "not sealed yet" in line]
    assert sum("not sealed yet" in line for line in result["warnings"]) == 3
    sealed(root)
    assert prune.run(request)["removed"] == 2
    assert not any(path.exists() for path in old) and all(path.exists() for path in new)


def test_a_backup_that_claims_to_be_older_than_a_sealed_one_or_from_the_future_is_not_sealed(root: Path) -> None:
    stored_by_user(root, 1)
    sealed(root)
    forged = [stored_by_user(root, 2), stored_by_user(root, -2)]
    result = sealed(root)
    assert (result["status"], result["sealed"]) == ("partial", [])
    assert str(forged[0]) in result["problems"][0] and "appeared after a newer backup" in result["problems"][0]
    assert str(forged[1]) in result["problems"][1] and "future" in result["problems"][1]
    assert prune.run(PruneRequest(repository=str(root), policy=RetentionPolicy(keep_last=1)))["removed"] == 0


def test_a_file_that_somebody_still_has_open_for_writing_is_told_of(root: Path) -> None:
    backup = stored_by_user(root)
    with next(backup.glob("data*")).open("ab"):
        result = sealed(root)
    assert result["status"] == "partial"
    assert "still open for writing" in result["problems"][0]


def test_links_and_files_of_others_are_left_alone(root: Path) -> None:
    backup = stored_by_user(root)
    secret = root.parent / "secret"
    secret.write_text("of root")
    secret.chmod(0o600)
    other = root.parent / "other"
    other.mkdir(mode=0o700)
    strangers = root.parent / "strangers"
    strangers.write_text("of a stranger")
    os.chown(strangers, STRANGER, STRANGER)
    os.link(secret, backup / "hard")
    os.link(strangers, backup / "strangers")

    def plant() -> None:
        (backup / "soft").symlink_to(secret)
        (backup / "deep").mkdir()
        (root / "db9").symlink_to(other)
        (backup.parents[1] / "linked").symlink_to(other)
        (backup.parent / layout.backup_folder(NOW, "f" * 32)).symlink_to(other)
        os.mkfifo(backup / "fifo")
        (backup.parents[1] / ".lock").unlink(missing_ok=True)
        (backup.parents[1] / ".lock").symlink_to(secret)

    assert as_user(plant) == ""
    result = sealed(root)
    assert result["status"] == "partial"
    assert mode_of(secret) == (0, 0, 0o600) and mode_of(other) == (0, 0, 0o700)
    assert mode_of(strangers)[0] == STRANGER
    told = "\n".join(result["problems"])
    for name in ("hard", "soft", "deep", "db9", "linked", "fifo", "strangers", "-ffffffff", ".lock"):
        assert name in told, name


def test_a_repository_that_lies_where_the_user_can_exchange_it_is_told_of(root: Path) -> None:
    stored_by_user(root)
    root.parent.chmod(0o777)
    result = sealed(root)
    assert result["status"] == "partial"
    assert result["problems"] == [line for line in result["problems"] if f"{root.parent}, above the repository" in line]


def test_only_root_seals_and_not_what_root_makes(root: Path) -> None:
    assert "only root can seal" in as_user(lambda: sealed(root))
    with pytest.raises(RepositoryError, match="protects nothing"):
        seal(str(root), 0, 0)
    with pytest.raises(RepositoryError):
        seal(str(root / "nowhere"), USER, USER)


def test_an_interrupted_seal_is_finished_by_the_next(root: Path) -> None:
    backup = stored_by_user(root)
    os.chown(backup, 0, USER)
    backup.chmod(0o550)
    assert sealed(root)["status"] == "ok"
    assert {mode_of(path) for path in backup.iterdir()} == {(0, USER, 0o440)}


def test_odd_entries_are_named_and_keep_nothing_else_from_being_sealed(root: Path) -> None:
    backups = [stored_by_user(root, days) for days in (2, 1)]
    database = backups[0].parent
    odd = [root / "link", root / "db1" / "link", database.parent / "link", database / "link", backups[0] / "link"]
    odd += [database / layout.DRILLS_FOLDER, database / f"{backups[0].name[:8]}T235959Z-{'a' * 8}"]
    for path in odd:
        assert as_user(lambda path=path: path.symlink_to("/etc")) == ""
    result = sealed(root)
    assert result["status"] == "partial"
    for path in odd:
        assert [line for line in result["problems"] if line.startswith(str(path))], path
    assert len(result["sealed"]) == 2
    policy = RetentionPolicy(keep_last=1)
    assert prune.run(PruneRequest(repository=str(root), policy=policy))["removed"] in (0, 1)


def test_of_what_is_not_sealed_no_byte_is_read_by_a_prune(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sealed_one = stored_by_user(root, 9)
    sealed(root)
    waiting = [stored_by_user(root, days) for days in range(5)]
    for folder in waiting:  # as large as a manifest may be, to keep root busy
        os.truncate(folder / layout.MANIFEST_FILE, 64 << 20)
    read: list[Path] = []
    original = catalogue.read_backup
    monkeypatch.setattr(catalogue, "read_backup", lambda folder: read.append(folder) or original(folder))
    result = prune.run(PruneRequest(repository=str(root), policy=RetentionPolicy(keep_last=1)))
    assert result["status"] == "ok"
    assert read == [sealed_one]
    assert [line for line in result["warnings"] if "5 backups in" in line and "not sealed yet" in line]


def test_one_repository_that_cannot_be_sealed_stops_no_other(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    backup = stored_by_user(root)
    monkeypatch.setattr(sealing_command, "_ids", lambda _user, _group: (USER, USER))
    monkeypatch.setattr(sealing_command, "repositories_of", lambda *_options, **_more: ["/nowhere", str(root)])
    assert main(["seal", "--user", "backupdb"]) == 2
    assert backup.lstat().st_uid == 0
