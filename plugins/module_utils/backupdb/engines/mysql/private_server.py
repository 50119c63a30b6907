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
from ...system.text import one_line
from ..box import isolation_warning
from ..drill_settings import Form, Names, as_text, integer, matching, one_of, recorded_settings, sorted_out, taken_over
from ..private_server import Launch, PrivateServer, running
from ..workplace import Workplace
from .driver import PyMysql
from .server_program import ServerProgram, private_folder
from .statements import ask, quoted, quoted_text

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
_SWITCH = one_of("0", "1", "ON", "OFF")
# Taken over where they are what each of them may be: they change how names and values are stored, written or read.
_TAKEN_OVER: Mapping[str, Form] = {
    "lower_case_table_names": integer(0, 2),
    "sql_mode": matching(r"[A-Za-z0-9_,]*", longest=2048),
    "character_set_server": matching(r"[A-Za-z0-9_]+"),
    "collation_server": matching(r"[A-Za-z0-9_]+"),
    "innodb_page_size": one_of("4096", "8192", "16384", "32768", "65536"),
    "innodb_default_row_format": one_of("compact", "dynamic", "redundant"),
    "innodb_strict_mode": _SWITCH,
    "log_bin_trust_function_creators": _SWITCH,
    "explicit_defaults_for_timestamp": _SWITCH,
    "system_versioning_alter_history": one_of("ERROR", "KEEP"),
}
# Compared only: a missing one is a warning, not a failed start.
_NAMED: Mapping[str, Form] = {"default_storage_engine": matching(r"[A-Za-z0-9_]+")}
_PACKET = integer(1024, _LARGEST_PACKET)
_ZONE_SHOWN = 60  # characters
_ZONE = re.compile(r"[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*")  # no path of its own
# Passed over without a word: they refuse passwords, write logs or replicate, and no restore needs them.
_UNWANTED_PLUGIN = re.compile(r"(?i)password|audit|semi_?sync|errlog|wsrep|clone|group_replication")
# Those that tables, types, accounts or programs may need: storage engines, compression, authentication, and tables of
# information_schema.
# fmt: off
_PLUGINS = frozenset((
    "archive", "auth_socket", "authentication_fido", "authentication_kerberos", "authentication_ldap_sasl",
    "authentication_ldap_simple", "authentication_pam", "authentication_webauthn", "blackhole",
    "caching_sha2_password", "cassandra", "columnstore", "connect", "disks", "ed25519", "example", "federated",
    "federatedx", "gssapi", "inet4", "inet6", "locales", "mecab", "metadata_lock_info", "mroonga", "mysql_json",
    "mysql_native_password", "mysql_no_login", "named_pipe", "oqgraph", "pam", "parsec", "provider_bzip2",
    "provider_lz4", "provider_lzma", "provider_lzo", "provider_snappy", "query_cache_info", "query_response_time",
    "rocksdb", "s3", "sequence", "sha256_password", "sphinx", "spider", "tokudb", "unix_socket", "user_variables",
    "uuid", "xmltype",
))
# fmt: on


