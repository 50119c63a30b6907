# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The commands of docs/recovery.md, taken from the page as they stand, bring backups back on another, empty server.

Only the values at the top of the page are the test's own. Nothing of the collection takes part in the recovery.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from backupdb.accounts.compare import difference
from support import mysql_sid
from support.accounts import exported
from support.ansible import ROOT
from support.library import HOST, back_up
from support.mysql_dumps import execute, new_database
from support.postgresql_dumps import drop_database

PAGE = ROOT / "docs" / "recovery.md"
PASSWORD = "password-of-an-account"
# The ways in which archives may be stored: jobs, and options of the run.
STORED = [
    pytest.param(1, {}, id="one-archive"),
    pytest.param(2, {}, id="several-archives"),
    pytest.param(1, {"compression": "gzip"}, id="gzip"),
    pytest.param(2, {"compression": "none", "encryption": "none"}, id="plain"),
]


def blocks_of_page() -> dict[str, list[str]]:
    """The page's commands, block by block, under the heading of their chapter ("" before the first)."""
    found: dict[str, list[str]] = {}
    for chapter in re.split(r"^## ", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE):
        title = chapter.splitlines()[0] if found else ""
        found[title] = re.findall(r"^```sh\n(.*?)^```$", chapter, flags=re.MULTILINE | re.DOTALL)
    return found


def script_for(engine: str, **values: str) -> str:
    """All commands for an engine in the order of the page, with the values that a reader fills in."""
    pieces = []
    left = dict(values)
    for title, blocks in blocks_of_page().items():
        others = {"postgresql": "MariaDB", "mariadb": "PostgreSQL", "mysql": "PostgreSQL"}[engine]
        if others in title:
            continue
        for block in blocks:
            lines = []
            for line in block.splitlines():
                name = line.partition("=")[0]
                lines.append(f"{name}='{left.pop(name)}'" if name in left else line)
            pieces.append("\n".join(lines))
    assert left == {}, "the page has no place for these values"
    # Every command must succeed, unless the page itself says otherwise; what a pipe ends with is told by pipefail.
    return "\n".join(["set -e", *pieces, "echo all commands done"])


def follow_page(engine: str, folder: Path, environment: dict[str, str], **values: str) -> str:
    """Run the page's commands by bash on a bare host, as it were, with a home of its own."""
    # The chapter about the library needs a Python that has what it imports.
    path = f"{Path(sys.executable).parent}:{environment.get('PATH', os.environ['PATH'])}"
    done = subprocess.run(
        ["bash", "-c", script_for(engine, collection=str(ROOT), **values)],
        check=False,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={"HOME": str(folder), "LC_ALL": "C.UTF-8", **environment, "PATH": path},
        timeout=300,
    )
    output = done.stdout.decode("utf-8", "replace")
    assert done.returncode == 0, output
    assert output.endswith("all commands done\n")
    assert "NOT READABLE" not in output
    assert "FAILED" not in output
    return output


@pytest.fixture
def home(scratch: Path) -> Path:
    folder = scratch / "home"
    folder.mkdir(mode=0o700)
    return folder


def stored_by(jobs: int, options: dict[str, str]) -> dict[str, Any]:
    from backupdb.archives.envelope import Encryption
    from backupdb.streams.compression import Compression

    named: dict[str, Any] = {"jobs": jobs, "row_counts": True}
    if "compression" in options:
        named["compression"] = Compression(method=options["compression"])
    if "encryption" in options:
        named["encryption"] = Encryption(mode=options["encryption"])
    return named


