# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a drill catches: backups that say what they do not hold, bytes that are not whole, restores that lose something.

A wrong backup is a right one with the archives of another, whose digests it names: nothing but a restore can notice.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from backupdb.age.stream import X25519Identity
from backupdb.archives.keys import Keys
from backupdb.drill import run as drill
from backupdb.drill.compare import compare
from backupdb.drill.request import DrillRequest
from backupdb.drill.restore import restored
from backupdb.drill.rewrites import confirm_rewrites
from backupdb.errors import ManifestDamaged, WrongKey
from backupdb.repository.drill_records import proven
from support import mysql_dumps, postgresql_dumps
from support.drills import drill_all, drilled, edit_manifest, servers_in, setting_of, with_archives_of
from support.library import KEYS, back_up, entry_of
from support.tree import folder_state

POSTGRESQL = """
    CREATE TABLE t (id serial PRIMARY KEY, v text);
    INSERT INTO t (v) SELECT 'row ' || g FROM generate_series(1, 500) g;
    CREATE TABLE lost (id int);
    CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
    CREATE FUNCTION g() RETURNS int LANGUAGE sql AS 'SELECT 1';
    CREATE TRIGGER tr BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION f();
    GRANT SELECT ON t TO pg_monitor;
"""
MARIADB = """
    CREATE TABLE t (id int AUTO_INCREMENT PRIMARY KEY, v text);
    INSERT INTO t (v) SELECT CONCAT('row ', seq) FROM seq_1_to_500;
    CREATE TABLE lost (id int);
    CREATE SEQUENCE s;
    CREATE FUNCTION g() RETURNS int DETERMINISTIC RETURN 1;
    CREATE TRIGGER tr BEFORE UPDATE ON t FOR EACH ROW SET NEW.v = NEW.v;
    CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO DELETE FROM lost;
"""
# A constraint whose function finds its table by the search path alone, as no client that restores has it.
UNLOADABLE = """
    CREATE TABLE known (k text);
    CREATE FUNCTION is_known(text) RETURNS boolean LANGUAGE plpgsql AS
        'BEGIN RETURN EXISTS (SELECT FROM known WHERE k = $1); END';
    CREATE TABLE bound (k text CHECK (is_known(k)));
    INSERT INTO known VALUES ('x');
    INSERT INTO bound VALUES ('x');
"""
# What changes between two dumps, and what the drill must say of each change.
CHANGES = {
    "postgresql": {
        "DROP TABLE lost": "inventory: tables",
        "DROP FUNCTION g()": "inventory: functions",
        "DROP TRIGGER tr ON t": "inventory: triggers",
        "REVOKE SELECT ON t FROM pg_monitor": "inventory: grants",
        "SELECT setval('t_id_seq', 4711)": "content of sequence public.t_id_seq",
        "DELETE FROM t WHERE id = 77": "rows of public.t",
    },
    "mariadb": {
        "DROP TABLE lost": "inventory: tables",
        "DROP FUNCTION g": "inventory: functions",
        "DROP TRIGGER tr": "inventory: triggers",
        "DROP EVENT e": "inventory: events",
        "SELECT setval(s, 4711)": "content of s",
    },
}


def _dumps(kind: str) -> Any:
    return postgresql_dumps if kind == "postgresql" else mysql_dumps


@pytest.mark.parametrize("kind", CHANGES)
def test_what_the_archive_lacks_or_has_otherwise_is_named(
    kind: str, request: pytest.FixtureRequest, repository: Path, work_dir: Path
) -> None:
    server = request.getfixturevalue("postgres15" if kind == "postgresql" else kind)
    options: dict[str, Any] = {"databases": ["wrong"], "row_counts": True, "fingerprints": True}
    with _dumps(kind).new_database(server, "wrong"):
        server.run_sql_script(POSTGRESQL if kind == "postgresql" else MARIADB, database="wrong")
        folder = entry_of(back_up(server, repository, **options), "wrong")["path"]
        for change in CHANGES[kind]:
            server.sql(change, database="wrong")
        other = entry_of(back_up(server, repository, **options), "wrong")["path"]
    with_archives_of(folder, other)
    result = drill_all(repository, select="all", work_dir=str(work_dir))
    verdicts = {entry["path"]: entry for entry in result["drills"]}
    assert verdicts[other]["verdict"] == "equal", verdicts[other]
    wrong = verdicts[folder]
    assert wrong["verdict"] == "different", wrong
    named = {line["what"] for line in wrong["differences"]}
    assert set(CHANGES[kind].values()) <= named, wrong["differences"]
    assert result["status"] == "failed"
    assert Path(folder).name in result["message"]
    assert not proven(Path(folder))
    assert proven(Path(other))


