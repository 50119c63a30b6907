# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reaching servers: every way in, and every fault told apart, on real servers of both families."""

from __future__ import annotations

import getpass
import socket
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from backupdb.connection.instance import Instance
from backupdb.engines.registry import open_engine
from backupdb.errors import ConnectionFailed, InvalidOption
from support.library import instance_of
from support.private_server import PrivateServer, free_port

KINDS = ["postgres15", "postgres18", "mariadb"]
pytestmark = pytest.mark.distro


@pytest.fixture(params=KINDS)
def server(request: pytest.FixtureRequest) -> PrivateServer:
    found: PrivateServer = request.getfixturevalue(request.param)
    return found


def ask(instance: Instance, statement: str = "SELECT 1") -> Any:
    with open_engine(instance) as engine:
        return engine.server.value(statement)


def fault(instance: Instance) -> ConnectionFailed:
    with pytest.raises(ConnectionFailed) as caught:
        ask(instance)
    if instance.password:
        assert instance.password not in str(caught.value)
    assert instance.id in str(caught.value)
    return caught.value


def test_a_login_over_tcp_works(server: PrivateServer) -> None:
    assert ask(instance_of(server)) == 1


def test_a_login_over_the_socket_works(server: PrivateServer) -> None:
    assert (
        ask(
            instance_of(
                server,
                host=None,
                port=None if "my" in server.engine or "maria" in server.engine else server.port,
                unix_socket=str(server.socket),
            )
        )
        == 1
    )  # type: ignore[attr-defined]


def test_the_real_vendor_is_found(mariadb: PrivateServer) -> None:
    with open_engine(instance_of(mariadb, engine="mysql")) as engine:
        assert engine.facts.vendor == "mariadb"


def test_a_server_that_never_answers_is_given_up(server: PrivateServer) -> None:
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(1)
        error = fault(instance_of(server, port=deaf.getsockname()[1], connect_timeout=2))
    assert error.kind == "timeout"


def test_a_refused_connection_is_tried_again(postgres15: PrivateServer) -> None:
    """The port opens while we try: a relay starts listening after 0.7 seconds."""
    port = free_port()
    relay = threading.Timer(0.7, serve_once, args=(port, postgres15.port))
    relay.daemon = True
    relay.start()
    assert ask(instance_of(postgres15, port=port, ssl_mode="disable")) == 1


def serve_once(port: int, target: int) -> None:
    with socket.create_server(("127.0.0.1", port)) as listener:
        client, _address = listener.accept()
        with client, socket.create_connection(("127.0.0.1", target)) as upstream:
            back = threading.Thread(target=copy, args=(upstream, client), daemon=True)
            back.start()
            copy(client, upstream)
            back.join(5)


