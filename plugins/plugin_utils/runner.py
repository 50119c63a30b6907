# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The runner: the library as one file that a host's Python runs (a zipapp, see the manual of Python's zipapp).

The same library gives the same bytes, wherever and whenever it is built: entries are sorted, have one time and one
mode, and are not compressed, because compressors differ.
"""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

PACKAGE = "backupdb"
LIBRARY = Path(__file__).resolve().parents[1] / "module_utils" / PACKAGE
_CARRIED = ("*.py", "*.j2", "*.css", "*.js")  # code, and what the page of a report is made of
_TIME = (1980, 1, 1, 0, 0, 0)  # the first that the format knows
_MODE = 0o100644 << 16  # where the format keeps what Unix calls the mode
_UNIX = 3
_MAIN = b"""\
import sys

if sys.version_info < (3, 9):
    raise SystemExit("backupdb needs Python 3.9 or newer; this is " + sys.version.split()[0])
from backupdb.cli.main import main

raise SystemExit(main())
"""


def build(library: Path = LIBRARY) -> bytes:
    """Return the runner made of the code of the library, and of the files that it reads."""
    found = [path for pattern in _CARRIED for path in library.rglob(pattern)]
    files = {f"{PACKAGE}/{path.relative_to(library).as_posix()}": path for path in found}
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_STORED) as archive:
        _add(archive, "__main__.py", _MAIN)
        for name, path in sorted(files.items()):
            _add(archive, name, path.read_bytes())
    return content.getvalue()


def _add(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    entry = zipfile.ZipInfo(name, _TIME)
    entry.create_system = _UNIX
    entry.external_attr = _MODE
    archive.writestr(entry, content)
