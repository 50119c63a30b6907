# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A restore whose rows are masked before anybody else can see them, on every engine."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from backupdb.engines.values import Script
from backupdb.errors import BackupNotFound, InvalidOption, RestoreRefused
from backupdb.repository.drill_records import write_drill
from backupdb.restore import run as restore
from backupdb.restore.request import Safety
from support.library import HOST, back_up, instance_of, stored_backups
from support.private_server import PrivateServer
from support.restores import clean, make_database, names, restore_request, restored

pytestmark = pytest.mark.usefixtures("mysql_programs")
MAIL = "alice@example.org"
MASK = Script("mask.sql", "DELETE FROM {}client WHERE n = 2;\nUPDATE {}client SET mail = 'masked';\n")
OTHER = "onlooker"
PASSWORD = "a-password-of-20-characters"
NO_SAFETY = {"safety": Safety(wanted=False, host=HOST)}


@pytest.fixture(params=["postgres15", "mariadb", pytest.param("mysql", marks=pytest.mark.mysql)])
def server(request: pytest.FixtureRequest) -> Iterator[PrivateServer]:
    private: PrivateServer = request.getfixturevalue(request.param)
    with clean(private):
        yield private


@pytest.fixture
def shop(server: PrivateServer, repository: Path) -> str:
    """A database with personal data, a view and a trigger, and its backup."""
    make_database(server, "shop")
    for statement in (
        "CREATE TABLE client (n int PRIMARY KEY, mail varchar(80) UNIQUE)",
        f"INSERT INTO client VALUES (1, '{MAIL}'), (2, 'bob@example.org')",
        "CREATE VIEW mails AS SELECT mail FROM client",
    ):
        server.sql(statement, database="shop")
    assert back_up(server, repository, databases=["shop"], accounts=False, row_counts=True)["status"] == "ok"
    return "shop"


def masking(server: PrivateServer, *scripts: Script) -> tuple[Script, ...]:
    """Scripts with the names of tables as the engine wants them: PostgreSQL's sessions have no search path."""
    schema = "public." if server.engine == "postgresql" else ""
    return tuple(Script(script.name, script.sql.replace("{}", schema)) for script in scripts)


def mails(server: PrivateServer, database: str) -> list[str]:
    return [row[0] for row in server.sql("SELECT mail FROM mails ORDER BY 1", database=database)]


def test_rows_are_masked_before_the_database_has_its_name_and_it_takes_the_place_of_the_old_one(
    server: PrivateServer, repository: Path, shop: str
) -> None:
    first = restored(server, repository, shop, target="staging", masking=masking(server, MASK))
    assert (mails(server, "staging"), first["masked_by"]) == (["masked"], ["mask.sql"])
    assert first["not_compared"] == []
    assert {"staging", "shop"} <= names(server)
    again = restored(
        server,
        repository,
        shop,
        target="staging",
        replace=True,
        confirm="staging",
        keep_replaced=False,
        masking=masking(server, MASK, Script("late.sql", "UPDATE {}client SET mail = 'twice'")),
        **NO_SAFETY,
    )
    assert (mails(server, "staging"), again["kept_as"]) == (["twice"], None)
    assert [name for name in names(server) if "_restoring_" in name or "_replaced_" in name] == []
    assert mails(server, "shop") == [MAIL, "bob@example.org"]
    if server.engine == "postgresql":
        limit = "SELECT datconnlimit FROM pg_database WHERE datname = 'staging'"
        assert server.sql(limit) == [(-1,)]
        known = "SELECT count(*) FROM pg_stats WHERE histogram_bounds::text || most_common_vals::text LIKE '%example%'"
        assert server.sql(known, database="staging") == [(0,)]


@pytest.mark.parametrize(
    ("sql", "told", "hidden"),
    [
        ("UPDATE {}client SET mail = 'x' WHERE n = 1;\nUPDATE {}nowhere SET mail = 'x';\n", "line 2", ""),
        (
            "UPDATE {}client SET mail = (SELECT mail FROM (SELECT mail FROM {}client WHERE n = 1) c)",
            "quote a row",
            MAIL,
        ),
    ],
)
def test_masking_that_fails_leaves_the_old_database_and_no_trace_of_the_new_one(
    server: PrivateServer, repository: Path, shop: str, sql: str, told: str, hidden: str
) -> None:
    make_database(server, "staging")
    server.sql("CREATE TABLE old (n int)", database="staging")
    before = names(server)
    result = restore.run(
        restore_request(
            server,
            repository,
            shop,
            target="staging",
            replace=True,
            confirm="staging",
            masking=masking(server, Script("mask.sql", sql)),
            **NO_SAFETY,
        )
    )
    assert result["status"] == "failed"
    assert "mask.sql" in result["message"] and told in result["message"], result["message"]
    assert "'staging' is as it was" in result["message"]
    assert not hidden or hidden not in str(result)
    assert (names(server), result["masked_by"]) == (before, [])
    assert list(server.sql("SELECT n FROM old", database="staging")) == []


