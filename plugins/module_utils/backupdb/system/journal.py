# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run on the host reports while it goes on: structured entries of the journal, lines on standard error.

The journal is reached by its native protocol (https://systemd.io/JOURNAL_NATIVE_PROTOCOL/), so that entries can be
found by field: `journalctl SYSLOG_IDENTIFIER=backupdb BACKUPDB_INSTANCE=shop-pg`. Where there is no journal, or where
standard error is not the journal itself, the same is written there as text.

Secrets never come here: callers pass names, counts and messages of errors, which are free of them by construction.
"""

from __future__ import annotations

import os
import re
import socket
import sys
from typing import TextIO

from .text import one_line

SOCKET = "/run/systemd/journal/socket"
IDENTIFIER = "backupdb"
PRIORITIES = {"error": 3, "warning": 4, "notice": 5, "info": 6, "debug": 7}  # of syslog

_LONGEST_VALUE = 16384  # bytes: a datagram holds about 200 KiB
_PATIENCE = 1.0  # seconds for a journal that does not take entries


class Journal:
    """Writes entries with the same fields, such as a run's id. It never raises: that nobody listens is no fault."""

    def __init__(self, *, path: str = SOCKET, stream: TextIO | None = None, **fields: object) -> None:
        self._path = path
        self._stream = stream if stream is not None else sys.stderr
        self._fields = fields
        self._patience = _PATIENCE

    def event(self, message: str, *, priority: str = "info", **fields: object) -> None:
        """Write one entry. Fields `run_id`, `instance`, `database`, `job` ... become BACKUPDB_RUN_ID and so on."""
        entry_fields = {**self._fields, **fields}
        if not self._to_journal(message, priority, entry_fields) or not _is_journal(self._stream):
            self._to_stream(message, priority, entry_fields)

    def _to_journal(self, message: str, priority: str, fields: dict[str, object]) -> bool:
        entry = entry_of(message, priority, fields)
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
                sender.settimeout(self._patience)
                sender.sendto(entry, self._path)
        except OSError:
            self._patience = 0.0  # it is waited for once, not at every entry
            return False
        self._patience = _PATIENCE
        return True

    def _to_stream(self, message: str, priority: str, fields: dict[str, object]) -> None:
        try:
            self._stream.write(line_of(message, priority, fields) + "\n")
            self._stream.flush()
        except (OSError, ValueError):  # closed, or the reader is gone
            return


def entry_of(message: str, priority: str, fields: dict[str, object]) -> bytes:
    """Return an entry in the journal's native protocol. A value with a line break is sent with its length before it."""
    values: dict[str, object] = {
        "MESSAGE": message,
        "PRIORITY": PRIORITIES[priority],
        "SYSLOG_IDENTIFIER": IDENTIFIER,
        "SYSLOG_PID": os.getpid(),
    }
    for name, value in fields.items():
        if value is not None:
            values[f"BACKUPDB_{re.sub('[^A-Z0-9_]', '_', name.upper())}"[:64]] = value
    return b"".join(_field(name.encode(), value) for name, value in values.items())


def line_of(message: str, priority: str, fields: dict[str, object]) -> str:
    """Return one line of text; what a name holds cannot make a second one."""
    place = "/".join(str(fields[name]) for name in ("instance", "database") if fields.get(name))
    grave = f"{priority}: " if PRIORITIES[priority] <= PRIORITIES["warning"] else ""
    return one_line(f"{IDENTIFIER}: {grave}{place}{': ' if place else ''}{message}")


def _field(name: bytes, value: object) -> bytes:
    content = str(value).encode("utf-8", "backslashreplace")[:_LONGEST_VALUE]
    if b"\n" in content:
        return name + b"\n" + len(content).to_bytes(8, "little") + content + b"\n"
    return name + b"=" + content + b"\n"


def _is_journal(stream: TextIO) -> bool:
    """Say whether what is written there goes to the journal: systemd then gives its device and inode."""
    try:
        status = os.fstat(stream.fileno())
    except (OSError, ValueError):  # not a file
        return False
    return os.environ.get("JOURNAL_STREAM") == f"{status.st_dev}:{status.st_ino}"
