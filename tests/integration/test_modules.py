# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The modules database_info and database_backup on real servers, run the way a task runs them."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from support.ansible import ansible_program, collection_tree
from support.library import RECIPIENT
from support.returns import documentation_of, promised, undocumented
from support.servers import PrivateServer
from support.tree import folder_state

BACKUP = "vya.backupdb.database_backup"
INFO = "vya.backupdb.database_info"
NAMES = ("orders", "odd 'name'")


@pytest.fixture(scope="module")
def postgresql(postgres15: PrivateServer) -> Iterator[PrivateServer]:
    for name in NAMES:
        postgres15.sql(f'CREATE DATABASE "{name}"')
    postgres15.sql("CREATE TABLE item AS SELECT g AS n FROM generate_series(1, 1000) g", database="orders")
    yield postgres15
    for name in NAMES:
        postgres15.sql(f'DROP DATABASE "{name}"')


@pytest.fixture(scope="module")
def wiki(mariadb: PrivateServer) -> Iterator[PrivateServer]:
    mariadb.sql("CREATE DATABASE wiki")
    mariadb.sql("CREATE TABLE wiki.page (id INT PRIMARY KEY, title TEXT) ENGINE=InnoDB")
    yield mariadb
    mariadb.sql("DROP DATABASE wiki")


def options_for(server: PrivateServer, folder: Path, **more: Any) -> dict[str, Any]:
    """Options for a good backup of our databases, but for what `more` says; None takes an option away."""
    databases = list(NAMES) if server.engine == "postgresql" else ["wiki"]
    options = {
        "instance": "shop",
        "engine": server.engine,
        **server.login,
        "databases": databases,
        "repository": str(folder),
        "recipients": [RECIPIENT],
        **more,
    }
    return {name: value for name, value in options.items() if value is not None}


@pytest.mark.distro
def test_a_backup_returns_what_is_documented_and_nothing_else(
    run_module: Callable[..., Any], postgresql: PrivateServer, repository: Path
) -> None:
    run = run_module(BACKUP, options_for(postgresql, repository), diff=True, verbosity=3)  # keeps the diff in it
    assert not run.failed, run.output
    assert run.changed
    documented = documentation_of(BACKUP, "RETURN")
    assert undocumented(run.result, documented) == []
    assert promised(documented, "always", "when the run began", "in diff mode") <= set(run.result)
    assert run.result["status"] == "ok"
    assert {entry["name"]: entry["status"] for entry in run.result["databases"]} == dict.fromkeys(NAMES, "complete")
    for entry in [*run.result["databases"], run.result["accounts"]]:
        assert (Path(entry["path"]) / "manifest.json").is_file()
    assert "template0" in {entry["name"] for entry in run.result["skipped_databases"]}
    assert "orders: no backup" in run.result["diff"]["before"]


def test_a_plan_returns_what_is_documented_and_nothing_else(
    run_module: Callable[..., Any], postgresql: PrivateServer, repository: Path
) -> None:
    run = run_module(BACKUP, options_for(postgresql, repository), check=True)
    assert not run.failed, run.output
    assert run.changed
    assert undocumented(run.result, documentation_of(BACKUP, "RETURN")) == []
    assert run.result["status"] == "planned"
    assert {entry["status"] for entry in run.result["databases"]} == {"planned"}
    assert all(entry["plan"]["client"].endswith("pg_dump") for entry in run.result["databases"])


@pytest.mark.parametrize("kind", ["postgresql", "wiki"])
def test_an_enumeration_returns_what_is_documented_and_nothing_else(
    request: pytest.FixtureRequest, run_module: Callable[..., Any], kind: str
) -> None:
    server = request.getfixturevalue(kind)
    run = run_module(INFO, {"instance": "shop", "engine": server.engine, **server.login, "exclude": ["odd*"]})
    assert not run.failed, run.output
    assert not run.changed
    documented = documentation_of(INFO, "RETURN")
    assert undocumented(run.result, documented) == []
    assert promised(documented, "always", "success") <= set(run.result)
    selected = {entry["name"]: entry["selected"] for entry in run.result["databases"]}
    wanted = {"orders": True, "odd 'name'": False, "template0": False} if kind == "postgresql" else {"wiki": True}
    assert wanted.items() <= selected.items()
    assert all(entry["reason"] for entry in run.result["databases"])
    assert run.result["clients"][0]["usable"]


