# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The demo's private servers, with sample databases and a login that may read everything and change nothing."""

from __future__ import annotations

import json
import os
import secrets
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import place
from support import run_state
from support.mysql_server import PrivateMariaDB
from support.postgres_server import PrivatePostgres
from support.private_server import PrivateServer

HERE = Path(__file__).resolve().parent
ODD_NAME = 'Kunden "Übersicht"; --'
LOGIN = "backupdb"
# Folders of the servers in the demo's folder.
POSTGRESQL = "postgresql"
MARIADB = "mariadb"
_READY = "samples-are-in"


@dataclass(frozen=True)
class Sample:
    """A running server with sample databases. `login_password` belongs to LOGIN, not to the superuser."""

    server: PrivateServer
    login_password: str
    main: str  # the database that will be recovered
    reused: bool


def running_postgresql(folder: Path, binaries: Path) -> Sample:
    return _running(folder / POSTGRESQL, "shop", binaries=binaries)


def running_mariadb(folder: Path) -> Sample:
    return _running(folder / MARIADB, "wiki")


def mariadb_is_installed() -> bool:
    programs = ("mariadbd", "mariadb-install-db", "mariadb", "mariadb-dump")
    return all(shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin:/usr/bin") for name in programs)


def stop_all(folder: Path) -> list[str]:
    """End the servers of the demo's folder in order, by their pid files; returns the names of those that ran."""
    stopped = []
    for name in (POSTGRESQL, MARIADB):
        server = _server(folder / name, binaries=Path("/nonexistent"))
        if server.pid is not None:
            server.stop()
            stopped.append(f"{name} ({server.folder})")
    return stopped


def _server(folder: Path, *, binaries: Path | None = None, **known: Any) -> PrivateServer:
    if folder.name == POSTGRESQL:
        return PrivatePostgres(folder=folder, binaries=binaries, **known)
    return PrivateMariaDB(folder=folder, **known)


def _running(folder: Path, main: str, *, binaries: Path | None = None) -> Sample:
    """Take the server that runs, if it was finished; else begin anew."""
    notes = folder / "demo.json"
    if (folder / _READY).exists():
        known = json.loads(notes.read_text(encoding="utf-8"))
        server = _server(folder, binaries=binaries, port=known["port"], password=known["password"])
        if server.pid is not None:
            return Sample(server, known["login_password"], main, reused=True)
    _remove(folder)
    server, login_password = _server(folder, binaries=binaries), secrets.token_urlsafe(24)
    folder.mkdir(mode=0o755)
    known = {"port": server.port, "password": server.password, "login_password": login_password}
    place.write_private(notes, json.dumps(known))
    server.start()
    _fill(server, login_password, main)
    (folder / _READY).touch()
    return Sample(server, login_password, main, reused=False)


def _remove(folder: Path) -> None:
    """Delete a server's folder, and end what may still run in it."""
    for pid in run_state.processes_working_in(folder / "data"):
        os.kill(pid, 9)
    run_state.wait_until_gone(run_state.processes_working_in(folder / "data"), seconds=10)
    shutil.rmtree(folder, ignore_errors=True)


def _fill(server: Any, login_password: str, main: str) -> None:
    quote = '"' if server.engine == "postgresql" else "`"
    for name in (main, ODD_NAME):
        server.sql(f"CREATE DATABASE {quote}{name.replace(quote, quote * 2)}{quote}")
    # The password is url-safe text, so it needs no quoting; the script goes through standard input.
    server.run_sql_script(_script(server, "login").replace("@PASSWORD@", login_password))
    server.run_sql_script(_script(server, "main"), database=main)
    server.run_sql_script(_script(server, "odd"), database=ODD_NAME)


def _script(server: PrivateServer, name: str) -> str:
    return (HERE / "samples" / f"{server.engine}-{name}.sql").read_text(encoding="utf-8")


def contents(server: Any, database: str) -> dict[str, int]:
    """Rows of every table, and how many objects of other kinds there are."""
    count = _postgresql_contents if server.engine == "postgresql" else _mariadb_contents
    return count(server, database)


def _postgresql_contents(server: Any, database: str) -> dict[str, int]:
    tables = server.sql(
        "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables"
        " WHERE schemaname NOT IN ('pg_catalog', 'information_schema')",
        database=database,
    )
    counts = {f"rows of {name}": f"SELECT count(*) FROM {name}" for (name,) in tables}  # noqa: S608  # quoted by %I
    counts |= {
        "large objects": "SELECT count(*) FROM pg_largeobject_metadata",
        "bytes of large objects": "SELECT coalesce(sum(length(data)), 0)::int FROM pg_largeobject",
        "views": "SELECT count(*) FROM pg_views WHERE schemaname NOT IN ('pg_catalog', 'information_schema')",
        "routines": "SELECT count(*) FROM pg_proc WHERE pronamespace = 'public'::regnamespace",
        "triggers": "SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal",
    }
    return {name: server.sql(query, database=database)[0][0] for name, query in counts.items()}


def _mariadb_contents(server: Any, database: str) -> dict[str, int]:
    tables = server.sql(
        "SELECT table_name FROM information_schema.tables WHERE table_schema = %s AND table_type = 'BASE TABLE'",
        parameters=[database],
    )
    counts = {}
    for (name,) in tables:
        quoted = name.replace("`", "``")
        counts[f"rows of {name}"] = server.sql(f"SELECT count(*) FROM `{quoted}`", database=database)[0][0]  # noqa: S608
    for kind, table, column in (
        ("views", "views", "table_schema"),
        ("routines", "routines", "routine_schema"),
        ("triggers", "triggers", "trigger_schema"),
        ("events", "events", "event_schema"),
    ):
        query = f"SELECT count(*) FROM information_schema.{table} WHERE {column} = %s"  # noqa: S608  # from right above
        counts[kind] = server.sql(query, parameters=[database])[0][0]
    return counts
