# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finding the client programs of MySQL and MariaDB, and asking them which options they know.

What a program is follows from what it says with `--version`, never from its name: `mysqldump` is a symbolic link
to MariaDB's client on most systems, and may be a wrapper script.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path

from ...errors import ClientMissing, CommandFailed
from ...system.process import run_captured
from ..values import Client
from .statements import version_number

_USUAL_DIRECTORIES = (
    "/usr/bin",
    "/usr/local/bin",
    "/usr/local/mysql/bin",
    "/usr/local/mariadb/bin",
    "/opt/mysql/bin",
    "/opt/mariadb/bin",
)
_PATIENCE = 20.0  # seconds

# "Ver 10.19 Distrib 10.11.19-MariaDB", "Ver 10.13 Distrib 5.7.44", "from 11.8.9-MariaDB, client 10.19",
# "Ver 8.0.36-28 for Linux"
_VERSIONS = (
    re.compile(r"\bDistrib (?P<version>\d+\.\d+\.\d+\S*)"),
    re.compile(r"\bfrom (?P<version>\d+\.\d+\.\d+\S*)"),
    re.compile(r"\bVer (?P<version>\d+\.\d+\.\d+\S*)"),
)


# Tells from a client's vendor and version whether it may be used, and why.
Judge = Callable[[str, tuple[int, ...]], tuple[bool, str]]


def find_clients(
    programs: Sequence[str], judge: Judge, server: tuple[int, ...], *, environment: Mapping[str, str] | None = None
) -> list[Client]:
    """Look at every installed client; usable ones first, the nearest to the server's version before the others.

    `programs` are the names that clients have, `server` is the server's version. `environment` (default: the process's
    own) gives the PATH that is searched before the usual folders.
    """
    search = (os.environ if environment is None else environment).get("PATH", "")
    seen: set[Path] = set()
    found = []
    for directory in (*search.split(os.pathsep), *_USUAL_DIRECTORIES):
        for program in programs:
            path = Path(directory, program)
            if not directory or not os.access(path, os.X_OK) or not path.is_file():
                continue
            real = path.resolve()
            if real not in seen:
                seen.add(real)
                found.append(_look_at(str(path), judge))
    return sorted(found, key=lambda client: (not client.usable, _distance(client, server)))


def read_version(text: str) -> tuple[str, str]:
    """Tell vendor and version from what `--version` printed; ("unknown", "") for something else."""
    for pattern in _VERSIONS:
        match = pattern.search(text)
        if match is not None:
            vendor = "mariadb" if "mariadb" in text.lower() else "mysql"
            return vendor, ".".join(str(part) for part in version_number(match["version"]))
    return "unknown", ""


@lru_cache(maxsize=8)
def known_options(client: Client) -> frozenset[str]:
    """Return the names of the client's long options, without dashes, as its `--help` lists them.

    It is asked once in a run, not once for each of hundreds of databases.
    """
    result = run_captured([client.path, "--no-defaults", "--help"], timeout=_PATIENCE)
    if result.returncode != 0:
        raise ClientMissing(f"{client.path} --help ended with status {result.returncode}; reinstall its package")
    return read_options(result.stdout.decode("utf-8", "replace"))


def read_options(help_text: str) -> frozenset[str]:
    """Read option names from a help text: those with dashes, and those of the table of variables at its end."""
    described = re.findall(r"^\s+(?:-\S, )?--([a-z][a-z0-9-]+)", help_text, re.MULTILINE)
    table = help_text.partition("\n----")[2]
    listed = re.findall(r"^([a-z][a-z0-9-]+)\s", table, re.MULTILINE)
    return frozenset((*described, *listed))


def _look_at(path: str, judge: Judge) -> Client:
    try:
        result = run_captured([path, "--no-defaults", "--version"], timeout=_PATIENCE)
        text = result.stdout.decode("utf-8", "replace")
    except CommandFailed as error:
        return Client(path=path, vendor="unknown", version="", major=0, usable=False, reason=str(error))
    vendor, version = read_version(text)
    if not version:
        reason = f"does not say its version (status {result.returncode}: {(text or result.stderr).strip()[:200]})"
        return Client(path=path, vendor=vendor, version="", major=0, usable=False, reason=reason)
    number = version_number(version)
    usable, reason = judge(vendor, number)
    return Client(path=path, vendor=vendor, version=version, major=number[0], usable=usable, reason=reason)


def _distance(client: Client, server: tuple[int, ...]) -> tuple[int, Sequence[int]]:
    """Order by series: the server's own, then newer ones from the oldest, then older ones from the newest."""
    series = version_number(client.version)[:2]
    own = server[:2]
    if series == own:
        return 0, ()
    return (1, series) if series > own else (2, tuple(-part for part in series))