def dump_everything(server: PrivateServer) -> str:
    """Everything that the server holds, as text, without what differs between any two dumps."""
    if server.engine == "postgresql":
        environment = server.client_environment()  # type: ignore[attr-defined]
        command = ["pg_dumpall"]
    else:
        environment = server.environment()
        command = [
            "mariadb-dump",
            f"--defaults-extra-file={server.client_file}",  # type: ignore[attr-defined]
            *["--all-databases", "--skip-dump-date"],
        ]
    done = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE)
    lines = done.stdout.decode("utf-8", "replace").splitlines()
    return "\n".join(line for line in lines if not line.startswith(("\\restrict", "\\unrestrict")))


@pytest.mark.parametrize("kind", ["postgresql", "wiki"])
def test_check_mode_changes_nothing_on_disk_or_server(
    request: pytest.FixtureRequest, run_module: Callable[..., Any], repository: Path, kind: str
) -> None:
    server = request.getfixturevalue(kind)
    options = options_for(server, repository)
    run_module(BACKUP, options)
    disk, content = folder_state(repository), dump_everything(server)
    run = run_module(BACKUP, options, check=True, diff=True, verbosity=3)
    assert run.changed, run.output
    assert run.result["diff"]["before"] != run.result["diff"]["after"]
    assert folder_state(repository) == disk
    assert dump_everything(server) == content


def test_a_second_run_skips_what_is_new_enough(
    run_module: Callable[..., Any], postgresql: PrivateServer, repository: Path
) -> None:
    options = options_for(postgresql, repository, skip_if_newer_than="1h")
    assert run_module(BACKUP, options, check=True).changed
    assert run_module(BACKUP, options).changed
    disk = {path: state.sha256 for path, state in folder_state(repository).items()}
    again = run_module(BACKUP, options)
    assert not again.failed, again.output
    assert not again.changed
    assert {entry["status"] for entry in again.result["databases"]} == {"skipped"}
    assert all(entry["reason"] for entry in again.result["databases"])
    assert not run_module(BACKUP, options, check=True).changed
    assert {path for path in folder_state(repository) if not path.endswith("lock")} == {
        path for path in disk if not path.endswith("lock")
    }


FAULTS: tuple[tuple[dict[str, Any], str, list[str]], ...] = (
    ({"login_password": "wrong"}, "ConnectionFailed", ["password", "login_user"]),
    ({"login_host": "no-such-host.invalid"}, "ConnectionFailed", ["no-such-host.invalid", "login_host"]),
    ({"login_port": 1}, "ConnectionFailed", ["refused", "login_port"]),
    ({"login_host": None, "login_port": None, "login_unix_socket": "/nonexistent"}, "ConnectionFailed", ["socket"]),
    ({"databases": ["ordesr"]}, "SelectionError", ["ordesr", "nearest"]),
    ({"recipients": ["age1thisisnokey"]}, "InvalidOption", ["recipient"]),
    ({"repository": "/nonexistent/backups"}, "RepositoryMissing", ["/nonexistent/backups", "does not exist"]),
    ({"repository": "backups"}, "InvalidOption", ["backups", "absolute"]),
    ({"bandwidth_limit": "fast"}, "InvalidOption", ["bandwidth_limit", "fast"]),
)


@pytest.mark.parametrize("kind", ["postgresql", "wiki"])
def test_what_cannot_begin_says_what_to_do(
    request: pytest.FixtureRequest, run_playbook: Callable[..., Any], repository: Path, kind: str
) -> None:
    server = request.getfixturevalue(kind)
    tasks = [
        {"name": f"Fault {number}", "ignore_errors": True, BACKUP: options_for(server, repository, **fault)}
        for number, (fault, _kind, _words) in enumerate(FAULTS)
    ]
    run = run_playbook([{"name": "Test", "hosts": "all", "gather_facts": False, "tasks": tasks}])
    assert "Traceback" not in run.output
    for number, (_fault, kind_of_error, words) in enumerate(FAULTS):
        (task,) = run.of_task(f"Fault {number}")
        assert_one_message(task.result, kind_of_error, words)
    assert list(repository.rglob("*")) == []


def assert_one_message(result: Mapping[str, Any], kind_of_error: str, words: list[str]) -> None:
    message = result["msg"]
    assert (result.get("error_kind"), result["changed"]) == (kind_of_error, False), message
    assert "\n" not in message
    assert [word for word in words if word not in message] == [], message