def copy(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        return


@pytest.mark.parametrize("name", ["""o'd"d \\ ;--$(x)`%s:@/?#""", "postgresql://x", "a=b host=evil"])
def test_any_character_may_stand_in_user_password_and_database(server: PrivateServer, name: str) -> None:
    password = name + "ü漢"
    create_login(server, name, password)
    try:
        found = ask(instance_of(server, user=name, password=password), "SELECT CURRENT_USER")
        assert found.split("@%")[0] == name
        if server.engine == "postgresql":
            assert ask(instance_of(server, database=name), "SELECT current_database()") == name
    finally:
        drop_login(server, name)


def create_login(server: PrivateServer, name: str, password: str) -> None:
    if server.engine == "postgresql":
        quoted, text = name.replace('"', '""'), password.replace("'", "''")
        server.sql(f"CREATE ROLE \"{quoted}\" LOGIN PASSWORD '{text}'")
        server.sql(f'CREATE DATABASE "{quoted}"')
    else:
        server.sql("CREATE USER %s@'%%' IDENTIFIED BY %s", parameters=(name, password))


def drop_login(server: PrivateServer, name: str) -> None:
    if server.engine == "postgresql":
        quoted = name.replace('"', '""')
        server.sql(f'DROP DATABASE "{quoted}"')
        server.sql(f'DROP ROLE "{quoted}"')
    else:
        server.sql("DROP USER %s@'%%'", parameters=(name,))


@pytest.fixture(scope="module", params=["postgres15", "mariadb"])
def tls_server(request: pytest.FixtureRequest) -> Any:
    from support.servers import make_server

    server = make_server(request.param, tls=True, tls_names=("localhost",))
    server.start()
    yield server
    server.remove()


ENCRYPTED = {
    "postgresql": "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()",
    "mariadb": "SELECT variable_value <> '' FROM information_schema.session_status WHERE variable_name = 'Ssl_cipher'",
}


@pytest.mark.parametrize(
    ("ssl_mode", "encrypted"),
    [("prefer", True), ("disable", False), ("require", True), ("verify_ca", True), ("verify_full", True)],
)
def test_every_ssl_mode_does_what_it_says(tls_server: PrivateServer, ssl_mode: str, encrypted: bool) -> None:
    instance = instance_of(tls_server, host="localhost", ssl_mode=ssl_mode, ca_cert=str(tls_server.ca_cert))
    assert bool(ask(instance, ENCRYPTED[tls_server.engine])) is encrypted


def test_a_certificate_for_another_name_is_refused_by_verify_full_only(tls_server: PrivateServer) -> None:
    instance = instance_of(tls_server, host="127.0.0.1", ca_cert=str(tls_server.ca_cert))
    assert ask(Instance(**{**vars(instance), "ssl_mode": "verify_ca"})) == 1
    error = fault(Instance(**{**vars(instance), "ssl_mode": "verify_full"}))
    assert error.kind == "tls"


def test_a_certificate_of_a_stranger_is_refused(tls_server: PrivateServer) -> None:
    error = fault(instance_of(tls_server, host="localhost", ssl_mode="verify_ca"))
    assert error.kind == "tls"
    assert "ca_cert" in str(error)


@pytest.mark.parametrize("kind", ["postgres15", "mariadb"])
def test_required_tls_is_refused_by_a_server_without_it(kind: str, request: pytest.FixtureRequest) -> None:
    error = fault(instance_of(request.getfixturevalue(kind), ssl_mode="require"))
    assert error.kind == "tls"
    assert "ssl_mode" in str(error)


def test_a_missing_certificate_file_is_named(server: PrivateServer) -> None:
    with pytest.raises(InvalidOption, match=r"ca_cert /nonexistent\.pem"):
        ask(instance_of(server, ca_cert="/nonexistent.pem"))


def test_peer_login_needs_no_password(server_factory: Callable[..., Any]) -> None:
    server = server_factory("postgres15", local_auth="peer")
    server.sql(f'CREATE ROLE "{getpass.getuser()}" LOGIN')
    instance = instance_of(server, host=None, unix_socket=str(server.socket), user=getpass.getuser(), password=None)
    assert ask(instance, "SELECT CURRENT_USER") == getpass.getuser()


def test_unix_socket_login_needs_no_password(server_factory: Callable[..., Any]) -> None:
    server = server_factory("mariadb")
    user = getpass.getuser()
    if user == "root":
        server.sql("ALTER USER root@localhost IDENTIFIED VIA unix_socket")
    else:
        server.sql(f"CREATE USER `{user}`@localhost IDENTIFIED VIA unix_socket")
    instance = instance_of(server, host=None, port=None, unix_socket=str(server.socket), user=user, password=None)
    assert ask(instance, "SELECT CURRENT_USER") == f"{user}@localhost"


def test_a_session_that_is_ended_by_an_administrator_is_told(postgres15: PrivateServer) -> None:
    with pytest.raises(ConnectionFailed) as caught:
        ask(instance_of(postgres15), "SELECT pg_terminate_backend(pg_backend_pid())")
    assert caught.value.kind == "lost"


def test_who_had_a_transaction_leaves_autocommit_to_the_others(server: PrivateServer) -> None:
    with open_engine(instance_of(server)) as engine:
        for _round in range(2):
            with engine.server.connect(autocommit=False) as connection:
                connection.exec_driver_sql("SELECT 1")
        try:
            with engine.server.connect() as connection:
                connection.exec_driver_sql("CREATE DATABASE committed")  # in a transaction PostgreSQL refuses it
            with engine.server.connect() as connection:
                connection.exec_driver_sql("DROP DATABASE committed")
        finally:
            server.sql("DROP DATABASE IF EXISTS committed")
        with engine.server.connect(autocommit=False) as connection:
            connection.exec_driver_sql(
                "CREATE TABLE public.undone (n int)" if server.engine == "postgresql" else "SELECT 1"
            )
        if server.engine == "postgresql":
            assert engine.server.value("SELECT to_regclass('public.undone')") is None


def test_each_visit_is_to_its_own_database(server: PrivateServer) -> None:
    """Several threads visit at once, through what learns only once what server it speaks to."""
    function = "database()" if server.engine != "postgresql" else "current_database()"
    quote = "`" if server.engine != "postgresql" else '"'
    names = [f"visited {number} %s" for number in range(4)]
    for name in names:
        server.sql(f"CREATE DATABASE {quote}{name}{quote}")
    try:
        with open_engine(instance_of(server)) as engine, ThreadPoolExecutor(4) as threads:

            def visited(name: str) -> tuple[Any, ...]:
                with engine.server.visit(name) as connection:
                    (row,) = connection.exec_driver_sql(f"SELECT {function}")
                    return tuple(row)

            wanted = names * 8
            assert list(threads.map(visited, wanted)) == [(name,) for name in wanted]
            with pytest.raises(ConnectionFailed) as caught:
                visited("nowhere")
        assert caught.value.kind == "unknown_database"
    finally:
        for name in names:
            server.sql(f"DROP DATABASE {quote}{name}{quote}")
