# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A private MariaDB or MySQL: the server program of the source's series, or else the next newer one there is.

The settings that change how values are stored or read are taken from the manifest; the rest is set for a short life
without care for power cuts.
"""

from __future__ import annotations

import re
import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ...connection.instance import Instance
from ...connection.server import Server
from ...errors import QueryFailed
from ..private_server import Launch, PrivateServer, network_warning, running
from ..workplace import Workplace
from .driver import PyMysql
from .server_program import ServerProgram, private_folder
from .statements import ask, quoted

SOCKET_NAME = "drill.sock.lock"
_LARGEST_PACKET = 1 << 30
_STATEMENT_MARGIN = 4096  # bytes of a packet in addition to the statement

_OWN_SETTINGS: Mapping[str, str] = {
    "skip_networking": "ON",
    "skip_name_resolve": "OFF",  # with it, accounts for hosts by name would not be shown; nobody comes by the network
    "event_scheduler": "OFF",
    "local_infile": "OFF",
    "innodb_buffer_pool_size": "128M",
    "innodb_flush_log_at_trx_commit": "0",
    "innodb_doublewrite": "OFF",
    "innodb_use_native_aio": "OFF",
    "performance_schema": "OFF",
    "max_connections": "50",
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
_NAMED = ("default_storage_engine",)  # compared only: a missing one is a warning, not a failed start
# Never wanted in a drill: they refuse passwords, write logs or replicate.
_UNWANTED_PLUGIN = re.compile(r"(?i)password|audit|semi_?sync|errlog|wsrep|clone|group_replication")


@contextmanager
def private_server(
    vendor: ServerProgram, manifest: Mapping[str, Any], *, place: Workplace, cancel: threading.Event
) -> Iterator[PrivateServer]:
    """Start a server of the vendor for a backup.

    Raises `ClientMissing` when no server program is new enough, and `CommandFailed` when it does not start.
    """
    program = vendor.find(str(manifest["server"]["version"]))
    source: Mapping[str, Any] = manifest["server"].get("settings", {})
    time_zone, process_zone, unmatched = _time_zone(source)
    packet, warning = packet_limit(manifest)
    configuration = place.home / "drill.cnf"
    socket = place.socket_folder / "drill.sock"
    settings = {
        **_OWN_SETTINGS,
        **vendor.SETTINGS,
        # "loose": one that a newer version no longer has is passed over, with a warning.
        **{f"loose_{name}": _setting(source[name]) for name in _TAKEN_OVER if name in source},
        **vendor.install_settings(program),
        "default_time_zone": time_zone,
        "max_allowed_packet": str(packet),
        "datadir": str(place.home / "data"),
        "tmpdir": str(private_folder(place, "tmp")),
        "socket": str(socket),
        "pid_file": str(place.socket_folder / "drill.pid"),
    }
    lines = ["[mysqld]", *(f'{name}="{value}"' for name, value in settings.items())]
    configuration.write_text("\n".join(lines) + "\n", encoding="utf-8")
    place.user.own(configuration)
    vendor.initialise(program, configuration, place, cancel)
    instance = Instance(id="drill", engine=vendor.VENDOR, user="root", unix_socket=str(socket))

    def answers() -> None:
        with Server(instance, driver=PyMysql()) as server:
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
    with Server(instance, driver=PyMysql()) as server:
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
    with Server(instance, driver=PyMysql()) as server:
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