POSTGRESQL = f"""
CREATE ROLE rec_owner NOLOGIN;
CREATE ROLE rec_app LOGIN PASSWORD '{PASSWORD}' IN ROLE rec_owner;
ALTER ROLE rec_app SET statement_timeout = '90s';
CREATE DATABASE rec_shop OWNER rec_owner TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C.UTF-8';
REVOKE CONNECT ON DATABASE rec_shop FROM PUBLIC;
GRANT CONNECT ON DATABASE rec_shop TO rec_app;
ALTER ROLE rec_app IN DATABASE rec_shop SET work_mem = '5MB';
\\connect rec_shop
CREATE TABLE orders (id int PRIMARY KEY, note text CHECK (note <> ''));
INSERT INTO orders SELECT g, 'order ' || g FROM generate_series(1, 1000) g;
CREATE TABLE lines (id serial, orders_id int REFERENCES orders DEFERRABLE INITIALLY DEFERRED);
INSERT INTO lines (orders_id) SELECT g FROM generate_series(1, 1000) g;
CREATE INDEX ON lines (orders_id);
CREATE VIEW totals AS SELECT count(*) FROM lines;
CREATE FUNCTION stop() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$;
CREATE TRIGGER stop BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION stop();
GRANT SELECT ON orders TO rec_app;
SELECT lo_from_bytea(0, 'large');
"""


@pytest.fixture
def postgresql(postgres15: Any) -> Iterator[Any]:
    postgres15.run_sql_script(POSTGRESQL)
    try:
        yield postgres15
    finally:
        drop_database(postgres15, "rec_shop")
        postgres15.sql("DROP ROLE rec_app, rec_owner")


def test_every_command_of_the_page_is_run_for_one_engine_at_least() -> None:
    # The way back for a whole host is the collection's own, and its commands are run by the tests of the rebuild.
    pages = {title: blocks for title, blocks in blocks_of_page().items() if "whole host" not in title.lower()}
    assert len(pages) == 7
    run = script_for("postgresql") + script_for("mariadb")
    for blocks in pages.values():
        assert blocks
        assert all(block.rstrip("\n") in run for block in blocks)


@pytest.mark.parametrize(("jobs", "options"), STORED)
def test_the_page_brings_postgresql_back(
    postgresql: Any,
    server_factory: Callable[..., Any],
    repository: Path,
    identity_file: Path,
    home: Path,
    jobs: int,
    options: dict[str, str],
) -> None:
    result = back_up(postgresql, repository, databases=["rec_shop"], **stored_by(jobs, options))
    assert result["status"] == "ok"
    other = server_factory("postgres15")
    dump = ["pg_dump", "--dbname=rec_shop"]
    before = dumped(postgresql, dump)
    output = follow_page(
        "postgresql",
        home,
        other.client_environment() | {"HOME": str(home)},
        repository=str(repository),
        key=str(identity_file),
        host=HOST,
        instance="test",
        database="rec_shop",
        target="rec_shop",
    )
    assert '"status": "complete"' in output
    assert dumped(other, dump) == before
    count = "SELECT count(*), max(note) FROM orders"
    assert other.sql(count, database="rec_shop_table") == [(1000, "order 999")]
    for table in ("lines", "totals"):
        assert other.sql(f"SELECT to_regclass('{table}')", database="rec_shop_table") == [(None,)]
    properties = (
        "SELECT pg_encoding_to_char(encoding), datcollate, datctype, pg_get_userbyid(datdba),"
        " (SELECT array_agg(right_::text ORDER BY right_::text) FROM unnest(datacl) AS right_)"
        " FROM pg_database WHERE datname = 'rec_shop'"
    )
    assert other.sql(properties) == postgresql.sql(properties)
    assert other.sql("SELECT current_user", user="rec_app", password=PASSWORD, database="rec_shop") == [("rec_app",)]
    assert difference(exported(postgresql), exported(other)) == []


def dumped(server: Any, command: list[str]) -> str:
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=server.client_environment())
    return re.sub(r"^\\(un)?restrict .*$", "", done.stdout, flags=re.MULTILINE)


