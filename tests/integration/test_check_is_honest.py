# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check mode and a run come to the same verdict on every database, whatever is wrong, on every kind of server."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from backupdb.backup import run as backup
from backupdb.backup.request import BackupRequest
from backupdb.cli import exit_status
from backupdb.engines.registry import open_engine
from backupdb.engines.values import DumpOptions
from backupdb.errors import BackupDbError
from backupdb.repository.local import make_instance_folder
from backupdb.repository.lock import run_lock
from support.engines import ENGINES_UNDER_TEST, EngineUnderTest
from support.golden import assert_golden
from support.library import HOST, database_folder, instance_of, request_for
from support.tree import folder_state

KINDS = [each for each in ENGINES_UNDER_TEST if each.kind != "postgres18"]  # the same code as 15
GOOD, BAD = "shop", "till"
PASSWORD = "password-of-an-honest-account"
# What a check says, in the words of a run.
OF_RUN = {"planned": "complete"}
OLD_CLIENT = "#!/bin/sh\necho 'pg_dump (PostgreSQL) 9.1.0'\necho 'Ver 1.0 Distrib 5.0.1'\n"


@dataclass
class Site:
    """A server with two databases, a repository, and what a fault needs to spoil them."""

    kind: EngineUnderTest
    server: Any
    repository: Path
    monkeypatch: pytest.MonkeyPatch
    small_tmpfs: Callable[[str], Path]
    held: ExitStack
    login: dict[str, Any] = field(default_factory=dict)
    databases: list[str] = field(default_factory=lambda: [GOOD, BAD])

    def request(self) -> BackupRequest:
        return request_for(instance_of(self.server, **self.login), self.repository, databases=self.databases)

    def weak_login(self) -> str:
        """Log in with an account that may do nothing yet; returns it as it is written in a GRANT."""
        account = self.kind.make_account(self.server, "weak", PASSWORD)
        self.login = {"user": "weak", "password": PASSWORD}
        return account


@pytest.fixture(params=[pytest.param(each, marks=each.marks, id=each.kind) for each in KINDS])
def site(
    request: pytest.FixtureRequest,
    repository: Path,
    monkeypatch: pytest.MonkeyPatch,
    small_tmpfs: Callable[[str], Path],
) -> Iterator[Site]:
    kind: EngineUnderTest = request.param
    for name in kind.fixtures:
        request.getfixturevalue(name)
    server = request.getfixturevalue(kind.kind)
    folders = [str(folder) for folder in kind.program_folders(server)]
    monkeypatch.setenv("PATH", os.pathsep.join([*folders, os.environ["PATH"]]))
    with ExitStack() as held:
        # Last of all: its rights are gone with the databases.
        held.callback(kind.drop_account, server, "weak", database="postgres")
        for name in (GOOD, BAD):
            kind.make_database(server, name)
            held.callback(kind.drop_database, server, name)
            server.sql("CREATE TABLE item (n int NOT NULL PRIMARY KEY)", database=name)
            server.sql("INSERT INTO item VALUES (1)", database=name)
        yield Site(kind, server, repository, monkeypatch, small_tmpfs, held)


def nothing(_site: Site) -> None:
    """All is well."""


def no_right_on_one(site: Site) -> None:
    account = site.weak_login()
    for name in (GOOD, BAD):
        site.server.sql(f"GRANT INSERT ON item TO {account}", database=name)  # so that it is listed everywhere
    with open_engine(site.request().instance) as engine:
        for _round in range(3):  # some rights can be seen only with others
            good = [one for one in engine.databases() if one.name == GOOD]
            for lacking in engine.missing_privileges(good, DumpOptions()):
                site.server.sql(lacking.grant, database=GOOD)


def something_that_cannot_be_dumped(site: Site) -> None:
    if site.server.engine == "postgresql":
        site.server.sql("CREATE TABLE child (n int REFERENCES item)", database=BAD)
        site.server.sql("ALTER TABLE child DISABLE TRIGGER ALL", database=BAD)
    else:
        site.server.sql("CREATE TABLE gone (n int)", database=BAD)
        site.server.sql("CREATE VIEW broken AS SELECT n FROM gone", database=BAD)
        site.server.sql("DROP TABLE gone", database=BAD)


def no_client(site: Site) -> None:
    for variable in site.kind.client_folders:
        site.monkeypatch.setattr(variable, ())
    site.monkeypatch.setenv("PATH", "/nonexistent")


def a_client_that_is_too_old(site: Site) -> None:
    no_client(site)
    folder = site.repository.parent / "old"
    folder.mkdir()
    for name in ("pg_dump", "mysqldump", "mariadb-dump"):
        (folder / name).write_text(OLD_CLIENT, encoding="utf-8")
        (folder / name).chmod(0o755)
    (folder / "setpriv").symlink_to(str(shutil.which("setpriv", path="/usr/bin:/bin")))  # every program is run with it
    site.monkeypatch.setenv("PATH", str(folder))


def no_repository(site: Site) -> None:
    site.repository.rmdir()


def a_file_as_repository(site: Site) -> None:
    site.repository.rmdir()
    site.repository.touch()