def test_a_missing_client_is_told_with_its_package(
    run_module: Callable[..., Any], postgres18: PrivateServer, repository: Path
) -> None:
    # Debian 12 has the client of PostgreSQL 15, which cannot dump this server.
    options = options_for(postgres18, repository, databases=["*"], allow_empty=True)
    for check in (True, False):
        run = run_module(BACKUP, options, check=check)
        assert run.failed
        assert_one_message(run.result, "ClientMissing", ["postgresql-client-18", "pg_dump", "15."])
        assert undocumented(run.result, documentation_of(BACKUP, "RETURN")) == []


@pytest.mark.parametrize(("kind", "library"), [("postgresql", "psycopg2"), ("wiki", "pymysql"), ("wiki", "sqlalchemy")])
def test_a_missing_library_is_told_with_its_package(
    request: pytest.FixtureRequest,
    run_module: Callable[..., Any],
    repository: Path,
    scratch: Path,
    kind: str,
    library: str,
) -> None:
    # Hides the library from every Python that the module could run under.
    hiding = scratch / "hiding"
    hiding.mkdir()
    (hiding / f"{library}.py").write_text("raise ImportError('hidden')\n", encoding="utf-8")
    options = options_for(request.getfixturevalue(kind), repository)
    run = run_module(BACKUP, options, task={"environment": {"PYTHONPATH": str(hiding)}})
    assert_one_message(run.result, "RequirementMissing", [library, f"python3-{library}"])


def test_a_read_only_repository_is_told(
    run_module: Callable[..., Any], postgresql: PrivateServer, small_tmpfs: Callable[[str], Path]
) -> None:
    repository = small_tmpfs("1M")
    subprocess.run(["mount", "-o", "remount,ro", str(repository)], check=True)
    run = run_module(BACKUP, options_for(postgresql, repository))
    assert_one_message(run.result, "RepositoryError", [str(repository), "read-only"])


def test_a_secret_that_occurs_in_a_name_is_warned_about_without_being_shown(
    run_module: Callable[..., Any], wiki: PrivateServer, repository: Path
) -> None:
    wiki.sql("CREATE USER reader@'%' IDENTIFIED BY 'wiki'")
    wiki.sql("GRANT ALL ON *.* TO reader@'%'")
    try:
        login = {"login_user": "reader", "login_password": "wiki"}
        run = run_module(BACKUP, options_for(wiki, repository, **login, accounts=False))
    finally:
        wiki.sql("DROP USER reader@'%'")
    assert not run.failed, run.output
    (warning,) = re.findall(r"\[WARNING\]: (The value of login_password .*)", run.output)
    assert "masks" in warning
    assert "wiki" not in warning


def test_one_failed_database_fails_the_task_and_the_others_are_backed_up(
    run_module: Callable[..., Any], postgresql: PrivateServer, repository: Path
) -> None:
    postgresql.sql("CREATE ROLE backupdb LOGIN PASSWORD 'a-quite-long-password'")
    postgresql.sql("REVOKE CONNECT ON DATABASE \"odd 'name'\" FROM PUBLIC")
    postgresql.sql("GRANT SELECT ON item TO backupdb", database="orders")
    try:
        login = {"login_user": "backupdb", "login_password": "a-quite-long-password"}
        run = run_module(BACKUP, options_for(postgresql, repository, **login, accounts=False))
    finally:
        postgresql.sql("REVOKE SELECT ON item FROM backupdb", database="orders")
        postgresql.sql("DROP ROLE backupdb")
        postgresql.sql("GRANT CONNECT ON DATABASE \"odd 'name'\" TO PUBLIC")
    assert run.failed
    assert run.changed
    assert {entry["name"]: entry["status"] for entry in run.result["databases"]} == {
        "orders": "complete",
        "odd 'name'": "failed",
    }
    assert "GRANT CONNECT" in run.message


def test_every_module_role_and_filter_has_a_manual_page() -> None:
    environment = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(collection_tree()), "LC_ALL": "C.UTF-8"}
    for kind in ("module", "role", "filter"):
        command = [str(ansible_program("ansible-doc")), "--type", kind, "--json", "--list", "vya.backupdb"]
        names = list(json.loads(subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE).stdout))
        assert names
        command = [str(ansible_program("ansible-doc")), "--type", kind, *names]
        page = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout
        assert all(name in page for name in names)
