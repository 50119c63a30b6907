# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A private MariaDB or MySQL: the server program of the source's series, or else the next newer one there is.

What a program is follows from what it says with `--version`: `mysqld` is MariaDB's on most systems. The settings
that change how values are stored or read are taken from the manifest; the rest is set for a short life without care
for power cuts.
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
from ...errors import ClientMissing, CommandFailed, QueryFailed
from ...system.process import run_captured
from ..private_server import Launch, PrivateServer, initialise, network_warning, running
from ..workplace import Workplace
from .family import DRIVER, ask, quoted, version_number

SOCKET_NAME = "drill.sock.lock"
_FOLDERS = ("/usr/sbin", "/usr/bin", "/usr/libexec", "/usr/local/sbin", "/usr/local/bin", "/usr/local/mysql/bin")
_PROGRAMS = {"mariadb": ("mariadbd", "mysqld"), "mysql": ("mysqld",)}
_PACKAGES = {
    "mariadb": "mariadb-server (Debian, Ubuntu, EL)",
    "mysql": "mysql-server (Ubuntu, EL) or mysql-community-server (MySQL's own repositories)",
}
_SECONDS = 20.0
_LARGEST_PACKET = 1 << 30
_STATEMENT_MARGIN = 4096  # bytes of a packet beside the statement

_OWN_SETTINGS: Mapping[str, str] = {
    "skip_networking": "ON",
    "skip_name_resolve": "ON",
    "event_scheduler": "OFF",
    "innodb_buffer_pool_size": "128M",
    "innodb_flush_log_at_trx_commit": "0",
    "innodb_doublewrite": "OFF",
    "innodb_use_native_aio": "OFF",
    "performance_schema": "OFF",
    "max_connections": "50",
}
_VENDOR_SETTINGS: Mapping[str, Mapping[str, str]] = {
    # MySQL writes a binary log unless told otherwise, and a second protocol has a port and a socket of its own.
    "mysql": {"skip_log_bin": "ON", "mysqlx": "OFF", "secure_file_priv": "NULL"},
    "mariadb": {"skip_log_bin": "ON"},
}
# Taken over as they are: they change how names and values are stored, written or read.
_TAKEN_OVER = (
    "lower_case_table_names",
    "sql_mode",
    "character_set_server",
    "collation_server",
    "innodb_page_size",
    "innodb_default_row_format",
    "innodb_strict_mode",
    "log_bin_trust_function_creators",
    "explicit_defaults_for_timestamp",
    "system_versioning_alter_history",
)
_NAMED = ("default_storage_engine",)  # compared only: a missing one is told, not a failed start
# Never wanted in a drill: they refuse passwords, write logs or replicate.
_UNWANTED_PLUGIN = re.compile(r"(?i)password|audit|semi_?sync|errlog|wsrep|clone|group_replication")


@contextmanager
def private_server(
    manifest: Mapping[str, Any], *, place: Workplace, cancel: threading.Event
) -> Iterator[PrivateServer]:
    """Start a server for a backup of MariaDB or MySQL.

    Raises `ClientMissing` when no server program is new enough, and `CommandFailed` when it does not start.
    """
    vendor = str(manifest["engine"])
    program = find_program(vendor, str(manifest["server"]["version"]))
    source: Mapping[str, Any] = manifest["server"].get("settings", {})
    time_zone, process_zone, unmatched = _time_zone(source)
    packet, warning = packet_limit(manifest)
    configuration = place.home / "drill.cnf"
    socket = place.socket_folder / "drill.sock"
    settings = {
        **_OWN_SETTINGS,
        **_VENDOR_SETTINGS[vendor],
        # "loose": one that a newer version no longer has is passed over, and told.
        **{f"loose_{name}": _setting(source[name]) for name in _TAKEN_OVER if name in source},
        **_install_settings(program, vendor),
        "default_time_zone": time_zone,
        "max_allowed_packet": str(packet),
        "datadir": str(place.home / "data"),
        "tmpdir": str(_folder(place, "tmp")),
        "socket": str(socket),
        "pid_file": str(place.socket_folder / "drill.pid"),
    }
    lines = ["[mysqld]", *(f'{name}="{value}"' for name, value in settings.items())]
    configuration.write_text("\n".join(lines) + "\n", encoding="utf-8")
    place.user.own(configuration)
    _initialise(vendor, program, configuration, place, cancel)
    instance = Instance(id="drill", engine=vendor, user="root", unix_socket=str(socket))

    def answers() -> None:
        with Server(instance, driver=DRIVER, default_database=None) as server:
            server.value("SELECT 1")

    launch = Launch(
        argv=[str(program), f"--defaults-file={configuration}"],
        stop=signal.SIGKILL,  # it leaves nothing outside its folder, and an orderly shutdown would write for nothing
        death="KILL",
        environment={"TZ": process_zone},
    )
    with running(launch, place, answers, cancel):
        yield PrivateServer(
            instance,
            str(program),
            [*unmatched, *warning, *_plugins(instance, source), *_differences(instance, source), *network_warning()],
        )


