# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finding pg_dump: every installed one is looked at, and each is told why it is, or is not, the one to use.

An older pg_dump refuses a newer server. A newer one works, but its archive needs a pg_restore of its own major
version, and may hold settings that the server itself does not know: used only when that is allowed.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from ...errors import CommandFailed
from ...system.process import run_captured
from ..values import Client, ServerFacts

_VERSIONED_FOLDERS = (
    (Path("/usr/lib/postgresql"), "*/bin"),  # Debian, Ubuntu
    (Path("/usr"), "pgsql-*/bin"),  # the packages of postgresql.org on EL
)
_SECONDS = 20.0


def find_clients(facts: ServerFacts, *, allow_newer: bool) -> list[Client]:
    """Return every pg_dump of this host; the usable ones first, the best of them at the head."""
    looked_at = [_looked_at(path, facts, allow_newer=allow_newer) for path in installed("pg_dump")]
    return sorted(looked_at, key=lambda client: (not client.usable, client.major, _descending(client.version)))


def sibling_program(client: Client, program: str) -> str:
    """Return the path of a program of the same package, such as pg_dumpall."""
    return str(Path(client.path).with_name(program))


def package_name(facts: ServerFacts) -> str:
    """Name the package that brings a pg_dump of the server's major version."""
    return package_of(facts.version_number[0])


def package_of(major: int) -> str:
    """Name the package that brings the client programs of a major version."""
    return (
        f"postgresql-client-{major} (Debian and Ubuntu, from apt.postgresql.org where the distribution has another), "
        f"postgresql{major} from yum.postgresql.org or the module postgresql:{major} (EL)"
    )


def installed(program: str) -> Iterator[Path]:
    """Yield the path of every installed program of this name, such as pg_restore; each one once."""
    folders = [folder for root, pattern in _VERSIONED_FOLDERS for folder in sorted(root.glob(pattern))]
    folders += [Path(folder) for folder in os.environ.get("PATH", "").split(os.pathsep) if folder]
    seen = set()
    for folder in folders:
        path = folder / program
        if not os.access(path, os.X_OK) or not path.is_file():
            continue
        real = path.resolve()
        if real not in seen:
            seen.add(real)
            # Debian's /usr/bin/pg_dump is a link to a script; its real programs keep the name that was found.
            yield path


def version_of(path: Path) -> str | None:
    """Read "pg_dump (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)" as "15.18"; None where it says something else."""
    try:
        said = run_captured([str(path), "--version"], timeout=_SECONDS)
    except CommandFailed:
        return None
    match = re.match(rf"{re.escape(path.name)} \([^)]*\) (\d+(?:\.\d+)*)", said.stdout.decode("utf-8", "replace"))
    return match.group(1) if said.returncode == 0 and match else None


def _looked_at(path: Path, facts: ServerFacts, *, allow_newer: bool) -> Client:
    def client(version: str, major: int, reason: str, *, usable: bool = False) -> Client:
        return Client(str(path), "postgresql", version, major, usable, reason)

    with path.open("rb") as file:
        if file.read(2) == b"#!":
            return client("", 0, "it is a script that picks one of the real programs by itself")
    version = version_of(path)
    if version is None:
        return client("", 0, "it does not tell its version")
    major = int(version.split(".")[0])
    server = facts.version_number[0]
    if major == server:
        return client(version, major, f"it has the server's own major version {server}", usable=True)
    if major < server:
        return client(version, major, f"it is older than the server ({facts.version}), which pg_dump refuses")
    if not allow_newer:
        return client(version, major, f"it is newer than the server ({facts.version}) and allow_newer_client is off")
    return client(version, major, f"it is newer than the server ({facts.version}), which is allowed", usable=True)


def _descending(version: str) -> tuple[int, ...]:
    return tuple(-int(part) for part in version.split(".") if part)
