# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The runner: the library as one file that a host's Python runs (a zipapp, see the manual of Python's zipapp).

The same library gives the same bytes, wherever and whenever it is built: entries are sorted, have one time and one
mode, and are not compressed, because compressors differ.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Mapping
from pathlib import Path

from . import runner_bytecode

PACKAGE = "backupdb"
_BYTECODE = "backupdb_bytecode.py"
LIBRARY = Path(__file__).resolve().parents[1] / "module_utils" / PACKAGE
_CARRIED = ("*.py", "*.j2", "*.css", "*.js")  # code, and what the page of a report is made of
_TIME = (1980, 1, 1, 0, 0, 0)  # the first that the format knows
_MODE = 0o100644 << 16  # where the format keeps what Unix calls the mode
_UNIX = 3
_MAIN = b"""\
import sys

if sys.version_info < (3, 9):
    raise SystemExit("backupdb needs Python 3.9 or newer; this is " + sys.version.split()[0])
import backupdb_bytecode

backupdb_bytecode.use(sys.path[0], "%s")
from backupdb.cli.main import main

raise SystemExit(main())
"""


def build(library: Path = LIBRARY) -> bytes:
    """Return the runner made of the code of the library, and of the files that it reads."""
    found = [path for pattern in _CARRIED for path in library.rglob(pattern)]
    files = {f"{PACKAGE}/{path.relative_to(library).as_posix()}": path for path in found}
    entries = {_BYTECODE: Path(runner_bytecode.__file__), **dict(sorted(files.items()))}
    contents = {name: path.read_bytes() for name, path in entries.items()}
    return _packed({"__main__.py": _MAIN % _digest_of(contents).encode(), **contents})


def digest_of(runner: bytes) -> str:
    """Return the name that a runner has for itself: the digest of what it is made of."""
    with zipfile.ZipFile(io.BytesIO(runner)) as archive:
        return _digest_of({name: archive.read(name) for name in archive.namelist()[1:]})


def _digest_of(contents: Mapping[str, bytes]) -> str:
    return hashlib.sha256(_packed(contents)).hexdigest()


def _packed(contents: Mapping[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        for name, content in contents.items():
            _add(archive, name, content)
    return packed.getvalue()


def _add(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    entry = zipfile.ZipInfo(name, _TIME)
    entry.create_system = _UNIX
    entry.external_attr = _MODE
    archive.writestr(entry, content)
