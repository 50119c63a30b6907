# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading a custom archive to its end with pg_restore, into nothing: an archive that was cut short passes --list.

Source: manual page of pg_restore. It reads the archives of its own major version and of older ones.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from ...system.process import Running, describe_status, start
from ..format_check import CompletionMark, FormatCheck
from .clients import installed, version_of

_LINES_SHOWN = 3


def find_reader(manifest: Mapping[str, Any]) -> tuple[Path | None, str]:
    """Return the oldest pg_restore of this host that reads the archives of a backup; without one, say what to install.

    The manifest names the pg_dump that wrote them.
    """
    client = manifest.get("client")
    major = _major(str(client.get("version"))) if isinstance(client, Mapping) else 0
    readers = [(_major(version), path) for path in installed("pg_restore") for version in [_real_version(path)]]
    usable = sorted((found, path) for found, path in readers if found >= major)
    if usable:
        return usable[0][1], ""
    return None, (
        f"its structure was not read, as no pg_restore of version {major} or newer is on this host "
        f"(install postgresql-client-{major} or newer)"
    )


def format_check(manifest: Mapping[str, Any], _archive: Mapping[str, Any]) -> FormatCheck:
    """Make the check of an archive of a database."""
    program, note = find_reader(manifest)
    return ArchiveReader(program) if program is not None else CompletionMark(None, note)


class ArchiveReader:
    """A pg_restore that reads what it is fed and writes nothing."""

    note = ""

    def __init__(self, program: Path) -> None:
        reading, self._writing = os.pipe()
        try:
            self._client: Running = start([str(program), "--format=custom", "--file=/dev/null"], stdin=reading)
        except BaseException:
            os.close(self._writing)
            raise
        finally:
            os.close(reading)

    def feed(self, block: bytes) -> None:
        """Hand a block over; one that pg_restore no longer takes is for `finish` to explain."""
        view = memoryview(block)
        with suppress(BrokenPipeError):
            while view and self._writing >= 0:
                view = view[os.write(self._writing, view) :]

    def finish(self) -> str | None:
        """Say what pg_restore found wrong; None when it read the archive to its end."""
        self._end_input()
        status = self._client.wait()
        if status == 0:
            return None
        said = "; ".join(self._client.stderr.lines()[:_LINES_SHOWN])
        return f"pg_restore cannot read it ({describe_status(status)}): {said or 'it said nothing'}"

    def close(self) -> None:
        """End pg_restore if it still runs."""
        self._end_input()
        self._client.close()

    def _end_input(self) -> None:
        if self._writing >= 0:
            os.close(self._writing)
            self._writing = -1


def _real_version(path: Path) -> str:
    """Return the version of a program; "" for a script, which picks another program by itself."""
    with path.open("rb") as file:
        is_script = file.read(2) == b"#!"
    return "" if is_script else version_of(path) or ""


def _major(version: str) -> int:
    first = version.split(".")[0]
    return int(first) if first.isdecimal() else 0
