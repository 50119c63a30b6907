# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a module has compiled, for the next call of it on this host by this user.

Ansible ships modules as source. To compile it takes longer than most calls last, so the code is left in a file. It is
used only for the very source that it was made of: the file has the SHA-256 of that beside the code of each name.

The file is in a private folder in /var/tmp, a place that every user has, one without a home too. A folder that is
anybody else's, or that others may enter, is neither read nor written, and a file that is not whole is none.
"""

from __future__ import annotations

import marshal
import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from importlib.util import MAGIC_NUMBER
from types import CodeType

BASE = "/var/tmp"  # noqa: S108  see above
_PRIVATE, _PRIVATE_FOLDER = 0o600, 0o700
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_LARGEST = 64 << 20  # bytes; ours have 3 MiB
_DIGEST = 32  # bytes

# By the name of a Python module: the digest of its source, and its code as bytes.
_Codes = dict[str, tuple[bytes, bytes]]


class CompiledCode:
    """The code of what is packed with one of Ansible's modules."""

    def __init__(self, module: str) -> None:
        """Read what an earlier call has left; nothing is known when there is nothing, or nothing to be trusted."""
        self._folder = f"{BASE}/backupdb-code-{os.geteuid()}"
        # Code is of one version of Python, and differs with -O.
        self._file = f"{module}-{sys.implementation.cache_tag}-{MAGIC_NUMBER.hex()}-{sys.flags.optimize}"
        self._known = self._read()
        self._made: _Codes = {}

    def of(self, name: str, source: bytes, path: str) -> CodeType:
        """Return the code of the source; `path` is where tracebacks say that it is."""
        digest = sha256(source).digest()
        found, code = self._known.pop(name, (b"", b""))
        if found == digest:
            return marshal.loads(code)  # type: ignore[no-any-return]  # noqa: S302  it is our own
        made = compile(source, path, "exec", dont_inherit=True)
        self._made[name] = digest, marshal.dumps(made)
        return made

    def save(self) -> None:
        """Leave what was compiled for the next call; whatever stands against that, it only costs time."""
        if not self._made or sys.dont_write_bytecode:
            return
        content = marshal.dumps({**self._read(), **self._made})
        with suppress(OSError):
            with suppress(FileExistsError):
                os.mkdir(self._folder, _PRIVATE_FOLDER)  # noqa: PTH102  pathlib is a part of what is to be saved
            with self._opened_folder() as folder:
                self._write(folder, sha256(content).digest() + content)
        self._made = {}

    def _read(self) -> _Codes:
        content = b""
        with suppress(OSError), self._opened_folder() as folder:
            descriptor = os.open(self._file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
            with os.fdopen(descriptor, "rb") as file:
                if _is_ours(os.fstat(descriptor), stat.S_IFREG):
                    content = file.read(_LARGEST)
        digest, content = content[:_DIGEST], content[_DIGEST:]
        # What is not whole could end this process while it is read.
        whole = bool(content) and sha256(content).digest() == digest
        return marshal.loads(content) if whole else {}  # noqa: S302  nobody else can have written it

    def _write(self, folder: int, content: bytes) -> None:
        new = f".{self._file}-{os.getpid()}"
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            with os.fdopen(os.open(new, flags, _PRIVATE, dir_fd=folder), "wb") as file:
                file.write(content)
            os.rename(new, self._file, src_dir_fd=folder, dst_dir_fd=folder)
        except OSError:
            with suppress(OSError):
                os.unlink(new, dir_fd=folder)
            raise

    @contextmanager
    def _opened_folder(self) -> Iterator[int]:
        """Give the folder; raises OSError when it is not there, or not ours alone."""
        folder = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            if not _is_ours(os.fstat(folder), stat.S_IFDIR):
                raise PermissionError(f"{self._folder} is not ours alone")
            yield folder
        finally:
            os.close(folder)


def _is_ours(found: os.stat_result, kind: int) -> bool:
    return stat.S_IFMT(found.st_mode) == kind and found.st_uid == os.geteuid() and not found.st_mode & _OTHERS
