# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the private servers of all engines share: a folder, a process, a password, start, stop and kill.

A private server has its own data folder, unix socket and free TCP port on 127.0.0.1. It never touches a system
service. When root starts it, it runs as an unprivileged user. It outlives the Python process that started it only
with an explicit `folder`; such a server is stopped by making the same object again (same folder, port and password)
and calling `stop()`.
"""

from __future__ import annotations

import os
import pwd
import random
import secrets
import shutil
import signal
import socket
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from support import run_state
from support.tls import CertificateAuthority

START_SECONDS = 90
STOP_SECONDS = 60


class ServerFailed(RuntimeError):
    """A private server did not start or stop; the message holds the end of its log."""


def free_port() -> int:
    """A TCP port of 127.0.0.1 on which nothing listens, below those that outgoing connections take."""
    while True:
        port = random.randrange(15000, 30000)  # noqa: S311  # no secret
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return port


class PrivateServer(ABC):
    """One server. Options:

    folder: where it lives; default is a folder of this test run, removed with it.
    settings: server settings by name, as in its configuration file.
    tls: give the server a certificate for `tls_names`; `ca_cert` and `authority` are what clients need.
    port, password: default is a free port and a random password of 24 characters.
    """

    engine: str
    superuser: str
    unprivileged_user: str

    def __init__(
        self,
        *,
        folder: Path | None = None,
        settings: Mapping[str, str] | None = None,
        tls: bool = False,
        tls_names: Sequence[str] = ("localhost", "127.0.0.1"),
        port: int | None = None,
        password: str | None = None,
    ) -> None:
        self._folder = folder
        self.settings = dict(settings or {})
        self.tls = tls
        self.tls_names = tuple(tls_names)
        self.host = "127.0.0.1"
        self.port = port or free_port()
        self.user = self.superuser
        self.password = password or secrets.token_urlsafe(18)
        self._process: subprocess.Popen[bytes] | None = None

    # -- places ------------------------------------------------------------------------------------------------

    @property
    def folder(self) -> Path:
        if self._folder is None:
            self._folder = run_state.new_folder(self.engine[:2])
        return self._folder

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def socket_folder(self) -> Path:
        return self.folder / "run"

    @property
    def log_file(self) -> Path:
        return self.folder / "server.log"

    @property
    def authority(self) -> CertificateAuthority:
        return CertificateAuthority(self.folder / "tls")

    @property
    def ca_cert(self) -> Path:
        return self.authority.certificate

    @property
    def login(self) -> dict[str, Any]:
        """Module options for a login over TCP."""
        return {
            "login_host": self.host,
            "login_port": self.port,
            "login_user": self.user,
            "login_password": self.password,
        }

    # -- what the engines say ----------------------------------------------------------------------------------

    @abstractmethod
    def _initialise(self) -> None:
        """Make the data folder and the configuration."""

    @abstractmethod
    def _command(self) -> list[str]:
        """The command that runs the server in the foreground."""

    @abstractmethod
    def _pid_file(self) -> Path:
        """The file whose first line is the server's pid."""

    @abstractmethod
    def connect(self, *, database: str | None = None, user: str | None = None, password: str | None = None) -> Any:
        """A new DB-API connection over TCP in autocommit mode."""

    # -- life --------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start the server, made first when it is new, and wait until it answers."""
        if self.pid is not None:
            return
        if not (self.folder / "initialised").exists():
            self.folder.mkdir(mode=0o755, parents=True, exist_ok=True)
            self.folder.chmod(0o755)
            self.socket_folder.mkdir(mode=0o755, exist_ok=True)
            self.own(self.socket_folder)
            self._initialise()
            (self.folder / "initialised").touch()
        with self.log_file.open("ab") as log:
            self._process = subprocess.Popen(
                self._command(),
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                env=self.environment(),
            )
        self._wait_until_it_answers()

    def stop(self) -> None:
        """Stop the server in order; nothing happens when it does not run."""
        pid = self.pid
        if pid is not None:
            os.kill(pid, self._stop_signal)
            self._wait_until_it_ended(pid)

    def kill(self) -> None:
        """End the server like a crash: SIGKILL, no goodbye."""
        pid = self.pid
        if pid is None:
            raise ServerFailed(f"{self.engine} in {self.folder} does not run, so it cannot be killed")
        os.kill(pid, signal.SIGKILL)
        self._wait_until_it_ended(pid)

    def restart(self) -> None:
        self.stop()
        self.start()

    def remove(self) -> None:
        """Stop the server and delete its folder."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> PrivateServer:
        self.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self.remove()

    _stop_signal = signal.SIGTERM

    @property
    def pid(self) -> int | None:
        """Pid of the running server, None when it does not run. A pid of anything else is not taken for it."""
        try:
            pid = int(self._pid_file().read_text(encoding="utf-8").split("\n")[0])
        except (FileNotFoundError, NotADirectoryError, ValueError):
            return None
        return pid if run_state.is_alive(pid) and run_state.works_in(pid, self.data) else None

    def _wait_until_it_answers(self) -> None:
        assert self._process is not None
        deadline = time.monotonic() + START_SECONDS
        trouble: Exception | None = None
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                raise ServerFailed(f"{self.engine} ended at start with status {self._process.returncode}: {self.log()}")
            try:
                self.connect().close()
                return
            except Exception as error:  # noqa: BLE001  # each driver has its own; the last one is told
                trouble = error
            time.sleep(0.05)
        raise ServerFailed(f"{self.engine} did not answer in {START_SECONDS} s ({trouble}): {self.log()}")

    def _wait_until_it_ended(self, pid: int) -> None:
        deadline = time.monotonic() + STOP_SECONDS
        # The children too: PostgreSQL refuses to start again while one of them lives.
        while run_state.is_alive(pid) or run_state.processes_working_in(self.data):
            if time.monotonic() > deadline:
                raise ServerFailed(f"{self.engine} (pid {pid}) did not end in {STOP_SECONDS} s: {self.log()}")
            time.sleep(0.02)
        if self._process is not None:
            self._process.wait()  # takes the remains away: MySQL would not start while its old pid can be signalled

    # -- help for the engines and the tests --------------------------------------------------------------------

    def environment(self) -> dict[str, str]:
        return {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC", "HOME": str(self.folder)}

    def log(self, *, lines: int = 30) -> str:
        """The end of the server's log."""
        if not self.log_file.exists():
            return "(no log)"
        return "\n".join(self.log_file.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])

    def own(self, path: Path) -> None:
        """Give `path` to the user who runs the server."""
        if os.geteuid() == 0:
            account = pwd.getpwnam(self.unprivileged_user)
            os.chown(path, account.pw_uid, account.pw_gid)

    def as_server_user(self) -> list[str]:
        """Start of a command line that runs the rest as the server's user."""
        if os.geteuid() != 0:
            return []
        account = pwd.getpwnam(self.unprivileged_user)
        return ["setpriv", f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--clear-groups", "--"]

    def server_certificate(self) -> tuple[Path, Path]:
        """Certificate and key that the server can read."""
        certificate, key = self.authority.issue("server", names=self.tls_names)
        self.own(key)
        return certificate, key

    def run(self, command: Sequence[str], *, text: str | None = None) -> str:
        """Run a program of the engine and return what it printed; failing is an error with its words."""
        done = subprocess.run(
            list(command),
            input=text,
            stdin=subprocess.DEVNULL if text is None else None,
            cwd="/",
            env=self.environment(),
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        if done.returncode != 0:
            raise ServerFailed(f"{Path(command[0]).name} ended with {done.returncode}: {done.stdout[-4000:]}")
        return done.stdout

    def sql(
        self,
        statement: str,
        *,
        database: str | None = None,
        user: str | None = None,
        password: str | None = None,
        parameters: Sequence[Any] | None = None,
    ) -> list[tuple[Any, ...]]:
        """Run one statement through the driver and return its rows (none for statements without)."""
        connection = self.connect(database=database, user=user, password=password)
        try:
            with connection.cursor() as cursor:
                cursor.execute(statement, parameters)
                return list(cursor.fetchall()) if cursor.description else []
        finally:
            connection.close()
