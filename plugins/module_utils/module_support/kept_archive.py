# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The archive into which Ansible has packed a module with all that it may import, for who outlives it.

Ansible deletes the file as soon as the module ends. Kept in memory, it gives a process that goes on what is imported
later, as who that process acts as by then. Only what is used is compiled, and only what an earlier call has not left:
that takes most of the time of a short call.
"""

from __future__ import annotations

import atexit
import importlib.abc
import importlib.machinery
import importlib.util
import io
import sys
import types
import zipfile
import zipimport
from collections.abc import Sequence
from pathlib import Path

from .compiled_code import CompiledCode

_MODULES = "/plugins/modules/"


class KeptArchive(importlib.abc.MetaPathFinder, importlib.abc.InspectLoader):
    """Finds and loads what is in the archive, and nothing else; a name in it comes from nowhere else."""

    def __init__(self, content: bytes, path: str = "") -> None:
        """Take the bytes of an archive, and where it was; raises `zipfile.BadZipFile`."""
        self._archive = zipfile.ZipFile(io.BytesIO(content))
        self._path = path
        self._names = frozenset(self._archive.namelist())
        modules = {Path(name).stem for name in self._names if _MODULES in name} - {"__init__"}
        self._compiled = CompiledCode(modules.pop()) if modules else None

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Return how the module is loaded, None when it is not in the archive."""
        if self._place(fullname) not in self._names:
            return None
        spec = importlib.util.spec_from_loader(fullname, self, origin=self._origin(fullname))
        if spec is not None:
            spec.has_location = True  # some look for their `__file__`
        return spec

    def is_package(self, fullname: str) -> bool:
        """Tell whether the module of the archive has others below it."""
        return f"{_folder(fullname)}/__init__.py" in self._names

    def get_source(self, fullname: str) -> str:
        """Return the text of a module of the archive."""
        return importlib.util.decode_source(self._archive.read(self._place(fullname)))

    def get_code(self, fullname: str) -> types.CodeType:
        """Return the code of a module of the archive."""
        source, path = self._archive.read(self._place(fullname)), self._origin(fullname)
        if self._compiled is None:
            return self.source_to_code(source, path)
        return self._compiled.of(fullname, source, path)

    def save(self) -> None:
        """Leave what was compiled for the next call."""
        if self._compiled is not None:
            self._compiled.save()

    def _origin(self, fullname: str) -> str:
        return str(Path(self._path, self._place(fullname)))

    def _place(self, fullname: str) -> str:
        return f"{_folder(fullname)}/__init__.py" if self.is_package(fullname) else f"{_folder(fullname)}.py"


def keep_archive() -> None:
    """Import from memory, from now on, what is in the archive that this was imported from.

    Where it was imported from files, they stay, and nothing is done.
    """
    loader = globals()["__loader__"]
    if isinstance(loader, zipimport.zipimporter):
        kept = KeptArchive(Path(loader.archive).read_bytes(), loader.archive)
        sys.meta_path.insert(0, kept)
        atexit.register(kept.save)


def save_compiled() -> None:
    """Leave what was compiled for the next call, in a process that ends without more ado."""
    for finder in sys.meta_path:
        if isinstance(finder, KeptArchive):
            finder.save()


def _folder(fullname: str) -> str:
    return fullname.replace(".", "/")