def test_nobody_else_enters_before_the_masking_is_over(
    server: PrivateServer, repository: Path, shop: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The onlooker owns the database on PostgreSQL, and has rights on names like its own elsewhere."""
    seen: list[str] = []
    grant, drop = _onlooker(server, "shop")
    try:
        for statement in grant:
            server.sql(statement)
        back_up(server, repository, databases=["shop"], accounts=False)
        module = "postgresql" if server.engine == "postgresql" else "mysql"
        original = importlib.import_module(f"backupdb.engines.{module}.restore.scripts").run_scripts

        def run_scripts(*arguments: Any) -> None:
            name = next(name for name in names(server) if "_restoring_" in name)
            try:
                server.sql("SELECT mail FROM client", database=name, user=OTHER, password=PASSWORD)
                seen.append("let in")
            except Exception as error:  # noqa: BLE001  each driver has its own
                seen.append(str(error))
            if server.engine == "postgresql":
                with pytest.raises(Exception, match="must be owner"):
                    server.sql(f'ALTER DATABASE "{name}" CONNECTION LIMIT 5', user=OTHER, password=PASSWORD)
            original(*arguments)

        place = "engine" if module == "postgresql" else "base"
        monkeypatch.setattr(f"backupdb.engines.{module}.{place}.run_scripts", run_scripts)
        result = restored(server, repository, shop, target="shop_staging", masking=masking(server, MASK))
        assert len(seen) == 1 and ("too many connections" in seen[0] or "denied" in seen[0]), seen
        server.sql("SELECT 1", database="shop_staging", user=OTHER, password=PASSWORD)
        if server.engine == "postgresql":
            owner = "SELECT pg_get_userbyid(datdba), datconnlimit FROM pg_database WHERE datname = 'shop_staging'"
            assert server.sql(owner) == [(OTHER, -1)], result["warnings"]
        assert mails(server, "shop_staging") == ["masked"]
    finally:
        if server.engine == "postgresql":
            server.sql(f"REASSIGN OWNED BY {OTHER} TO CURRENT_USER")
        server.sql(drop)


def _onlooker(server: PrivateServer, database: str) -> tuple[list[str], str]:
    if server.engine == "postgresql":
        made = f"CREATE ROLE {OTHER} LOGIN PASSWORD '{PASSWORD}'"
        owned = f"ALTER DATABASE {database} OWNER TO {OTHER}"
        return [made, owned], f"DROP ROLE {OTHER}"
    account = f"'{OTHER}'@'%'"
    return (
        [f"CREATE USER {account} IDENTIFIED BY '{PASSWORD}'", f"GRANT ALL ON `{database}%`.* TO {account}"],
        f"DROP USER {account}",
    )


def test_masking_is_refused_where_others_cannot_be_kept_out(server: PrivateServer, repository: Path, shop: str) -> None:
    if server.engine == "postgresql":
        server.sql(f"CREATE ROLE {OTHER} LOGIN CREATEDB PASSWORD '{PASSWORD}'")
        drop, options = f"DROP ROLE {OTHER}", {"instance": instance_of(server, user=OTHER, password=PASSWORD)}
        words = "masking needs the login of a superuser"
    else:
        server.sql(f"CREATE USER '{OTHER}'@'%' IDENTIFIED BY '{PASSWORD}'")
        server.sql(f"GRANT SELECT ON `%`.* TO '{OTHER}'@'%'")
        drop, options = f"DROP USER '{OTHER}'@'%'", {}
        words = f"{OTHER}@% on %"
    try:
        with pytest.raises(RestoreRefused, match=words):
            restore.run(
                restore_request(server, repository, shop, target="staging", masking=masking(server, MASK), **options)
            )
    finally:
        server.sql(drop)
    assert "staging" not in names(server)


def test_the_newest_proven_backup_is_taken_and_never_one_of_the_server_itself_where_that_is_refused(
    server: PrivateServer, repository: Path, shop: str
) -> None:
    with pytest.raises(BackupNotFound, match="that a drill has proven, and 1 that none has"):
        restore.run(_proven(server, repository, target="staging"))
    old = stored_backups(repository, shop)[0]
    record = {"schema": 1, "backup_id": old.folder.name, "verdict": "equal", "finished": "2026-11-24T04:00:00Z"}
    write_drill(old.folder, record)
    server.sql("DELETE FROM client", database=shop)
    back_up(server, repository, databases=[shop], accounts=False)
    assert len(stored_backups(repository, shop)) == 2
    result = restore.run(_proven(server, repository, target="staging"))
    assert (result["status"], result["backup_id"]) == ("restored", old.folder.name), result["message"]
    assert len(mails(server, "staging")) == 2
    with pytest.raises(RestoreRefused, match="only_elsewhere"):
        same = _proven(server, repository, target="other", only_elsewhere=True)
        restore.run(same)


def _proven(server: PrivateServer, repository: Path, **options: Any) -> Any:
    request = restore_request(server, repository, "shop", **options)
    return replace(request, wanted=replace(request.wanted, proven=True))


@pytest.mark.parametrize(
    "options", [{"keep_failed": True}, {"enable_events": True}, {"data_only": True, "target": "x"}]
)
def test_what_would_show_unmasked_rows_is_refused_by_name(
    postgres15: PrivateServer, repository: Path, options: dict[str, Any]
) -> None:
    with pytest.raises(InvalidOption, match=r"masking and .* contradict each other"):
        restore_request(postgres15, repository, "shop", masking=(MASK,), **options)
