# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Command lines and the option file of the dump clients.

Sources: the clients' manual pages; MySQL manual "Using Option Files" for the escapes in values.
"""

from __future__ import annotations

import os
import pwd
from collections.abc import Sequence
from contextlib import suppress

from ...connection.instance import Instance
from ...system.process import SECRET_PATH
from ..values import Client, DumpOptions, Part

INIT_COMMAND = "init-command"  # an option of some dump clients
NO_LIMIT = 18446744073709551615  # of sql_select_limit

FORMAT = "sql"  # what manifests call a dump of these clients

# The last line of a dump with comments; it carries the time, so only its beginning is compared.
COMPLETION_MARK = b"-- Dump completed"

# The clients exit 2 after most of these; after some they go on and exit 0.
_FATAL = r"(?i)\b(?:got error|error:? \d+|couldn't|insufficient|access denied|lost connection|out of memory)"

# Something was dropped, renamed, altered, truncated or found crashed between the snapshot and the dump:
# 1051 and 1146 unknown table, 1305 routine, 1356 view with invalid references, 1360 trigger, 1539 event, 1412 table
# definition changed, 1205 waited for a change, 1034, 1194 and 1195 table crashed (left out at the next try).
_LOST = (
    r"\b(?:1051|1146|1305|1356|1360|1539|1412|1205|1034|1194|1195|1932)\b|Couldn't find table"
    r"|Couldn't read status information|Error in field count"
    r"|Table definition has changed|doesn't exist|marked as crashed"
)


def option_file(instance: Instance, tls_lines: Sequence[str]) -> bytes:
    """Write the option file that a client logs in with. It replaces every other option file."""
    lines = ["[client]"]
    user = instance.user
    if user is None:
        # By itself a client of MySQL takes the user who came to the host, such as root, not the one who runs it.
        with suppress(KeyError):
            user = pwd.getpwuid(os.geteuid()).pw_name
    if user is not None:
        lines.append(f"user={option_value(user)}")
    if instance.password is not None:
        lines.append(f"password={option_value(instance.password)}")
    if instance.unix_socket:
        lines += ["protocol=socket", f"socket={option_value(instance.unix_socket)}"]
    else:
        # The clients take the name localhost for the socket; the library's own connection does not.
        lines += ["protocol=tcp", f"host={option_value(instance.host or 'localhost')}"]
        if instance.port:
            lines.append(f"port={instance.port}")
    lines += tls_lines
    return ("\n".join(lines) + "\n").encode("utf-8", "surrogateescape")


def option_value(value: str) -> str:
    """Quote a value: everything that the option file's reader takes for its own is escaped."""
    escapes = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b"}
    return '"' + "".join(escapes.get(character, character) for character in value) + '"'


def whole_part(
    client: Client,
    secret: bytes,
    known: frozenset[str],
    database: str,
    objects: Sequence[str],
    options: DumpOptions,
    *,
    history: bool,
    ignored: Sequence[str] = (),
) -> Part:
    """One archive with everything. Without `objects` the client itself lists what the database has, but `ignored`."""
    words = [
        *_opening(client, known),
        *_data_words(known, history),
        "--routines" if options.routines else "--skip-routines",
        "--triggers" if options.triggers else "--skip-triggers",
        "--events" if options.events else "--skip-events",
        *(f"--ignore-table={database}.{name}" for name in ignored if not objects),
    ]
    return _part("data", words, secret, database, objects)


def routines_part(
    client: Client, secret: bytes, known: frozenset[str], database: str, objects: Sequence[str], options: DumpOptions
) -> Part:
    """Routines alone, to be restored before the views that call them. `objects` is any one, which is not written."""
    words = [
        *_opening(client, known),
        "--no-create-info",
        "--no-data",
        "--skip-triggers",
        "--skip-events",
        "--routines" if options.routines else "--skip-routines",
    ]
    return _part("routines", words, secret, database, objects)


def schema_part(
    client: Client,
    secret: bytes,
    known: frozenset[str],
    database: str,
    objects: Sequence[str],
    options: DumpOptions,
    *,
    in_transaction: bool = False,
) -> Part:
    """Tables, sequences with their values, views and routines: to be restored before the data.

    `in_transaction`: it is the client that is waited for.
    """
    words = [
        *_opening(client, known),
        *(["--single-transaction"] if in_transaction else []),
        "--no-data",
        "--skip-triggers",
        "--skip-events",
        "--routines" if options.routines else "--skip-routines",
    ]
    return _part("pre-data", words, secret, database, objects)


def rows_part(
    name: str,
    client: Client,
    secret: bytes,
    known: frozenset[str],
    database: str,
    tables: Sequence[str],
    *,
    history: bool,
) -> Part:
    """The rows of some tables."""
    words = [
        *_opening(client, known),
        *_data_words(known, history),
        "--no-create-info",
        "--skip-triggers",
        "--skip-routines",
        "--skip-events",
    ]
    return _part(name, words, secret, database, tables)


def programs_part(
    client: Client, secret: bytes, known: frozenset[str], database: str, tables: Sequence[str], options: DumpOptions
) -> Part:
    """Triggers and events: restored before the data, triggers would fire for every row."""
    words = [
        *_opening(client, known),
        "--no-create-info",
        "--no-data",
        "--skip-routines",
        "--triggers" if options.triggers else "--skip-triggers",
        "--events" if options.events else "--skip-events",
    ]
    return _part("post-data", words, secret, database, tables)


def _opening(client: Client, known: frozenset[str]) -> list[str]:
    optional = {
        "set-gtid-purged": "--set-gtid-purged=OFF",
        "column-statistics": "--column-statistics=0",
        "no-login-paths": "--no-login-paths",
        # The clients neutralise most settings themselves, but not the one that cuts rows off.
        INIT_COMMAND: f"--{INIT_COMMAND}=SET SESSION sql_select_limit = {NO_LIMIT}, sql_big_selects = ON",
    }
    return [
        client.path,
        f"--defaults-file={SECRET_PATH}",  # the clients want it first
        *(word for name, word in sorted(optional.items()) if name in known),
        "--default-character-set=utf8mb4",
        "--max-allowed-packet=1G",
        "--skip-lock-tables",
        "--skip-add-locks",  # a locked table whose default asks a sequence cannot be loaded (error 1100)
        "--no-tablespaces",
    ]


def _data_words(known: frozenset[str], history: bool) -> list[str]:
    return [
        "--single-transaction",
        "--quick",
        "--hex-blob",
        *(["--dump-history"] if history and "dump-history" in known else []),
    ]


def _part(name: str, words: Sequence[str], secret: bytes, database: str, objects: Sequence[str]) -> Part:
    return Part(
        name=name,
        argv=[*words, "--", database, *objects],
        environment={},
        secret=secret,
        format=FORMAT,
        suffix=".sql",
        completion_mark=COMPLETION_MARK,
        fatal_stderr=_FATAL,
        lost_stderr=_LOST,
    )
