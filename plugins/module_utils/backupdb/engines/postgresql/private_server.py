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
from ...errors import ClientMissing, CommandFailed, ManifestDamaged
from ...system.process import run_captured
from ...system.text import one_line
from ..box import isolation_warning
from ..drill_settings import Form, Names, as_text, integer, matching, one_of, recorded_settings, sorted_out, taken_over
from ..private_server import Launch, PrivateServer, initialise, running
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
# Taken over where they are what each of them may be: they change how values are read and written, or how much fits.
_TAKEN_OVER: Mapping[str, Form] = {
    "TimeZone": matching(r"[A-Za-z0-9_+:,/<>-]+"),
    "default_text_search_config": matching(r"[A-Za-z_][A-Za-z0-9_$]*(\.[A-Za-z_][A-Za-z0-9_$]*)?", longest=127),
    "default_toast_compression": one_of("pglz", "lz4"),
    "max_locks_per_transaction": integer(10, 1 << 16),
    "max_prepared_transactions": integer(0, 10_000),
    "password_encryption": one_of("scram-sha-256", "md5"),
}
# Libraries without which some extension cannot be created, restored or used in an expression of a definition.
# fmt: off
_PRELOADED = frozenset((
    "age", "anon", "auto_explain", "citus", "citus_columnar", "hypopg", "orioledb", "pg_cron", "pg_documentdb",
    "pg_documentdb_core", "pg_hint_plan", "pg_ivm", "pg_net", "pg_prewarm", "pg_qualstats", "pg_search",
    "pg_squeeze", "pg_stat_kcache", "pg_stat_monitor", "pg_stat_statements", "pg_wait_sampling", "pgaudit",
    "pglogical", "plpgsql_check", "plprofiler", "set_user", "timescaledb", "vchord", "vectors",
))
# fmt: on
_ENCODING = matching(r"[A-Za-z0-9_-]+", longest=32)
_SUPERUSER = matching(r"[^\x00-\x1f\x7f]+")
_LOGIN_TRIGGERS = 17  # from this version on
_FIXED = ("block_size", "integer_datetimes")  # of the binaries


@contextmanager
def private_server(
    manifest: Mapping[str, Any], *, superuser: str, place: Workplace, cancel: threading.Event
) -> Iterator[PrivateServer]:
    """Start a server for a backup of PostgreSQL; `superuser` is the name of the bootstrap superuser.

    Raises `ClientMissing` when no server program is new enough, and `CommandFailed` when it does not start.
    """
    if not _SUPERUSER(superuser):
        raise ManifestDamaged("the accounts' bootstrap superuser has a name that no role can have")
    programs = find_programs(manifest)
    data = place.home / "data"
    # Names of roles are bytes in that of the cluster; one of a backup from before this was noted is UTF8.
    encoding = str((manifest.get("engine_details") or {}).get("cluster_encoding") or "UTF8")
    if not _ENCODING(encoding):
        raise ManifestDamaged("the manifest's cluster_encoding is no name of an encoding")
    initialise(
        [
            str(programs / "initdb"),
            f"--pgdata={data}",
            f"--username={superuser}",
            "--auth=trust",  # the socket's folder lets nobody else in
            f"--encoding={encoding}",
            "--locale=C",
            "--no-sync",
        ],
        place,
        cancel,
    )
    source = recorded_settings(manifest)
    preload = _preload(source, programs)
    given, refused = taken_over(_TAKEN_OVER, source)
    settings = {
        **_OWN_SETTINGS,
        # Those on a login would run in each session of ours, and write what the source does not have.
        **({"event_triggers": "off"} if (_major(programs / "postgres") or 0) >= _LOGIN_TRIGGERS else {}),
        **given,
        "unix_socket_directories": str(place.socket_folder),
        "shared_preload_libraries": ", ".join(preload.known),
    }
    configuration = place.home / "drill.conf"
    configuration.write_text("".join(f"{name} = {_quoted(value)}\n" for name, value in settings.items()))
    place.user.let_read(configuration)
    launch = Launch(
        argv=[str(programs / "postgres"), "-D", str(data), f"--config-file={configuration}"],
        stop=signal.SIGQUIT,  # at once, and its shared memory is given back
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
            [*preload.unknown, *_differences(instance, source, given), *isolation_warning(place.user)],
            [*preload.refused, *refused],
        )


def find_programs(manifest: Mapping[str, Any]) -> Path:
    """Return the folder with `initdb` and `postgres` of the lowest major version that is not older than the source."""
    version = re.match(r"[0-9]{1,4}(?![0-9])", str(manifest["server"].get("version") or ""))
    if version is None:
        raise ManifestDamaged("the manifest's version of the server is none of PostgreSQL")
    wanted = int(version.group())
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


def _preload(source: Mapping[str, Any], programs: Path) -> Names:
    """Return which of the source's preloaded libraries are known and installed here, and a word on each other one."""
    recorded = as_text(source.get("shared_preload_libraries") or "") or ""
    wanted = [name.strip().strip('"') for name in recorded.split(",")]
    names = sorted_out([name for name in wanted if name], _PRELOADED, "shared_preload_libraries")
    folders = [programs.parent / "lib", programs.parent / "lib" / "postgresql"]
    there = [name for name in names.known if any((folder / f"{name}.so").is_file() for folder in folders)]
    missing = [f"shared_preload_libraries: {name} is not installed here" for name in names.known if name not in there]
    return Names(there, [*missing, *names.unknown], names.refused)


def _differences(instance: Instance, source: Mapping[str, Any], given: Mapping[str, str]) -> list[str]:
    recorded = {**given, **{name: as_text(source[name]) for name in _FIXED if name in source}}
    with Server(instance, driver=Psycopg2()) as server:
        here = {name: server.value("SELECT current_setting(:name, true)", {"name": name}) for name in recorded}
    return [
        f"{name}: {one_line(str(recorded[name]))} at the source, {value} here"
        for name, value in here.items()
        if value != recorded[name]
    ]


def _quoted(value: str) -> str:
    """Quote a value of our own or one that was looked at; raises `ValueError` for one with a line break."""
    if any(character < " " for character in value):
        raise ValueError("a value of a configuration has a control character in it")
    return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"
