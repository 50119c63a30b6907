# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Private servers start, answer, stop and crash as the other tests need it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support import run_state
from support.ansible import Ansible
from support.servers import PrivateMariaDB, PrivatePostgres

KINDS = ["postgres15", "postgres18", "mariadb", pytest.param("mysql", marks=pytest.mark.mysql)]
VERSIONS = {"postgres15": "PostgreSQL 15.", "postgres18": "PostgreSQL 18.", "mariadb": "10.11.", "mysql": "9."}


@pytest.mark.parametrize("kind", KINDS)
def test_a_tls_server_answers_and_keeps_its_data_over_a_crash(server_factory: Callable[..., Any], kind: str) -> None:
    tls = kind != "postgres18"  # that build has none
    server = server_factory(kind, tls=tls)
    assert str(server.sql("SELECT version()")[0][0]).startswith(VERSIONS[kind])
    server.sql("CREATE TABLE kept (n INT PRIMARY KEY)" if "postgres" in kind else "CREATE DATABASE kept")
    server.kill()
    assert server.pid is None
    server.start()
    names = server.sql("SELECT relname FROM pg_class" if "postgres" in kind else "SHOW DATABASES")
    assert ("kept",) in names
    encrypted = "SELECT ssl::text FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
    if "postgres" in kind:
        assert server.sql(encrypted) == [(str(tls).lower(),)]
    else:
        server.run([*_client(server), "--ssl-ca", str(server.ca_cert), *_verify(kind), "-e", "SELECT 1"])
    server.stop()
    assert server.pid is None


def _client(server: Any) -> list[str]:
    return [str(server.client), f"--defaults-extra-file={server.client_file}"]


def _verify(kind: str) -> list[str]:
    return ["--ssl-mode=VERIFY_CA"] if kind == "mysql" else ["--ssl-verify-server-cert"]


@pytest.mark.distro
def test_psql_scripts_stop_at_the_first_error(postgres15: PrivatePostgres) -> None:
    assert "1 row" in postgres15.run_sql_script("SELECT 'it''s';")
    with pytest.raises(RuntimeError, match="no_such_table"):
        postgres15.run_sql_script("SELECT * FROM no_such_table; SELECT 2;")


@pytest.mark.distro
def test_mariadb_scripts_know_delimiters(mariadb: PrivateMariaDB) -> None:
    text = "DELIMITER //\nBEGIN NOT ATOMIC SELECT 'it''s'; SELECT 2; END//\n"
    assert "it's" in mariadb.run_sql_script(text)
    with pytest.raises(RuntimeError, match="no_such_table"):
        mariadb.run_sql_script("SELECT * FROM no_such_table", database="mysql")


def test_a_wrong_password_is_refused_over_tcp_and_socket(postgres15: PrivatePostgres, mariadb: PrivateMariaDB) -> None:
    for server in (postgres15, mariadb):
        with pytest.raises(Exception, match=r"password authentication failed|Access denied"):
            server.connect(password="wrong")


def test_leftovers_of_a_dead_run_are_removed_at_the_next_start() -> None:
    """A run that dies by SIGKILL leaves its server behind; the next run ends it."""
    dies = """
import os, signal
from support.servers import PrivateMariaDB
server = PrivateMariaDB()
server.start()
print(server.pid, server.folder, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
    pid, folder = run_python(dies).split()
    assert run_state.is_alive(int(pid))
    run_python("from support import run_state; run_state.run_folder()")
    assert not run_state.is_alive(int(pid))
    assert not Path(folder).exists()


def run_python(code: str) -> str:
    tests = str(Path(__file__).parents[1])
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env={"PYTHONPATH": tests}, check=False, stdout=subprocess.PIPE, text=True)
    return done.stdout


def test_a_full_small_filesystem_refuses_to_take_more(small_tmpfs: Callable[[str], Path]) -> None:
    folder = small_tmpfs("1M")
    with pytest.raises(OSError, match="No space left"):
        (folder / "big").write_bytes(bytes(2 << 20))


@pytest.mark.distro
def test_a_module_run_gives_its_result_and_the_screen_output(ansible: Ansible) -> None:
    run = ansible.run_module("ansible.builtin.stat", {"path": "/"}, verbosity=2)
    assert run.result["stat"]["isdir"] is True
    assert not run.failed
    assert "PLAY RECAP" in run.output
    failed = ansible.run_module("ansible.builtin.file", {"path": "/proc/1/no", "state": "touch"})
    assert failed.failed
    assert failed.message