def a_file_in_place_of_a_database(site: Site) -> None:
    folder = database_folder(site.repository, BAD)
    folder.parent.mkdir(parents=True)
    folder.touch()


def a_link_in_place_of_the_instance(site: Site) -> None:
    (site.repository / HOST).mkdir()
    (site.repository / HOST / "test").symlink_to("/tmp")  # noqa: S108


def a_full_disk(site: Site) -> None:
    site.repository = site.small_tmpfs("1M")
    with (site.repository / "ballast").open("wb") as file:
        file.write(b"x" * (os.statvfs(site.repository).f_bavail * os.statvfs(site.repository).f_frsize))


def a_misspelt_database(site: Site) -> None:
    site.databases.append("tlil")


def another_run(site: Site) -> None:
    folder = make_instance_folder(site.repository, HOST, "test")
    site.held.enter_context(run_lock(folder, run_id="a" * 32, timeout=0, cancel=threading.Event()))


def everything_at_once(site: Site) -> None:
    no_right_on_one(site)
    no_client(site)
    no_repository(site)


# The fault, how the whole ends, how the two databases end, and what the check says of it.
FAULTS: list[tuple[Callable[[Site], None], str, tuple[str, str], list[str]]] = [
    (nothing, "planned", ("planned", "planned"), ["3 of 3 backups would be made"]),
    (
        no_right_on_one,
        "failed",
        ("planned", "failed"),
        ["1 would fail", f"{BAD}: ", "run as administrator: GRANT SELECT ON"],
    ),
    (something_that_cannot_be_dumped, "partial", ("planned", "partial"), ["1 of them partial", f"{BAD}: missing"]),
    (
        no_client,
        "failed",
        ("failed", "failed"),
        ["0 of 3 backups would be made, 3 would fail", "no usable dump client", "install"],
    ),
    (a_client_that_is_too_old, "failed", ("failed", "failed"), ["no usable dump client", "install"]),
    (no_repository, "failed", ("failed", "failed"), ["does not exist", "mount it"]),
    (a_file_as_repository, "failed", ("failed", "failed"), ["is not a folder"]),
    (a_file_in_place_of_a_database, "failed", ("planned", "failed"), [f"{BAD} is in the way"]),
    (a_link_in_place_of_the_instance, "failed", ("failed", "failed"), ["is in the way"]),
    (a_full_disk, "failed", ("failed", "failed"), ["3 would fail", "free space"]),
    (a_misspelt_database, "failed", ("planned", "planned"), ["'tlil' is not backed up", "nearest name is 'till'"]),
    (another_run, "failed", ("failed", "failed"), ["another run holds", "repository_lock_timeout"]),
    (
        everything_at_once,
        "failed",
        ("failed", "failed"),
        ["does not exist", "no usable dump client", "GRANT SELECT ON"],
    ),
]


# What is told of these is kept word for word.
SHOWN = (nothing, no_right_on_one, something_that_cannot_be_dumped, no_client, a_full_disk, a_misspelt_database)


@pytest.mark.parametrize(("spoil", "status", "databases", "words"), FAULTS, ids=[each[0].__name__ for each in FAULTS])
def test_a_check_foretells_what_becomes_of_every_database(
    site: Site, spoil: Callable[[Site], None], status: str, databases: tuple[str, str], words: list[str]
) -> None:
    spoil(site)
    before = state_of(site.repository)
    check = backup.run(site.request(), check_mode=True)
    assert state_of(site.repository) == before
    assert check["status"] == status, check["message"]
    assert tuple(entry["status"] for entry in check["databases"]) == databases, check["message"]
    for text in words:
        assert text in check["message"]
    assert all(entry["error"] for entry in check["databases"] if entry["status"] == "failed")
    assert all(entry["missing"] for entry in check["databases"] if entry["status"] == "partial")
    if spoil in SHOWN:
        name = f"check_{spoil.__name__}_{site.server.engine}"
        assert_golden(name, [check["message"]], {str(site.repository): "/srv/backups", str(site.server.port): "PORT"})

    done = outcome(site.request())
    assert check["status"] == {"ok": "planned"}.get(done["status"], done["status"]), done["message"]
    assert verdicts(check) == (verdicts(done) or dict.fromkeys(verdicts(check), "failed"))
    # With everything at once the run ends at the first fault, the check knows of the others.
    if spoil is not everything_at_once:
        assert check.get("error_kind") == done.get("error_kind")
        assert exit_status.of_result(check) == exit_status.of_result(done)


def outcome(request: BackupRequest) -> dict[str, Any]:
    """What comes of a run, also of one that cannot begin."""
    try:
        return backup.run(request)
    except BackupDbError as error:
        return {"status": "failed", "message": str(error), "error_kind": type(error).__name__}


def state_of(repository: Path) -> Any:
    return folder_state(repository) if repository.is_dir() else repository.exists()


def verdicts(result: dict[str, Any]) -> dict[str, str]:
    entries = [*result.get("databases", ()), *filter(None, [result.get("accounts")])]
    return {entry["name"]: OF_RUN.get(entry["status"], entry["status"]) for entry in entries}
