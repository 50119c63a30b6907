# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every engine keeps to, on a real server of each kind of `support.engines`.

Nothing here knows an engine: a new one passes these tests, or is not done.
"""

from __future__ import annotations

import json
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from backupdb.accounts.backup_login import LoginRequest, manage
from backupdb.accounts.compare import difference
from backupdb.accounts.restore import restore_accounts
from backupdb.backup import run as backup
from backupdb.connection.errors import ADVICE
from backupdb.connection.server import Server
from backupdb.engines.interface import Engine
from backupdb.engines.login_interface import WantedLogin
from backupdb.engines.registry import open_engine
from backupdb.engines.values import FATAL, Database, DumpOptions, Script, Snapshot
from backupdb.errors import BackupDbError, ClientMissing, ConnectionFailed, HookFailed, QueryFailed
from backupdb.hooks.options import hooks_from
from backupdb.repository import last_run, local
from backupdb.repository.catalogue import read_backup
from backupdb.repository.drill_records import proven
from backupdb.repository.left_out import is_whole
from backupdb.repository.problems import Problems
from backupdb.restore import run as restore
from backupdb.restore.request import Safety
from backupdb.verify.one_backup import verify_path
from support import accounts
from support.drills import drill_all, drilled, servers_in, with_archives_of, writing
from support.engines import ENGINES_UNDER_TEST, EngineUnderTest
from support.golden import assert_golden
from support.library import (
    HOST,
    IDENTITY,
    back_up,
    entry_of,
    instance_of,
    plain,
    request_for,
    stored_backups,
    unpublished,
)
from support.private_server import free_port
from support.restores import details_of, restore_request, restored, rewritten
from support.tree import folder_state

SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "manifest.schema.json").read_text(encoding="utf-8"))
COMPARED = {"row_counts": True, "fingerprints": True}
ODD = 'O\'dd "one"; -- ü'
PASSWORD = "password-of-an-odd-account"


class On:
    """The server of one kind, and what tests of every kind do there."""

    def __init__(self, kind: EngineUnderTest, server: Any) -> None:
        self.kind = kind
        self.server = server

    def make(self, name: str, *statements: str) -> str:
        """Make a database with these tables and rows; returns its name."""
        self.kind.make_database(self.server, name)
        for statement in statements:
            self.server.sql(statement, database=name)
        return name

    def make_shop(self) -> str:
        """Make a database with two rows."""
        return self.make(
            "shop",
            "CREATE TABLE item (n int NOT NULL PRIMARY KEY, name varchar(40))",
            "INSERT INTO item VALUES (1, 'one'), (2, 'two')",
        )

    def make_everything(self, name: str = "torture") -> str:
        """Make a database with one of everything."""
        self.make(name)
        self.server.run_sql_script(self.kind.everything, database=name)
        return name

    def items(self, database: str) -> list[int]:
        return [row[0] for row in self.server.sql("SELECT n FROM item ORDER BY n", database=database)]

    def names(self) -> set[str]:
        return self.kind.database_names(self.server)

    def count(self, table: str, database: str) -> int:
        return int(self.server.sql(f"SELECT COUNT(*) FROM {table}", database=database)[0][0])

    @contextmanager
    def opened(self, **login: Any) -> Iterator[Engine]:
        with open_engine(instance_of(self.server, **login)) as engine:
            yield engine

    @contextmanager
    def account(self, name: str, database: str) -> Iterator[str]:
        """A login without rights, as it is written in a GRANT; gone afterwards."""
        self.kind.drop_account(self.server, name, database=database)
        try:
            yield self.kind.make_account(self.server, name, PASSWORD)
        finally:
            self.kind.drop_account(self.server, name, database=database)


@pytest.fixture(params=[pytest.param(each, marks=each.marks, id=each.kind) for each in ENGINES_UNDER_TEST])
def on(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[On]:
    kind: EngineUnderTest = request.param
    for name in kind.fixtures:
        request.getfixturevalue(name)
    here = On(kind, request.getfixturevalue(kind.kind))
    folders = [str(folder) for folder in kind.program_folders(here.server)]
    monkeypatch.setenv("PATH", os.pathsep.join([*folders, os.environ["PATH"]]))
    before = here.names()
    try:
        yield here
    finally:
        for name in here.names() - before:
            kind.drop_database(here.server, name)
        kind.clean_up(here.server)


def database_of(engine: Engine, name: str) -> Database:
    return next(one for one in engine.databases() if one.name == name)


def when_opened(monkeypatch: pytest.MonkeyPatch, on: On, disturb: Callable[[], Any], *, begun: bool = False) -> None:
    """Have every snapshot of the engine disturbed as soon as it is open, or as soon as its clients have begun."""
    original = on.kind.engine.snapshot

    @contextmanager
    def snapshot(*arguments: Any) -> Iterator[Snapshot]:
        with original(*arguments) as opened:
            if not begun:
                disturb()
                yield opened
                return

            def wait_and_disturb(ended: Callable[[], int]) -> None:
                opened.begun(ended)
                disturb()

            yield replace(opened, begun=wait_and_disturb)

    monkeypatch.setattr(on.kind.engine, "snapshot", snapshot)


# -- the engine itself -----------------------------------------------------------------------------------------------


@pytest.mark.distro
def test_the_class_says_what_the_vendor_is_and_the_object_what_the_server_is(on: On) -> None:
    with on.opened() as engine:
        assert engine.__class__ is on.kind.engine
        assert engine.VENDOR == engine.detect_vendor(engine.server) == engine.facts.vendor == on.server.engine
        assert engine.facts is engine.facts
        assert engine.facts.role == "primary"
        assert engine.facts.version.startswith(".".join(str(number) for number in engine.facts.version_number[:2]))
        assert json.loads(json.dumps(engine.facts.settings)) == dict(engine.facts.settings)
        with engine.server.like(engine.server.instance) as other:
            twin = engine.using(other)
            assert (type(twin), twin.server, twin.facts) == (type(engine), other, engine.facts)
            # The first session in a database can make files there, so its size is not compared.
            listed = [[replace(one, size_bytes=None) for one in each.databases()] for each in (twin, engine)]
            assert listed[0] == listed[1]
        assert isinstance(engine.server, Server)
        assert engine.server is not twin.server


def test_databases_are_listed_by_their_names_and_those_of_the_server_are_left_out(on: On, repository: Path) -> None:
    odd = on.kind.odd_names[:4]
    for name in odd:
        on.make(name)
    with on.opened() as engine:
        found = {one.name: one for one in engine.databases()}
    assert set(found) == on.names()
    own = {name for name, one in found.items() if one.is_system}
    assert own and own == set(found) & set(on.kind.engine.SYSTEM_DATABASES)
    assert all(found[name].reason for name in own)
    assert all(found[name].connectable and found[name].reason is None for name in odd)
    plan = backup.run(request_for(instance_of(on.server), repository), check_mode=True)
    assert {entry["name"] for entry in plan["databases"]} == set(found) - own


# -- round trips -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("jobs", [1, 3])
def test_one_of_everything_is_restored_beside_the_original(on: On, repository: Path, jobs: int) -> None:
    name = on.make_everything()
    result = back_up(on.server, repository, databases=[name], jobs=jobs, **COMPARED)
    assert (result["status"], entry_of(result, name)["status"]) == ("ok", "complete"), result["message"]
    assert unpublished(repository) == []
    stored = stored_backups(repository, name)[0]
    parts = {archive["part"] for archive in stored.manifest["archives"]}
    # Routines that views may call are apart where the client would write them too late.
    assert len(parts - {"routines"}) == 1 if jobs == 1 else len(parts) >= jobs
    accounts_folder = Path(result["accounts"]["path"])
    for folder in (stored.folder, accounts_folder):
        text = (folder / "manifest.json").read_text(encoding="utf-8")
        jsonschema.validate(json.loads(text), SCHEMA)
        assert on.server.password not in text
    before = details_of(on.server, name)
    done = restored(on.server, repository, name, jobs=jobs)
    assert done["target"].startswith(f"{name}_restored_2")
    assert done["target"] in on.names()
    after = details_of(on.server, done["target"])
    assert after.inventory == before.inventory == stored.manifest["inventory"]
    assert after.row_counts == before.row_counts == stored.manifest["row_counts"]
    assert after.fingerprints == before.fingerprints == stored.manifest["fingerprints"]
    assert details_of(on.server, name).fingerprints == before.fingerprints


def test_one_of_everything_is_whole_after_a_masking_that_changes_nothing(on: On, repository: Path) -> None:
    name = on.make_everything()
    back_up(on.server, repository, databases=[name], **COMPARED)
    before = details_of(on.server, name)
    done = restored(on.server, repository, name, target="masked", masking=(Script("nothing.sql", "SELECT 1"),))
    assert done["masked_by"] == ["nothing.sql"]
    after = details_of(on.server, "masked")
    assert after.inventory == before.inventory
    assert after.row_counts == before.row_counts
    assert after.fingerprints == before.fingerprints
    assert [one for one in on.names() if "_restoring_" in one] == []


def test_a_database_is_restored_under_its_name_on_an_empty_server(
    on: On, repository: Path, server_factory: Callable[..., Any]
) -> None:
    name = on.make_everything()
    result = back_up(on.server, repository, databases=[name], **COMPARED)
    document = json.loads(plain(result["accounts"]["path"], "accounts", format="json"))
    before = details_of(on.server, name)
    empty = server_factory(on.kind.kind)
    with open_engine(instance_of(empty)) as engine:
        restore_accounts(engine, document)
        restored(empty, repository, name, target=name)
        again = restore_accounts(engine, document, existing="update", object_grants_for={name}).to_dict()
        assert again["status"] == "ok", again["message"]
    after = details_of(empty, name)
    assert after.inventory == before.inventory
    assert after.row_counts == before.row_counts
    assert after.fingerprints == before.fingerprints
    assert after.properties == before.properties


def test_odd_names_get_safe_paths_of_their_own_and_are_restored(on: On, repository: Path) -> None:
    names = on.kind.odd_names
    tables = {name: on.kind.quoted(f"t {name}"[:20].rstrip()) for name in names}
    for name, table in tables.items():
        on.make(name, f"CREATE TABLE {table} (n int)", f"INSERT INTO {table} VALUES (1), (2)")
    outside = set(repository.parent.iterdir())
    result = back_up(on.server, repository, databases=list(names), workers=2, row_counts=True)
    assert result["status"] == "ok", result["message"]
    paths = {entry["name"]: Path(entry["path"]) for entry in result["databases"]}
    assert len({str(path.parent).lower() for path in paths.values()}) == len(paths) == len(names)
    for name in names:
        assert paths[name].parent.parent == repository / HOST / "test"
        assert stored_backups(repository, name)[0].database == name
        on.kind.drop_database(on.server, name)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda name: restored(on.server, repository, name, target=name), names))
    for name, table in tables.items():
        assert on.count(table, name) == 2, name
    assert set(repository.parent.iterdir()) == outside


@pytest.mark.parametrize("jobs", [1, 3])
def test_what_filters_leave_out_is_not_there_and_all_else_is(on: On, repository: Path, jobs: int) -> None:
    odd = [f"t {name}"[:20].rstrip() for name in on.kind.odd_names]
    gone, empty = odd[::3], odd[1::3]
    name = on.make(
        "shop",
        *(f"CREATE TABLE {on.kind.quoted(table)} (n int PRIMARY KEY)" for table in odd),
        *(f"INSERT INTO {on.kind.quoted(table)} VALUES (1), (2)" for table in odd),
        "CREATE TABLE log_2025 (n int)",
        "CREATE TABLE log_2026 (n int)",
        "CREATE TABLE login (n int)",
        "CREATE TABLE Keep (n int)" if on.kind.engine.SWAPS else "CREATE TABLE keep (n int)",
    )
    filters = {"exclude_tables": ("log?????", *gone, "KEEP"), "exclude_table_data": tuple(empty)}
    result = back_up(on.server, repository, databases=[name], jobs=jobs, accounts=False, **COMPARED, **filters)
    entry = entry_of(result, name)
    assert (result["status"], entry["status"]) == ("ok", "complete"), result["message"]
    said = f"without {len(gone) + 2} tables and the rows of {len(empty)} tables"
    assert entry["without"] == said and f"{name}: {said}, as asked" in result["message"]
    assert [line for line in result["warnings"] if "'KEEP', which matches no table" in line] != []
    jsonschema.validate(json.loads(Path(entry["path"], "manifest.json").read_text(encoding="utf-8")), SCHEMA)
    back = restored(on.server, repository, name, target="back")
    assert back["without"] == said and said in back["message"]
    quoted = {table: on.kind.quoted(table) for table in (*odd, "login", "keep")}
    for table in (set(odd) | {"login", "keep"}) - set(gone):
        assert on.count(quoted[table], "back") == (0 if table in (*empty, "login", "keep") else 2), table
    for table in (*(quoted[one] for one in gone), "log_2025", "log_2026"):
        with pytest.raises(Exception, match="exist"):
            on.count(table, "back")
    if jobs == 1:
        return
    drill = drilled(repository)
    assert (drill["verdict"], drill["differences"], drill["without"]) == ("equal", [], said)
    for asked in [gone[0], *([f"public.{gone[1]}"] if on.kind.engine.SWAPS else [])]:
        refused = restore.run(restore_request(on.server, repository, name, tables=(asked,)), check_mode=True)
        assert refused["status"] == "failed" and "on purpose (exclude_table" in refused["message"], refused["message"]


def test_a_backup_that_leaves_out_something_else_is_not_fresh(on: On, repository: Path) -> None:
    name = on.make_shop()
    fresh = {"databases": [name], "accounts": False, "skip_if_newer_than": 3600.0}
    made = [
        entry_of(back_up(on.server, repository, **fresh, **filters), name)["status"]
        for filters in ({}, {"exclude_tables": ("i*",)}, {"exclude_tables": ("i*",)}, {})
    ]
    assert made == ["complete", "complete", "skipped", "skipped"]
    assert [is_whole(backup.manifest) for backup in stored_backups(repository, name)] == [False, True]
    # What a restore is about to replace is backed up with everything.
    result = restored(on.server, repository, name, target=name, replace=True, confirm=name)
    assert "will be without 1 table, which the backup leaves out on purpose" in "\n".join(result["warnings"])
    safety = read_backup(Path(result["safety_backup"])).manifest
    assert is_whole(safety) and "filters" not in safety
    on.kind.drop_database(on.server, result["kept_as"] or "none")


def test_a_misspelt_table_to_be_included_fails_the_run_and_one_to_be_excluded_warns(on: On, repository: Path) -> None:
    name = on.make_shop()
    asked = {"databases": [name], "accounts": False, "include_tables": ("item", "itxm"), "exclude_tables": ("itm",)}
    for check_mode in (True, False):
        result = backup.run(request_for(instance_of(on.server), repository, **asked), check_mode=check_mode)
        told = "\n".join(result["warnings"])
        assert "include_tables has 'itxm', which matches no table" in told and "nearest name is 'item'" in told
        assert "exclude_tables has 'itm', which matches no table" in told
    assert (result["status"], entry_of(result, name)["status"]) == ("failed", "complete")
    lines = [result["message"], *result["warnings"]]
    assert_golden(f"filters_that_match_nothing_{on.server.engine}", lines, {str(on.server.port): "PORT"})
    assert on.items(name) == [1, 2]


def test_a_database_is_replaced_and_the_old_one_is_kept_where_names_can_be_swapped(on: On, repository: Path) -> None:
    name = on.make_shop()
    back_up(on.server, repository, databases=[name], accounts=False, **COMPARED)
    on.server.sql("INSERT INTO item VALUES (3, 'three')", database=name)
    before = on.names()
    result = restored(on.server, repository, name, target=name, replace=True, confirm=name)
    assert on.items(name) == [1, 2]
    assert result["safety_backup"].startswith(str(repository / HOST / "test-before-restore" / name))
    assert len(stored_backups(repository, name)) == 1
    kept = on.names() - before
    assert kept == ({result["kept_as"]} if on.kind.engine.SWAPS else set())
    assert all(on.items(old) == [1, 2, 3] for old in kept)
    restored(on.server, repository, name, path=result["safety_backup"], target="old")
    assert on.items("old") == [1, 2, 3]
    if not on.kind.engine.SWAPS:
        with on.opened() as engine, pytest.raises(NotImplementedError):
            engine.swap("old", name)


def test_a_dropped_database_is_gone_with_the_sessions_in_it(on: On, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable, seconds in on.kind.patience.items():
        monkeypatch.setattr(variable, seconds)
    name = on.make_shop()
    other = on.server.connect(database=name)
    with other.cursor() as cursor, on.opened() as engine:
        cursor.execute("BEGIN")
        cursor.execute("SELECT * FROM item")
        engine.drop_database(name)
        assert name not in on.names()
        engine.drop_database(name)  # gone already: no fault
        with pytest.raises(Exception):  # noqa: B017  # each driver has its own
            cursor.execute("SELECT * FROM item")


# -- snapshots -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("jobs", [1, 2])
def test_what_is_written_after_the_snapshot_is_not_in_the_backup(
    on: On, repository: Path, jobs: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = on.make_shop()
    write = "INSERT INTO item VALUES (3, 'three')"
    when_opened(monkeypatch, on, lambda: on.server.sql(write, database=name), begun=True)
    result = back_up(on.server, repository, databases=[name], jobs=jobs, accounts=False, **COMPARED)
    assert result["status"] == "ok", result["message"]
    monkeypatch.undo()
    assert on.items(name) == [1, 2, 3]


@pytest.mark.parametrize("jobs", [1, 2])
def test_pairs_that_are_written_during_the_backup_stay_pairs(on: On, repository: Path, jobs: int) -> None:
    sides = ("left_side", "right_side")
    name = on.make("pairs", *(f"CREATE TABLE {side} (v int)" for side in sides))

    def write(cursor: Any) -> None:
        for statement in ("BEGIN", *(f"INSERT INTO {side} VALUES (1)" for side in sides), "COMMIT"):
            cursor.execute(statement)

    with writing(write, lambda: on.server.connect(database=name)):
        options: dict[str, Any] = {"databases": [name], "jobs": jobs, "accounts": False, "row_counts": True}
        paths = [entry_of(back_up(on.server, repository, **options), name)["path"] for _number in range(2)]
    counted = []
    for number, path in enumerate(paths):
        target = restored(on.server, repository, name, path=path, target=f"pairs{number}")["target"]
        left, right = (on.count(side, target) for side in sides)
        assert left == right
        assert set(read_backup(Path(path)).manifest["row_counts"].values()) == {left}
        counted.append(left)
    assert counted[0] < counted[1] < on.count("left_side", name)


@pytest.mark.distro
def test_a_snapshot_whose_sessions_were_ended_does_not_pass_for_one(on: On) -> None:
    name = on.make_shop()
    options = DumpOptions(**COMPARED)
    with on.opened() as engine:
        client = engine.usable_dump_client(options)
        with engine.snapshot(client, database_of(engine, name), options, []) as snapshot:
            on.kind.end_sessions(on.server)
            with pytest.raises(BackupDbError):  # which of the three notices is the engine's affair
                snapshot.begun(lambda: snapshot.at_once)
                snapshot.check()
                snapshot.details()


def test_nothing_of_a_lost_snapshot_is_published(on: On, repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = on.make_shop()
    back_up(on.server, repository, databases=[name], accounts=False)
    when_opened(monkeypatch, on, lambda: on.kind.end_sessions(on.server))
    result = back_up(on.server, repository, databases=[name], accounts=False)
    entry = entry_of(result, name)
    assert (result["status"], entry["status"]) == ("failed", "failed")
    assert entry["error"]
    assert unpublished(repository) == []
    assert len(stored_backups(repository, name)) == 1


# -- faults ----------------------------------------------------------------------------------------------------------


def test_a_missing_privilege_is_named_with_the_grant_that_mends_it(on: On, repository: Path) -> None:
    name = on.make_shop()
    with on.opened() as engine:
        database = database_of(engine, name)
    with on.account(ODD, name):
        login = {"user": ODD, "password": PASSWORD}
        named = []
        for _round in range(3):  # some rights can be seen only with others
            with on.opened(**login) as engine:
                missing = engine.missing_privileges([database], DumpOptions())
            for one in missing:
                assert one.privilege and one.effect
                on.server.sql(one.grant, database=name)
            named += missing
        assert any(one.severity == FATAL for one in named)
        assert missing == []
        result = backup.run(request_for(instance_of(on.server, **login), repository, databases=[name], accounts=False))
    assert result["status"] == "ok", result["message"]
    assert result["missing_privileges"] == []


@pytest.mark.distro
def test_a_login_without_rights_fails_with_the_grants_and_stores_nothing(on: On, repository: Path) -> None:
    name = on.make_shop()
    with on.account("weak", name) as account:
        on.server.sql(f"GRANT INSERT ON item TO {account}", database=name)  # so that it is listed everywhere
        weak = instance_of(on.server, user="weak", password=PASSWORD)
        result = backup.run(request_for(weak, repository, databases=[name], accounts=False))
    assert result["status"] == "failed"
    assert "GRANT SELECT ON" in entry_of(result, name)["error"]
    assert not list(repository.glob("**/manifest.json"))


def test_a_missing_client_is_told_with_its_package_before_anything_is_written(
    on: On, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = on.make_shop()
    with on.opened() as engine:
        package = engine.package_hint()
    for variable in on.kind.client_folders:
        monkeypatch.setattr(variable, ())
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(ClientMissing) as caught:
        back_up(on.server, repository, databases=[name])
    assert f"install {package}" in str(caught.value)
    assert len(folder_state(repository)) <= 1


FAULTS: dict[str, Callable[[], dict[str, Any]]] = {
    "wrong_password": lambda: {"password": "wrong-canary-6f21"},
    "unknown_host": lambda: {"host": "no-such-host.invalid"},
    "refused": lambda: {"port": free_port()},
    "no_socket": lambda: {"host": None, "unix_socket": "/nonexistent/socket"},
    "unknown_database": lambda: {"database": "no such database"},
}


class NeverWaited(threading.Event):
    """A reason to stop for which nobody may wait: one waits before a login is tried again."""

    def wait(self, timeout: float | None = None) -> bool:
        raise AssertionError(f"a login is tried again in {timeout} seconds")


@pytest.mark.distro
@pytest.mark.parametrize("kind", FAULTS)
def test_faults_of_a_connection_are_told_apart_once_and_without_the_password(on: On, kind: str) -> None:
    instance = instance_of(on.server, **FAULTS[kind]())
    cancel = threading.Event() if kind == "refused" else NeverWaited()
    with pytest.raises(ConnectionFailed) as caught, open_engine(instance, cancel):
        pass
    text = str(caught.value)
    assert caught.value.kind == kind
    assert text.count(ADVICE[kind]) == 1
    assert instance.where() in text
    assert str(instance.password) not in text


@pytest.mark.distro
def test_a_refused_statement_carries_the_servers_code(on: On) -> None:
    with on.opened() as engine, pytest.raises(QueryFailed) as caught:
        engine.server.value("SELECT * FROM nothing_like_this")
    assert caught.value.code


def test_an_archive_that_was_cut_short_is_found_by_its_format_and_replaces_nothing(on: On, repository: Path) -> None:
    """Its digests say that it is whole, as they would had the dump client ended too early."""
    name = on.make_shop()
    rows = ", ".join(f"({number}, 'row {number}')" for number in range(3, 2000))
    on.server.sql(f"INSERT INTO item VALUES {rows}", database=name)
    back_up(on.server, repository, databases=[name], accounts=False, row_counts=True)
    folder = stored_backups(repository, name)[0].folder
    assert verify_path(folder, level="decrypt", identities=(IDENTITY,))["verdict"] == "good"
    for kept in (0.999, 0.6):
        rewritten(folder, "data", lambda content, kept=kept: content[: int(len(content) * kept)])
        assert verify_path(folder, level="digest", identities=(IDENTITY,))["verdict"] == "good"
        found = verify_path(folder, level="decrypt", identities=(IDENTITY,))
        assert found["verdict"] == "damaged", (kept, found)
    options = {"replace": True, "confirm": name, "safety": Safety(wanted=False)}
    try:
        result = restore.run(restore_request(on.server, repository, name, target=name, **options))
    except BackupDbError:
        pass
    else:
        assert result["status"] == "failed", result
    assert on.count("item", name) == 1999


# -- hooks and second attempts ---------------------------------------------------------------------------------------


def noting(folder: Path) -> str:
    """Make a program that appends what it is told to the file `told`, and fails where its argument says so."""
    program = folder / "note it"
    program.write_text(
        "#!/bin/sh\n"
        'echo "$BACKUPDB_HOOK ${BACKUPDB_DATABASE-run} ${BACKUPDB_STATUS-}" >>"$1/told"\n'
        'env | grep ^BACKUPDB_ | sort >"$1/variables"; echo "I am $2"; [ "$2" != broken ]\n'
    )
    program.chmod(0o755)
    return str(program)


def hooks_of(*entries: dict[str, Any]) -> dict[str, Any]:
    return {"hooks": hooks_from(entries)}


def test_hooks_surround_the_run_and_each_of_its_databases(on: On, repository: Path, tmp_path: Path) -> None:
    shop, program = on.make_shop(), noting(tmp_path)
    each = [
        {"when": when, "per": per, "command": [program, str(tmp_path), "well"]}
        for when in ("after", "before", "on_failure")
        for per in ("run", "database")
    ]
    making = {"when": "before", "sql": "CREATE DATABASE made_by_a_hook"}
    done = back_up(on.server, repository, databases=[shop, "made*"], workers=1, **hooks_of(making, *each))
    assert done["status"] == "ok", done["message"]
    told = (tmp_path / "told").read_text(encoding="utf-8").splitlines()
    assert (told[0], told[-1]) == ("before run ", "after run ok")
    assert sorted(told[1:-1]) == [
        "after made_by_a_hook complete",
        f"after {shop} complete",
        "before made_by_a_hook ",
        f"before {shop} ",
    ]
    assert {hook["status"] for hook in done["hooks"]} == {"ok"}
    assert done["hooks"][1]["output"] == "I am well"
    variables = (tmp_path / "variables").read_text(encoding="utf-8")
    assert f"BACKUPDB_RUN_ID={done['run_id']}\n" in variables
    assert on.server.password not in variables


def test_a_hook_that_fails_before_stops_what_it_is_for_and_the_others_go_on(
    on: On, repository: Path, tmp_path: Path
) -> None:
    shop, other, program = on.make_shop(), on.make("other"), noting(tmp_path)
    afterwards = [
        {"when": when, "per": "database", "command": [program, str(tmp_path)]} for when in ("after", "on_failure")
    ]
    bad = {"when": "before", "per": "database", "databases": ["sh*"], "sql": "SELECT no_such_column"}
    done = back_up(on.server, repository, databases=[shop, other], workers=1, **hooks_of(bad, *afterwards))
    assert done["status"] == "failed"
    assert "hook SQL statement before database 'shop' failed" in entry_of(done, shop)["error"]
    assert "no_such_column" in entry_of(done, shop)["error"]
    assert_golden(f"hook_that_fails_{on.server.engine}", [done["message"]], {str(on.server.port): "PORT"})
    assert entry_of(done, other)["status"] == "complete"
    told = (tmp_path / "told").read_text(encoding="utf-8").splitlines()
    assert sorted(told) == ["after other complete", "after shop failed", "on_failure shop failed"]

    broken = {"when": "before", "command": [program, str(tmp_path), "broken"]}
    cleaning = {"when": "after", "command": [program, str(tmp_path)]}
    with pytest.raises(HookFailed, match="exit status 1: I am broken"):
        back_up(on.server, repository, databases=[shop], **hooks_of(broken, cleaning))
    assert not stored_backups(repository, shop)
    assert (tmp_path / "told").read_text(encoding="utf-8").splitlines()[-1] == "after run failed"
    done = back_up(on.server, repository, databases=[shop], **hooks_of({**broken, "on_error": "warn"}))
    assert done["status"] == "ok"
    assert any("hook note it before the run failed" in line for line in done["warnings"])


def test_a_hook_that_fails_afterwards_leaves_the_backup_and_a_partial_run(on: On, repository: Path) -> None:
    shop, began = on.make_shop(), time.monotonic()
    slow = {"when": "after", "per": "database", "sql": on.kind.sleep, "timeout": "1s"}
    gone = {"when": "after", "command": ["/no/such/program"]}
    done = back_up(on.server, repository, databases=[shop], **hooks_of(slow, gone))
    assert done["status"] == "partial"
    assert entry_of(done, shop)["status"] == "complete"
    assert "not finished within timeout (1 seconds)" in done["message"]
    assert "/no/such/program is not a program" in done["message"]
    assert time.monotonic() - began < 40
    record = last_run.read(local.instance_path(repository, HOST, "test"), Problems())
    assert record is not None and record.status == "partial"


def test_what_failed_is_tried_once_more_and_what_can_only_fail_again_is_not(
    on: On, repository: Path, tmp_path: Path
) -> None:
    shop, other = on.make_shop(), on.make("other")
    flag = tmp_path / "tried"
    once = ["/bin/sh", "-c", 'if [ -e "$0" ]; then exit 0; fi; touch "$0"; exit 1', str(flag)]
    failing = {"when": "before", "per": "database", "databases": [shop], "command": once}
    done = back_up(on.server, repository, databases=[shop, other], retry_after=0.1, **hooks_of(failing))
    assert done["status"] == "ok", done["message"]
    assert any("failed at first" in line for line in entry_of(done, shop)["warnings"])
    assert entry_of(done, other)["warnings"] == []
    assert len(stored_backups(repository, other)) == 1

    flag.unlink()
    done = back_up(on.server, repository, databases=[shop], **hooks_of(failing))
    assert done["status"] == "failed"
    always = {"when": "before", "per": "database", "command": ["/bin/false"]}
    done = back_up(on.server, repository, databases=[shop], retry_after=0.1, **hooks_of(always))
    assert entry_of(done, shop)["error"].endswith("(in both attempts)")


# -- drills ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("jobs", [1, pytest.param(2, marks=pytest.mark.distro)])
def test_one_of_everything_passes_a_drill(on: On, repository: Path, work_dir: Path, jobs: int) -> None:
    name = on.make_everything()
    result = back_up(on.server, repository, databases=[name], jobs=jobs, **COMPARED)
    assert result["status"] == "ok", result["message"]
    entry = drilled(repository, work_dir=str(work_dir), jobs=jobs)
    assert entry["verdict"] in on.kind.drill_verdicts, (entry["differences"], entry["rewritten"])
    assert entry["compared"] == ["inventory", "row_counts", "fingerprints", "properties", "stream", "grants"]
    assert entry["not_compared"] == []
    assert entry["content"] == "compared with the source by fingerprints"
    assert all(entry["seconds"][key] > 0 for key in ("restore", "compare", "total"))
    kept = json.loads(Path(entry["record"]).read_text(encoding="utf-8"))
    of_result = {key: entry[key] for key in ("path", "record", "record_in_copy")}
    assert {**kept, **of_result} == entry
    assert entry["record_in_copy"] is None
    assert Path(entry["record"]).stat().st_mode & 0o777 == 0o600
    assert proven(Path(entry["path"]))
    assert list(work_dir.iterdir()) == []
    assert servers_in(work_dir) == []


def test_a_backup_that_has_another_row_than_it_says_does_not_pass_a_drill(
    on: On, repository: Path, work_dir: Path
) -> None:
    name = on.make_shop()
    options: dict[str, Any] = {"databases": [name], "accounts": False, **COMPARED}
    folder = entry_of(back_up(on.server, repository, **options), name)["path"]
    on.server.sql("UPDATE item SET name = 'Two' WHERE n = 2", database=name)
    other = entry_of(back_up(on.server, repository, **options), name)["path"]
    with_archives_of(folder, other)
    shutil.rmtree(other)
    result = drill_all(repository, work_dir=str(work_dir))
    (entry,) = result["drills"]
    assert (result["status"], entry["verdict"]) == ("failed", "different"), entry
    (line,) = entry["differences"]
    assert line["what"].startswith("content of ") and line["what"].endswith("item")
    assert Path(folder).name in result["message"]
    assert not proven(Path(folder))


# -- accounts --------------------------------------------------------------------------------------------------------


def test_an_account_is_stored_readable_and_comes_back_with_its_password_and_rights(on: On, repository: Path) -> None:
    name = on.make_shop()
    with on.account(ODD, name) as account:
        on.server.sql(f"GRANT SELECT ON item TO {account}", database=name)
        folder = back_up(on.server, repository, databases=[name])["accounts"]["path"]
        document = json.loads(plain(folder, "accounts", format="json"))
        assert account in plain(folder, "accounts", format="sql").decode()
        (stored,) = (one for one in document["accounts"] if one["name"] == ODD)
        assert any(statement["kind"] == "identity" for statement in stored["statements"])
        assert not any(one["name"].startswith(tuple(on.kind.own_accounts)) for one in document["accounts"])
        assert difference(document, accounts.exported(on.server)) == []
        on.kind.drop_account(on.server, ODD, database=name)
        assert len(difference(document, accounts.exported(on.server))) > 0
        result = accounts.restored(on.server, document)
        assert (result["status"], result["errors"], result["waiting"]) == ("ok", [], []), result
        assert difference(document, accounts.exported(on.server)) == result["difference"] == []
        assert on.server.sql("SELECT 1", user=ODD, password=PASSWORD)[0][0] == 1
        again = accounts.restored(on.server, document)
        assert (again["changed"], again["statements"]) == (False, [])


def test_the_backup_login_makes_a_whole_backup_and_can_write_nothing(on: On, repository: Path) -> None:
    name = on.make_shop()
    administrator = instance_of(on.server, unix_socket=str(on.server.socket))
    request = LoginRequest(administrator, WantedLogin(ODD, host="%", password=PASSWORD))
    try:
        planned = manage(request, check_mode=True)
        made = manage(request)
        assert (made["status"], made["changed"], made["write_refused"]) == ("ok", True, True), made
        assert planned["statements"] == made["statements"]
        assert {attempt["refused"] for attempt in made["write_attempts"]} == {True}
        assert manage(request)["changed"] is False
        login = instance_of(on.server, user=ODD, password=PASSWORD)
        result = backup.run(request_for(login, repository, databases=[name], jobs=2, row_counts=True))
        assert result["missing_privileges"] == []
        assert result["status"] == "ok", result["message"]
        assert {entry["status"] for entry in [*result["databases"], result["accounts"]]} == {"complete"}
        assert manage(replace(request, absent=True))["changed"] is True
    finally:
        on.kind.drop_account(on.server, ODD, database=name)