@contextmanager
def private_server(
    vendor: ServerProgram, manifest: Mapping[str, Any], *, place: Workplace, cancel: threading.Event
) -> Iterator[PrivateServer]:
    """Start a server of the vendor for a backup.

    Raises `ClientMissing` when no server program is new enough, and `CommandFailed` when it does not start.
    """
    program = vendor.find(str(manifest["server"].get("version")))
    source = recorded_settings(manifest)
    given, refused = taken_over(_TAKEN_OVER, source)
    named, nameless = taken_over(_NAMED, source)
    time_zone, process_zone, unmatched = _time_zone(source)
    packet, warning = packet_limit(manifest)
    configuration = place.home / "drill.cnf"
    socket = place.socket_folder / "drill.sock"
    settings = {
        **_OWN_SETTINGS,
        **vendor.SETTINGS,
        # "loose": one that a newer version no longer has is passed over, with a warning.
        **{f"loose_{name}": value for name, value in given.items()},
        **vendor.install_settings(program),
        "default_time_zone": time_zone,
        "max_allowed_packet": str(packet),
        "datadir": str(place.home / "data"),
        "tmpdir": str(private_folder(place, "tmp")),
        "socket": str(socket),
        "pid_file": str(place.socket_folder / "drill.pid"),
    }
    lines = ["[mysqld]", *(f"{name}={_quoted_value(value)}" for name, value in settings.items())]
    configuration.write_text("\n".join(lines) + "\n", encoding="utf-8")
    place.user.let_read(configuration)
    vendor.initialise(program, configuration, place, cancel)
    instance = Instance(id="drill", engine=vendor.VENDOR, user="root", unix_socket=str(socket))

    def answers() -> None:
        with Server(instance, driver=PyMysql()) as server:
            server.value("SELECT 1")

    launch = Launch(
        argv=[str(program), f"--defaults-file={configuration}"],
        stop=signal.SIGKILL,  # it leaves nothing outside its folder, and an orderly shutdown would write for nothing
        environment={"TZ": process_zone},
    )
    with running(launch, place, answers, cancel):
        plugins = _plugins(instance, source)
        differences = _differences(instance, {**given, **named})
        yield PrivateServer(
            instance,
            str(program),
            [*unmatched, *warning, *plugins.unknown, *differences, *isolation_warning(place.user)],
            [*refused, *nameless, *plugins.refused],
        )


def packet_limit(manifest: Mapping[str, Any]) -> tuple[int, list[str]]:
    """Return the limit for one statement: the source's, or what the backup needs, and then a word on it."""
    recorded = as_text(recorded_settings(manifest).get("max_allowed_packet"))
    source = int(recorded) if recorded is not None and _PACKET(recorded) else 16 << 20
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
    if _ZONE.fullmatch(zone) and (Path("/usr/share/zoneinfo") / zone).is_file():
        return "SYSTEM", zone, []
    unknown = f"time_zone: {one_line(zone[:_ZONE_SHOWN])} is not known here, UTC is used"
    return "SYSTEM", "UTC", [] if zone in ("UTC", "GMT") else [unknown]


def _quoted_value(value: str) -> str:
    """Quote a value for an option file; raises `ValueError` for one that would end its line."""
    if any(character < " " for character in value):
        raise ValueError("a value of a configuration has a control character in it")
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _plugins(instance: Instance, source: Mapping[str, Any]) -> Names:
    """Install the source's plugins that are known and here; return them, and a word on each other one."""
    recorded = source.get("plugins") or []
    with Server(instance, driver=PyMysql()) as server:
        folder = Path(str(server.value("SELECT @@GLOBAL.plugin_dir")))
        there = {str(row[0]) for row in server.rows("SELECT plugin_name FROM information_schema.plugins")}
        wanted = [
            name
            for name in (recorded if isinstance(recorded, list) else [recorded])
            if not isinstance(name, str) or (name not in there and not _UNWANTED_PLUGIN.search(name))
        ]
        names = sorted_out(wanted, _PLUGINS, "plugins")
        for name in names.known:
            library = _library(folder, name)
            if library is None:
                names.unknown.append(f"plugins: {name} is not installed here")
                continue
            try:
                with server.connect() as connection:
                    ask(server, connection, f"INSTALL PLUGIN {quoted(name)} SONAME {quoted_text(library)}")
            except QueryFailed as error:
                names.unknown.append(f"plugins: {name} cannot be installed here: {error}")
    return names


def _library(folder: Path, plugin: str) -> str | None:
    """Guess the library: it is named after the plugin, with a word for its kind in front."""
    name = plugin.lower()
    candidates = (name, f"auth_{name}", f"ha_{name}", f"type_{name}", f"func_{name}")
    return next((f"{stem}.so" for stem in candidates if (folder / f"{stem}.so").is_file()), None)


def _differences(instance: Instance, recorded: Mapping[str, str]) -> list[str]:
    here: dict[str, Any] = {}
    with Server(instance, driver=PyMysql()) as server:
        for name in recorded:
            try:
                here[name] = server.value(f"SELECT @@GLOBAL.{name}")
            except QueryFailed:
                here[name] = "unknown"
    return [
        f"{name}: {recorded[name]} at the source, {value} here"
        for name, value in here.items()
        if str(value) != recorded[name]
    ]