def test_without_fingerprints_a_changed_row_passes_and_the_verdict_says_so(
    postgres15: Any, repository: Path, work_dir: Path
) -> None:
    with postgresql_dumps.new_database(postgres15, "wrong"):
        postgres15.run_sql_script(POSTGRESQL, database="wrong")
        folder = entry_of(back_up(postgres15, repository, databases=["wrong"], row_counts=True), "wrong")["path"]
        postgres15.sql("UPDATE t SET v = 'Row 77' WHERE id = 77", database="wrong")
        other = entry_of(back_up(postgres15, repository, databases=["wrong"], row_counts=True), "wrong")["path"]
    with_archives_of(folder, other)
    entry = next(one for one in drill_all(repository, select="all")["drills"] if one["path"] == folder)
    assert entry["verdict"] == "equal"
    assert entry["content"] == "not compared with the source"
    assert {"what": "fingerprints", "why": "the backup was made without fingerprints"} in entry["not_compared"]


# What is lost, and what the drill must say of it. Losses of which it says the same stand apart.
LOSSES = [
    (
        "postgresql",
        {
            "REVOKE SELECT ON public.t FROM pg_monitor": "dump, ACL public.TABLE t",
            "ALTER ROLE drill_reader NOLOGIN": "grants",
            "UPDATE public.t SET v = 'Row 77' WHERE id = 77": "dump, TABLE DATA public.t",
            "ALTER DATABASE wrong RESET work_mem": "property settings",
        },
    ),
    (
        "mariadb",
        {
            "REVOKE SELECT ON wrong.t FROM drill_reader@'%%'": "grants",
            "UPDATE wrong.t SET v = 'Row 77' WHERE id = 77": "dump, Dumping data for table t",
            "ALTER EVENT wrong.e ON SCHEDULE EVERY 2 DAY": "dump, events",
        },
    ),
    ("mariadb", {"REVOKE PROCESS ON *.* FROM drill_reader@'%%'": "grants"}),
]


@pytest.mark.parametrize(("kind", "losses"), LOSSES, ids=["postgresql", "mariadb", "mariadb, a right on all"])
def test_what_a_restore_loses_is_named(
    kind: str, losses: dict[str, str], request: pytest.FixtureRequest, repository: Path, work_dir: Path
) -> None:
    """The losses happen in the private server, between restore and comparison."""
    server = request.getfixturevalue("postgres15" if kind == "postgresql" else kind)
    if kind == "postgresql":
        account, made = "drill_reader", ["CREATE ROLE drill_reader LOGIN", "ALTER DATABASE wrong SET work_mem = '7MB'"]
    else:
        account = "drill_reader@'%%'"
        made = [f"CREATE USER {account}", f"GRANT PROCESS ON *.* TO {account}", f"GRANT SELECT ON t TO {account}"]
    with _dumps(kind).new_database(server, "wrong"):
        server.run_sql_script(POSTGRESQL if kind == "postgresql" else MARIADB, database="wrong")
        try:
            for statement in made:
                server.sql(statement, database="wrong", parameters=())
            folder = entry_of(back_up(server, repository, databases=["wrong"]), "wrong")["path"]
        finally:
            server.sql(f"DROP {'ROLE' if kind == 'postgresql' else 'USER'} IF EXISTS {account}", parameters=())
    with restored(setting_of(folder, work_dir)) as state:
        with state.engine.server.connect("wrong") as connection:
            for loss in losses:
                connection.exec_driver_sql(loss, ())
        findings, stream = compare(state)
        confirm_rewrites(state, findings, stream)
    assert set(losses.values()) <= {line["what"] for line in findings.differences}, findings


def _small_backup(server: Any, repository: Path, **options: Any) -> str:
    with postgresql_dumps.new_database(server, "small"):
        server.run_sql_script(POSTGRESQL, database="small")
        path: str = entry_of(back_up(server, repository, databases=["small"], **options), "small")["path"]
    return path


def test_a_wrong_key_says_nothing_about_a_backup_and_ends_the_drill_before_it_begins(
    postgres15: Any, repository: Path, work_dir: Path
) -> None:
    path = Path(_small_backup(postgres15, repository))
    keys = Keys(identity=X25519Identity.generate().reveal())
    before = folder_state(path)
    with pytest.raises(WrongKey, match="the keys that were given do not open the backup"):
        drilled(repository, keys=keys, work_dir=str(work_dir))
    assert folder_state(path) == before


def test_a_path_that_cannot_be_read_stops_no_other_and_fails_the_call(
    postgres15: Any, repository: Path, work_dir: Path
) -> None:
    good = _small_backup(postgres15, repository)
    bad = repository / "20260101T000000Z-00000000"
    bad.mkdir()
    (bad / "manifest.json").write_text("{")
    paths = (str(bad), good)
    result = drill.run(DrillRequest(paths=paths, keys=KEYS, work_dir=str(work_dir)))
    assert result["status"] == "failed"
    assert [(one["path"], one["verdict"]) for one in result["drills"]] == [(good, "equal")]
    assert str(bad) in result["message"]
    with pytest.raises(ManifestDamaged):
        drill.run(DrillRequest(paths=(str(bad),), keys=KEYS, work_dir=str(work_dir)))