def find_program(vendor: str, version: str) -> Path:
    """Return the server program of the source's series, or the oldest newer one of the same vendor."""
    wanted = version_number(version)[:2]
    found: list[tuple[tuple[int, ...], Path]] = []
    for folder in (*os.environ.get("PATH", "").split(os.pathsep), *_FOLDERS):
        for name in _PROGRAMS[vendor]:
            path = Path(folder) / name
            if folder and os.access(path, os.X_OK) and path.is_file():
                number = _version(path, vendor)
                if number is not None:
                    found.append((number, path))
    fitting = sorted((entry for entry in found if entry[0][:2] >= wanted), key=lambda entry: entry[0])
    if not fitting:
        there = ", ".join(f"{path} ({'.'.join(map(str, number))})" for number, path in found) or "none"
        series = ".".join(str(part) for part in wanted)
        raise ClientMissing(
            f"the drill needs a {vendor} server of version {series} or newer on this host; "
            f"install {_PACKAGES[vendor]}; it need not run. Found: {there}"
        )
    return fitting[0][1]


def packet_limit(manifest: Mapping[str, Any]) -> tuple[int, list[str]]:
    """Return the limit for one statement: the source's, or what the backup needs, and then a word on it."""
    source = int(manifest["server"].get("settings", {}).get("max_allowed_packet") or (16 << 20))
    longest = max((archive.get("longest_statement_bytes") or 0 for archive in manifest["archives"]), default=0)
    needed = -(-(longest + _STATEMENT_MARGIN) // 1024) * 1024
    if needed <= source:
        return source, []
    return min(needed, _LARGEST_PACKET), [
        f"max_allowed_packet: the source has {source}, a restore of this backup needs {needed} "
        f"(SET GLOBAL max_allowed_packet = {needed}); the drill used {min(needed, _LARGEST_PACKET)}"
    ]


def _version(path: Path, vendor: str) -> tuple[int, ...] | None:
    """Read "mariadbd  Ver 10.11.19-MariaDB-0+deb12u1 for …"; None for another vendor's program."""
    try:
        said = run_captured([str(path), "--no-defaults", "--version"], timeout=_SECONDS)
    except CommandFailed:
        return None
    text = said.stdout.decode("utf-8", "replace")
    match = re.search(r"\bVer (\d+\.\d+\.\d+\S*)", text)
    if match is None or ("mariadb" if "mariadb" in text.lower() else "mysql") != vendor:
        return None
    return version_number(match.group(1))


def _install_settings(program: Path, vendor: str) -> dict[str, str]:
    """Name the folders of a server that is not installed under /usr: it looks for them there otherwise."""
    base = program.resolve().parent.parent
    if base == Path("/usr"):
        return {}
    if vendor == "mariadb":  # finds the others below this one, wherever it was built to have them
        return {"basedir": str(base)}
    return {
        "basedir": str(base),
        "plugin_dir": str(base / "lib" / "mysql" / "plugin"),
        "lc_messages_dir": str(base / "share" / "mysql"),
    }


def _initialise(vendor: str, program: Path, configuration: Path, place: Workplace, cancel: threading.Event) -> None:
    if vendor == "mysql":
        initialise([str(program), f"--defaults-file={configuration}", "--initialize-insecure"], place, cancel)
        return
    _folder(place, "data")
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
        raise ClientMissing(f"{program} has no mariadb-install-db beside it; install {_PACKAGES[vendor]} whole")
    initialise(
        [
            str(installer),
            f"--defaults-file={configuration}",
            *(f"--{name}={value}" for name, value in _install_settings(program, vendor).items()),
            "--auth-root-authentication-method=normal",  # the socket's folder lets nobody else in
            "--skip-test-db",
            "--skip-name-resolve",
        ],
        place,
        cancel,
    )


def _folder(place: Workplace, name: str) -> Path:
    folder = place.home / name
    folder.mkdir(mode=0o700, exist_ok=True)
    place.user.own(folder)
    return folder


def _time_zone(source: Mapping[str, Any]) -> tuple[str, str, list[str]]:
    """Return default_time_zone, TZ for the process, and what cannot be matched.

    The zone tables of a new server are empty, so a zone by name becomes that of the process.
    """
    zone = str(source.get("time_zone") or "SYSTEM")
    if re.fullmatch(r"[+-]\d\d?:\d\d", zone):
        return zone, "UTC", []
    if zone.upper() == "SYSTEM":
        zone = str(source.get("system_time_zone") or "UTC")
    if re.fullmatch(r"[A-Za-z0-9_+/-]+", zone) and (Path("/usr/share/zoneinfo") / zone).is_file():
        return "SYSTEM", zone, []
    return "SYSTEM", "UTC", [] if zone in ("UTC", "GMT") else [f"time_zone: {zone} is not known here, UTC is used"]


def _setting(value: Any) -> str:
    return str(int(value)) if isinstance(value, bool) else str(value)


def _plugins(instance: Instance, source: Mapping[str, Any]) -> list[str]:
    """Install the source's plugins as far as they are here; return a word on each that is not."""
    missing = []
    with Server(instance, driver=DRIVER, default_database=None) as server:
        folder = Path(str(server.value("SELECT @@GLOBAL.plugin_dir")))
        there = {str(row[0]) for row in server.rows("SELECT plugin_name FROM information_schema.plugins")}
        for name in source.get("plugins") or ():
            if name in there or _UNWANTED_PLUGIN.search(name):
                continue
            library = _library(folder, name)
            if library is None:
                missing.append(f"plugins: {name} is not installed here")
                continue
            try:
                with server.connect() as connection:
                    ask(server, connection, f"INSTALL PLUGIN {quoted(name)} SONAME '{library}'")
            except QueryFailed as error:
                missing.append(f"plugins: {name} cannot be installed here: {error}")
    return missing


def _library(folder: Path, plugin: str) -> str | None:
    """Guess the library: it is named after the plugin, with a word for its kind in front."""
    name = plugin.lower()
    candidates = (name, f"auth_{name}", f"ha_{name}", f"type_{name}", f"func_{name}")
    return next((f"{stem}.so" for stem in candidates if (folder / f"{stem}.so").is_file()), None)


def _differences(instance: Instance, source: Mapping[str, Any]) -> list[str]:
    here: dict[str, Any] = {}
    with Server(instance, driver=DRIVER, default_database=None) as server:
        for name in (*_TAKEN_OVER, *_NAMED):
            if name in source:
                try:
                    here[name] = server.value(f"SELECT @@GLOBAL.{name}")
                except QueryFailed:
                    here[name] = "unknown"
    return [
        f"{name}: {source[name]} at the source, {value} here"
        for name, value in here.items()
        if str(value) != str(source[name])
    ]
