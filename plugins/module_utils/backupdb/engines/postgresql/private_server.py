# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A private PostgreSQL: `initdb` and `postgres` of the source's major version, or else the next newer one there is.

What a restore needs of the source's settings is taken from the manifest; all else is set for a short life without
care for power cuts: nothing of it outlives the drill.
"""

from __future__ import annotations

import os
import re
import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ...connection.instance import Instance
from ...connection.server import Server
from ...errors import ClientMissing, CommandFailed
from ...system.process import run_captured
from ..private_server import Launch, PrivateServer, initialise, network_warning, running
from ..workplace import Workplace
from .catalogue import MAINTENANCE_DATABASE, TEMPLATE_DATABASE
from .driver import Psycopg2

SOCKET_NAME = ".s.PGSQL.5432.lock"  # the longest of the two files in the socket folder
_VERSIONED_FOLDERS = ((Path("/usr/lib/postgresql"), "*/bin"), (Path("/usr"), "pgsql-*/bin"))
_SECONDS = 20.0

# Short-lived and small; autovacuum would only disturb measurements, and no job of an extension may run.
_OWN_SETTINGS: Mapping[str, str] = {
    "listen_addresses": "",
    "port": "5432",
    "shared_buffers": "128MB",
    "maintenance_work_mem": "128MB",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "1h",
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "archive_mode": "off",
    "autovacuum": "off",
    "jit": "off",
    "logging_collector": "off",
    "cron.launch_active_jobs": "off",
}
# Taken over as they are: they change how values are read and written, or how much fits.
_TAKEN_OVER = (
    "TimeZone",
    "default_text_search_config",
    "default_toast_compression",
    "max_locks_per_transaction",
    "max_prepared_transactions",
    "password_encryption",
)
_LOGIN_TRIGGERS = 17  # from this version on
_FIXED = ("block_size", "integer_datetimes")  # of the binaries


@contextmanager
def private_server(
    manifest: Mapping[str, Any], *, superuser: str, place: Workplace, cancel: threading.Event
) -> Iterator[PrivateServer]:
    """Start a server for a backup of PostgreSQL; `superuser` is the name of the bootstrap superuser.

    Raises `ClientMissing` when no server program is new enough, and `CommandFailed` when it does not start.
    """
    programs = find_programs(manifest)
    data = place.home / "data"
    initialise(
        [
            str(programs / "initdb"),
            f"--pgdata={data}",
            f"--username={superuser}",
            "--auth=trust",  # the socket's folder lets nobody else in
            # Names of roles are bytes in that of the cluster; one of a backup from before this was noted is UTF8.
            f"--encoding={(manifest.get('engine_details') or {}).get('cluster_encoding') or 'UTF8'}",
            "--locale=C",
            "--no-sync",
        ],
        place,
        cancel,
    )
    source: Mapping[str, Any] = manifest["server"].get("settings", {})
    preload, unmatched = _preload(source, programs)
    settings = {
        **_OWN_SETTINGS,
        # Those on a login would run in each session of ours, and write what the source does not have.
        **({"event_triggers": "off"} if (_major(programs / "postgres") or 0) >= _LOGIN_TRIGGERS else {}),
        **{name: str(source[name]) for name in _TAKEN_OVER if name in source},
        "unix_socket_directories": str(place.socket_folder),
        "shared_preload_libraries": ", ".join(preload),
    }
    configuration = place.home / "drill.conf"
    configuration.write_text("".join(f"{name} = {_quoted(value)}\n" for name, value in settings.items()))
    place.user.own(configuration)
    launch = Launch(
        argv=[str(programs / "postgres"), "-D", str(data), f"--config-file={configuration}"],
        stop=signal.SIGQUIT,  # at once, and its shared memory is given back
        death="QUIT",
    )
    instance = Instance(
        id="drill",
        engine="postgresql",
        user=superuser,
        unix_socket=str(place.socket_folder),
        port=5432,
        # Where we are while the backup's database is made: in another one, whatever that is called.
        database=TEMPLATE_DATABASE if manifest.get("database") == MAINTENANCE_DATABASE else MAINTENANCE_DATABASE,
    )

    def answers() -> None:
        with Server(instance, driver=Psycopg2()) as server:
            server.value("SELECT 1")

    with running(launch, place, answers, cancel):
        yield PrivateServer(
            instance,
            str(programs / "postgres"),
            [*unmatched, *_differences(instance, source), *network_warning()],
        )


def find_programs(manifest: Mapping[str, Any]) -> Path:
    """Return the folder with `initdb` and `postgres` of the lowest major version that is not older than the source."""
    wanted = int(str(manifest["server"]["version"]).split(".", maxsplit=1)[0])
    found: list[tuple[int, Path]] = []
    for folder in _folders():
        if all(os.access(folder / name, os.X_OK) for name in ("initdb", "postgres")):
            major = _major(folder / "postgres")
            if major is not None:
                found.append((major, folder))
    fitting = sorted((entry for entry in found if entry[0] >= wanted), key=lambda entry: entry[0])
    if not fitting:
        there = ", ".join(f"{folder} ({major})" for major, folder in found) or "none"
        raise ClientMissing(
            f"the drill needs a PostgreSQL server of version {wanted} or newer on this host; "
            f"install postgresql-{wanted} (Debian, Ubuntu) or postgresql{wanted}-server (EL); "
            f"it need not run. Found: {there}"
        )
    return fitting[0][1]


def _folders() -> list[Path]:
    folders = [folder for root, pattern in _VERSIONED_FOLDERS for folder in sorted(root.glob(pattern))]
    return [*folders, *(Path(folder) for folder in os.environ.get("PATH", "").split(os.pathsep) if folder)]


def _major(program: Path) -> int | None:
    try:
        said = run_captured([str(program), "--version"], timeout=_SECONDS)
    except CommandFailed:
        return None
    match = re.match(rb"postgres \([^)]*\) (\d+)", said.stdout)
    return int(match.group(1)) if match else None


def _preload(source: Mapping[str, Any], programs: Path) -> tuple[list[str], list[str]]:
    """Split the source's preloaded libraries into those that are installed here and a word on each other one."""
    wanted = [name.strip().strip('"') for name in str(source.get("shared_preload_libraries") or "").split(",")]
    folders = [programs.parent / "lib", programs.parent / "lib" / "postgresql"]
    there = [name for name in wanted if name and any((folder / f"{name}.so").is_file() for folder in folders)]
    return there, [
        f"shared_preload_libraries: {name} is not installed here" for name in wanted if name and name not in there
    ]


def _differences(instance: Instance, source: Mapping[str, Any]) -> list[str]:
    with Server(instance, driver=Psycopg2()) as server:
        here = {
            name: server.value("SELECT current_setting(:name, true)", {"name": name})
            for name in (*_TAKEN_OVER, *_FIXED)
            if name in source
        }
    return [
        f"{name}: {source[name]} at the source, {value} here" for name, value in here.items() if value != source[name]
    ]


def _quoted(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"
