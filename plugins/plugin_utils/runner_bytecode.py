# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bytecode of the runner, in a file beside it: without it every start compiles the library anew. It runs on the host.

The host's own Python makes the file, when the runner is installed. It is the runner once more, with bytecode beside the
source. Its name has the digest of the runner and the version of bytecode, so an older one is never taken for it, and
after an upgrade of the library or of Python the runner starts without.

This file is packed into the runner, and its functions are called there.
"""

from __future__ import annotations

import os
import re
import stat
import sys
from importlib.util import MAGIC_NUMBER, source_hash
from pathlib import Path

_OTHERS = stat.S_IWGRP | stat.S_IWOTH
_ENDING = re.compile(r"\.[0-9a-f]{16}\.[0-9a-f]{8}")
_UNCHECKED = b"\1\0\0\0"  # by its hash, which Python does not compare (PEP 552)


def path_of(runner: str, digest: str) -> Path:
    """Return the path of the file for this version of Python."""
    return Path(f"{runner}.{digest[:16]}.{MAGIC_NUMBER.hex()}")


def use(runner: str, digest: str) -> None:
    """Import from the file, if it is there and as safe as the runner itself."""
    path = path_of(runner, digest)
    if _is_trusted(path, Path(runner)):
        sys.path.insert(0, str(path))


def make(runner: str, digest: str) -> bool:
    """Make the file, and remove older ones; False when it is there as it should be. Raises OSError."""
    path, program = path_of(runner, digest), Path(runner)
    for other in program.parent.iterdir():
        if other != path and other.name.startswith(program.name) and _ENDING.fullmatch(other.name[len(program.name) :]):
            other.unlink()
    if _is_trusted(path, program) and _is_whole(path, program):
        return False
    _write(path, program)
    return True


def _is_trusted(path: Path, runner: Path) -> bool:
    """Tell whether nobody can have written it who could not have written the runner, wherever that lies."""
    try:
        found, owner = path.lstat(), runner.stat().st_uid
    except OSError:
        return False
    is_own = stat.S_ISREG(found.st_mode) and found.st_uid == owner and found.st_nlink == 1
    return is_own and not found.st_mode & _OTHERS


def _is_whole(path: Path, runner: Path) -> bool:
    """Tell whether nothing in it is damaged, and its sources are those of the runner."""
    from zipfile import BadZipFile, ZipFile

    try:
        with ZipFile(path) as made, ZipFile(runner) as source:
            return made.testzip() is None and all(made.read(name) == source.read(name) for name in source.namelist())
    except (BadZipFile, KeyError, OSError):
        return False


def _write(path: Path, runner: Path) -> None:
    """Write it under another name, with the owner and rights of the runner, and rename it when it is whole."""
    from tempfile import mkstemp
    from zipfile import ZipFile

    like = runner.stat()
    descriptor, name = mkstemp(prefix=".backupdb-", dir=path.parent)
    new = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            with ZipFile(file, "w") as made, ZipFile(runner) as source:
                for entry in source.infolist():
                    content = source.read(entry)
                    made.writestr(entry, content)
                    if entry.filename.endswith(".py"):
                        made.writestr(f"{entry.filename}c", _compiled(content, f"{runner}/{entry.filename}"))
            file.flush()
            os.fchown(descriptor, like.st_uid, like.st_gid)
            os.fchmod(descriptor, stat.S_IMODE(like.st_mode) & ~_OTHERS)
            os.fsync(descriptor)
        new.rename(path)
    except BaseException:
        new.unlink()
        raise


def _compiled(source: bytes, path: str) -> bytes:
    from marshal import dumps

    code = compile(source, path, "exec", dont_inherit=True, optimize=0)
    return MAGIC_NUMBER + _UNCHECKED + source_hash(source) + dumps(code)
