# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command `restore`: which server, which backup and which login its words and options mean."""

from __future__ import annotations

import argparse
from typing import Any

import pytest
from backupdb.cli import restore
from backupdb.cli.restore_server import is_administrators, server_from
from backupdb.engines import socket_login
from backupdb.engines.socket_login import through_socket
from backupdb.errors import InvalidOption
from support import needs
from support.jobs import JobHost
from support.private_server import PrivateServer
from support.servers import make_server

SOCKET = "/run/postgresql"


@pytest.fixture
def server() -> PrivateServer:
    """A server that is never started: nothing here asks it."""
    return make_server("mariadb")


def parsed(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    restore.add(parser)
    return parser.parse_args(words)


def root(monkeypatch: pytest.MonkeyPatch, users: set[str]) -> None:
    monkeypatch.setattr(socket_login.os, "geteuid", lambda: 0)
    monkeypatch.setattr(socket_login, "can_act_as", users.__contains__)


@pytest.mark.parametrize(
    ("login", "user", "system_user"),
    [
        ({"engine": "postgresql", "login_unix_socket": SOCKET}, "postgres", "postgres"),
        ({"engine": "mariadb", "login_unix_socket": SOCKET}, "root", "root"),
        ({"engine": "mysql", "login_unix_socket": SOCKET}, "root", "root"),
        ({"engine": "postgresql", "login_unix_socket": SOCKET, "login_user": "dba"}, "dba", "dba"),
        ({"engine": "postgresql", "login_unix_socket": SOCKET, "login_user": "unknown here"}, "unknown here", None),
        ({"engine": "postgresql", "login_unix_socket": SOCKET, "login_password": "secret"}, None, None),
        ({"engine": "postgresql", "login_unix_socket": SOCKET, "login_system_user": "dba"}, None, "dba"),
        ({"engine": "postgresql", "login_host": "db1"}, None, None),
    ],
)
def test_root_enters_a_socket_as_the_user_of_the_account(
    monkeypatch: pytest.MonkeyPatch, login: dict[str, Any], user: str | None, system_user: str | None
) -> None:
    root(monkeypatch, {"postgres", "root", "dba"})
    found = through_socket(login)
    assert (found.get("login_user"), found.get("login_system_user")) == (user, system_user)


def test_nobody_but_root_is_somebody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket_login.os, "geteuid", lambda: 1000)
    login = {"engine": "postgresql", "login_unix_socket": SOCKET}
    assert through_socket(login) == login
    assert not is_administrators({"login_unix_socket": SOCKET, "login_user": "backupdb"}, {"login_password": None})


def test_root_restores_by_a_job_of_the_backup_user_as_the_administrator(
    monkeypatch: pytest.MonkeyPatch, scratch: Any, server: PrivateServer
) -> None:
    needs.root("only root becomes the administrator")
    root(monkeypatch, {"root", "dba"})
    host = JobHost(scratch)
    entry = {**host.backup_of(server), "login_host": None, "login_unix_socket": "/run/mysqld.sock"}
    host.write_job("nightly", [{**entry, "login_user": "backupdb"}], credentials={"source": "systemd", "path": "x"})
    where = ("--config-dir", str(host.config_dir))
    found = server_from(parsed("nightly", "test", "shop", *where), {})
    assert (found["login_user"], found["login_system_user"], found["login_password"]) == ("root", "root", None)
    assert (found["repository"], found["database"]) == (str(host.repository), "shop")
    given = server_from(parsed("nightly", "test", "shop", *where, "--login-user", "dba", "--login-host", "db9"), {})
    assert (given["login_user"], given["login_host"], given["login_unix_socket"]) == ("dba", "db9", None)
    host.write_job("nightly", [{**entry, "login_user": "backupdb"}])
    host.write_secrets("nightly", logins={"test": {"login_password": "of-the-backups"}})
    kept = server_from(parsed("nightly", "test", "shop", *where), {"ssl_mode": "require"})
    assert (kept["login_user"], kept["login_password"]) == ("backupdb", "of-the-backups")
    assert kept["ssl_mode"] == "require"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("nightly", "test"), "say the job and the instance, and which database"),
        (("nightly", "test", "shop", "--path", "/x"), "and not both"),
        (("nightly", "test", "shop", "--host", "h"), "--host and --engine go with --repository"),
        (("--repository", "/x", "nightly", "test", "shop"), "say the instance, and which database"),
        (("--repository", "/x", "test", "shop"), "say where the server is, with --login-socket or --login-host"),
        (("--repository", "/x", "test", "shop", "--copy", "c"), "remove one of them"),
    ],
)
def test_words_that_do_not_say_which_are_refused(words: tuple[str, ...], message: str) -> None:
    with pytest.raises(InvalidOption, match=message):
        server_from(parsed(*words), {})