def test_a_truncated_part_is_a_failed_drill(postgres15: Any, repository: Path, work_dir: Path) -> None:
    folder = _small_backup(postgres15, repository, jobs=2)
    part = next(Path(folder).glob("data-0001*"))
    with part.open("r+b") as file:
        file.truncate(part.stat().st_size - 20)
    entry = drilled(repository, work_dir=str(work_dir))
    assert (entry["verdict"], entry["error_kind"]) == ("failed", "ArchiveDamaged")
    assert part.name in entry["error"]
    assert entry["record"] is not None


def test_a_part_that_is_truncated_with_its_record_is_a_failed_drill(
    postgres15: Any, repository: Path, work_dir: Path
) -> None:
    """As if the manifest had been written for the shorter file: age notices that the end is missing."""
    folder = _small_backup(postgres15, repository, jobs=2)
    part = next(Path(folder).glob("data-0001*"))
    with part.open("r+b") as file:
        file.truncate(part.stat().st_size - 20)

    def change(manifest: dict[str, Any]) -> None:
        next(one for one in manifest["archives"] if one["name"] == part.name)["stored_bytes"] -= 20

    edit_manifest(folder, change)
    entry = drilled(repository, work_dir=str(work_dir))
    assert (entry["verdict"], entry["error_kind"]) == ("failed", "ArchiveDamaged"), entry


def test_a_flipped_bit_is_a_failed_drill(postgres15: Any, repository: Path, work_dir: Path) -> None:
    folder = _small_backup(postgres15, repository)
    part = next(Path(folder).glob("data*"))
    content = bytearray(part.read_bytes())
    content[-100] ^= 1
    part.write_bytes(content)
    entry = drilled(repository, work_dir=str(work_dir))
    assert (entry["verdict"], entry["error_kind"]) == ("failed", "ArchiveDamaged"), entry


def test_a_manifest_that_was_changed_is_a_failed_drill(postgres15: Any, repository: Path, work_dir: Path) -> None:
    folder = _small_backup(postgres15, repository)
    path = Path(folder, "manifest.json")
    path.write_text(path.read_text(encoding="utf-8").replace('"functions": 2', '"functions": 3'), encoding="utf-8")
    entry = drilled(repository, work_dir=str(work_dir))
    assert (entry["verdict"], entry["error_kind"]) == ("failed", "ArchiveDamaged")
    assert "manifest.json" in entry["error"]


def test_a_manifest_of_another_backup_does_not_match(postgres15: Any, repository: Path, work_dir: Path) -> None:
    folder = _small_backup(postgres15, repository, row_counts=True)

    def change(manifest: dict[str, Any]) -> None:
        manifest["row_counts"]["public.t"] = 499

    edit_manifest(folder, change)
    entry = drilled(repository, work_dir=str(work_dir))
    assert entry["verdict"] == "different"
    assert entry["differences"] == [{"what": "rows of public.t", "expected": 499, "found": 500}]


def test_one_bad_backup_does_not_stop_the_others(postgres15: Any, repository: Path, work_dir: Path) -> None:
    bad = _small_backup(postgres15, repository)
    next(Path(bad).glob("data*")).unlink()
    with postgresql_dumps.new_database(postgres15, "good"):
        back_up(postgres15, repository, databases=["good"])
    result = drill_all(repository, work_dir=str(work_dir))
    assert {entry["database"]: entry["verdict"] for entry in result["drills"]} == {"small": "failed", "good": "equal"}
    assert result["status"] == "failed"
    assert servers_in(work_dir) == []


def test_rows_that_a_part_cannot_load_stop_no_other_drill_and_are_named(
    postgres15: Any, repository: Path, work_dir: Path
) -> None:
    for name in ("apple", "bad", "cherry"):
        with postgresql_dumps.new_database(postgres15, name):
            postgres15.sql("CREATE TABLE a (k text); CREATE TABLE b (k text)", database=name)
            if name == "bad":
                postgres15.sql(UNLOADABLE, database=name)
            back_up(postgres15, repository, databases=[name], jobs=2, accounts=False)
    result = drill_all(repository, select="all", work_dir=str(work_dir))
    entries = {entry["database"]: entry for entry in result["drills"]}
    assert entries["apple"]["verdict"] == entries["cherry"]["verdict"] == "equal"
    assert entries["bad"]["verdict"] in ("failed", "different")
    assert "bound" in str(entries["bad"]["differences"])
    assert "ALTER FUNCTION" in entries["bad"]["error"]
    assert "schema_only" in entries["bad"]["error"]
    assert entries["bad"]["record"] is not None


def test_a_newer_failed_drill_takes_the_proof_back(postgres15: Any, repository: Path, work_dir: Path) -> None:
    folder = _small_backup(postgres15, repository)
    assert drilled(repository, work_dir=str(work_dir))["verdict"] == "equal"
    assert proven(Path(folder))
    next(Path(folder).glob("data*")).unlink()
    assert drilled(repository, work_dir=str(work_dir))["verdict"] == "failed"
    assert not proven(Path(folder))
    assert len(list(Path(folder).glob("drill-*.json"))) == 2