MYSQL = (
    "CREATE TABLE orders (id INT PRIMARY KEY, note TEXT, b BLOB)",
    "CREATE TABLE orderlines (id INT AUTO_INCREMENT PRIMARY KEY, n INT, FOREIGN KEY (n) REFERENCES orders (id))",
    "INSERT INTO orders VALUES (1, 'one', 0x0001FF), (2, 'two''s', NULL)",
    "INSERT INTO orderlines (n) VALUES (1), (2)",
    "CREATE VIEW totals AS SELECT COUNT(*) FROM orderlines",
    "CREATE PROCEDURE p() SELECT 1",
    "CREATE TRIGGER t BEFORE INSERT ON orders FOR EACH ROW SET NEW.note = CONCAT(NEW.note, '!')",
    f"CREATE USER rec_app@'%' IDENTIFIED BY '{PASSWORD}'",
    "CREATE ROLE rec_role",
    "GRANT rec_role TO rec_app@'%'",
    "GRANT SELECT ON rec_shop.orders TO rec_app@'%'",
    "GRANT EXECUTE ON PROCEDURE rec_shop.p TO rec_app@'%'",
    "GRANT INSERT ON rec_shop.* TO rec_role",
)
DIGEST = (
    "SELECT (SELECT GROUP_CONCAT(id, note, COALESCE(HEX(b), 'none')) FROM orders),"
    " (SELECT GROUP_CONCAT(id, n) FROM orderlines), (SELECT * FROM totals),"
    " (SELECT COUNT(*) FROM information_schema.triggers WHERE trigger_schema = DATABASE()),"
    " (SELECT COUNT(*) FROM information_schema.routines WHERE routine_schema = DATABASE()),"
    " (SELECT CONCAT(default_character_set_name, default_collation_name) FROM information_schema.schemata"
    " WHERE schema_name = DATABASE())"
)


@pytest.fixture(
    params=[pytest.param("mariadb"), pytest.param("mysql", marks=pytest.mark.mysql)],
)
def my_server(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    if request.param == "mysql":
        monkeypatch.setenv("PATH", f"/usr/bin:/bin:{mysql_sid.programs()}")
    server = request.getfixturevalue(request.param)
    unmake = ("DROP USER IF EXISTS rec_app@'%'", "DROP ROLE IF EXISTS rec_role")
    with new_database(server, "rec_shop", "CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci"):
        execute(server, *unmake, *MYSQL, database="rec_shop")
        try:
            yield server
        finally:
            execute(server, *unmake)


@pytest.mark.parametrize(("jobs", "options"), STORED)
def test_the_page_brings_mariadb_and_mysql_back(
    my_server: Any,
    server_factory: Callable[..., Any],
    repository: Path,
    identity_file: Path,
    home: Path,
    jobs: int,
    options: dict[str, str],
) -> None:
    result = back_up(my_server, repository, databases=["rec_shop"], **stored_by(jobs, options))
    assert result["status"] == "ok", result
    engine = my_server.engine
    other = server_factory(engine)
    (home / ".my.cnf").touch(mode=0o600)
    (home / ".my.cnf").write_text(
        f'[client]\nuser={other.user}\npassword="{other.password}"\nsocket={other.socket}\n', encoding="utf-8"
    )
    names = {"client": "mysql", "dump": "mysqldump --set-gtid-purged=OFF"} if engine == "mysql" else {}
    path = f"{mysql_sid.programs()}:/usr/bin:/bin" if engine == "mysql" else "/usr/bin:/bin"
    follow_page(
        engine,
        home,
        {"PATH": path},
        repository=str(repository),
        key=str(identity_file),
        host=HOST,
        instance="test",
        database="rec_shop",
        target="rec_shop",
        **names,
    )
    assert execute(other, DIGEST, database="rec_shop") == execute(my_server, DIGEST, database="rec_shop")
    assert execute(other, "SELECT COUNT(*) FROM orders", database="rec_shop_table") == [(2,)]
    assert difference(exported(my_server), exported(other)) == []
    assert other.sql("SELECT CURRENT_USER()", user="rec_app", password=PASSWORD) == [("rec_app@%",)]
    assert not (home / "accounts.sql").exists()
