# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The server programs of MariaDB and MySQL: how they are found, and how a new data folder is made with them.

What a program is follows from what it says with `--version`: `mysqld` is MariaDB's on most systems.
"""

from __future__ import annotations

import os
import re
import threading
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from ...errors import ClientMissing, CommandFailed, ManifestDamaged
from ...system.process import run_captured
from ..private_server import initialise
from ..workplace import Workplace
from .statements import version_number

_FOLDERS = ("/usr/sbin", "/usr/bin", "/usr/libexec", "/usr/local/sbin", "/usr/local/bin", "/usr/local/mysql/bin")
_SECONDS = 20.0


class ServerProgram(ABC):
    """The server program of one vendor."""

    VENDOR: ClassVar[str]
    NAMES: ClassVar[Sequence[str]]
    PACKAGES: ClassVar[str]  # what brings it, for messages
    SETTINGS: ClassVar[Mapping[str, str]]  # for a private server that logs nothing and listens nowhere

    @abstractmethod
    def install_settings(self, program: Path) -> dict[str, str]:
        """Name the folders of a server that is not installed under /usr: it looks for them there otherwise."""

    @abstractmethod
    def initialise(self, program: Path, configuration: Path, place: Workplace, cancel: threading.Event) -> None:
        """Make the data folder that the configuration names."""

    def find(self, version: str) -> Path:
        """Return the program of the version's series, or the oldest newer one; raises `ClientMissing`."""
        wanted = version_number(version)[:2]
        if not wanted:
            raise ManifestDamaged(f"the manifest's version of the server is none of {self.VENDOR}")
        found = self._installed()
        suitable = sorted((entry for entry in found if entry[0][:2] >= wanted), key=lambda entry: entry[0])
        if not suitable:
            there = ", ".join(f"{path} ({'.'.join(map(str, number))})" for number, path in found) or "none"
            series = ".".join(str(part) for part in wanted)
            raise ClientMissing(
                f"the drill needs a {self.VENDOR} server of version {series} or newer on this host; "
                f"install {self.PACKAGES}; it need not run. Found: {there}"
            )
        return suitable[0][1]

    def _installed(self) -> list[tuple[tuple[int, ...], Path]]:
        found = []
        for folder in (*os.environ.get("PATH", "").split(os.pathsep), *_FOLDERS):
            for name in self.NAMES:
                path = Path(folder) / name
                if folder and os.access(path, os.X_OK) and path.is_file():
                    number = self._version(path)
                    if number is not None:
                        found.append((number, path))
        return found

    def _version(self, path: Path) -> tuple[int, ...] | None:
        """Read "mariadbd  Ver 10.11.19-MariaDB-0+deb12u1 for …"; None for another vendor's program."""
        try:
            result = run_captured([str(path), "--no-defaults", "--version"], timeout=_SECONDS)
        except CommandFailed:
            return None
        text = result.stdout.decode("utf-8", "replace")
        match = re.search(r"\bVer (\d+\.\d+\.\d+\S*)", text)
        if match is None or ("mariadb" if "mariadb" in text.lower() else "mysql") != self.VENDOR:
            return None
        return version_number(match.group(1))


class MariadbProgram(ServerProgram):
    """MariaDB's, which has a script for making the data folder."""

    VENDOR = "mariadb"
    NAMES = ("mariadbd", "mysqld")
    PACKAGES = "mariadb-server (Debian, Ubuntu, EL)"
    SETTINGS: ClassVar[Mapping[str, str]] = {"skip_log_bin": "ON"}

    def install_settings(self, program: Path) -> dict[str, str]:
        base = _base_folder(program)
        # It finds the others below this one, wherever it was built to have them.
        return {} if base is None else {"basedir": str(base)}

    def initialise(self, program: Path, configuration: Path, place: Workplace, cancel: threading.Event) -> None:
        private_folder(place, "data")
        installer = next(
            (
                path
                for folder in (program.parent, program.resolve().parent.parent / "bin", Path("/usr/bin"))
                for path in (folder / "mariadb-install-db", folder / "mysql_install_db")
                if os.access(path, os.X_OK)
            ),
            None,
        )
        if installer is None:
            raise ClientMissing(f"{program} comes without its mariadb-install-db; install {self.PACKAGES} whole")
        initialise(
            [
                str(installer),
                f"--defaults-file={configuration}",
                *(f"--{name}={value}" for name, value in self.install_settings(program).items()),
                "--auth-root-authentication-method=normal",  # the socket's folder lets nobody else in
                "--skip-test-db",
                "--skip-name-resolve",
            ],
            place,
            cancel,
        )


class MysqlProgram(ServerProgram):
    """MySQL's, which makes its data folder itself."""

    VENDOR = "mysql"
    NAMES = ("mysqld",)
    PACKAGES = "mysql-server (Ubuntu, EL) or mysql-community-server (MySQL's own repositories)"
    # It writes a binary log unless told otherwise, and a second protocol has a port and a socket of its own.
    SETTINGS: ClassVar[Mapping[str, str]] = {"skip_log_bin": "ON", "mysqlx": "OFF", "secure_file_priv": "NULL"}

    def install_settings(self, program: Path) -> dict[str, str]:
        base = _base_folder(program)
        if base is None:
            return {}
        return {
            "basedir": str(base),
            "plugin_dir": str(base / "lib" / "mysql" / "plugin"),
            "lc_messages_dir": str(base / "share" / "mysql"),
        }

    def initialise(self, program: Path, configuration: Path, place: Workplace, cancel: threading.Event) -> None:
        initialise([str(program), f"--defaults-file={configuration}", "--initialize-insecure"], place, cancel)


def private_folder(place: Workplace, name: str) -> Path:
    """Make a folder in the server's own, for nobody but its user."""
    folder = place.home / name
    if not folder.is_dir():
        place.user.make_folder(folder)
    return folder


def _base_folder(program: Path) -> Path | None:
    """Return where everything of this server lies; None for /usr, where it looks by itself."""
    base = program.resolve().parent.parent
    return None if base == Path("/usr") else base
