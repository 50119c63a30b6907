# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a store has to be reminded of: which upload of a file was begun and not ended."""

from __future__ import annotations

import json
from pathlib import Path

from ...system.files import read_small_file
from ...system.json_text import read_json
from ..files import remove_file, replace_file

_LARGEST = 1 << 20  # bytes
_LONGEST = 4096  # characters of one note


class Notes:
    """Texts by the names of files, kept in memory."""

    def __init__(self) -> None:
        self._texts: dict[str, str] = {}

    def get(self, name: str) -> str | None:
        """Return what is noted of a file."""
        return self._texts.get(name)

    def keep(self, name: str, text: str) -> None:
        """Note something of a file; raises `RepositoryError` where that cannot be written."""
        self._texts[name] = text
        self._write()

    def forget(self, name: str) -> None:
        """Forget what is noted of a file."""
        if self._texts.pop(name, None) is not None:
            self._write()

    def forget_below(self, folder: str) -> None:
        """Forget what is noted of the files below a folder."""
        names = self.below(folder)
        for name in names:
            del self._texts[name]
        if names:
            self._write()

    def below(self, folder: str) -> dict[str, str]:
        """Return what is noted of the files below a folder."""
        return {name: text for name, text in self._texts.items() if name.startswith(f"{folder}/")}

    def _write(self) -> None:
        """In memory there is nothing to write."""


class FileNotes(Notes):
    """The same in a file, so that another process can go on. A file that is no longer whole is begun anew."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path
        try:
            values = read_json(read_small_file(path, _LARGEST))
        except (OSError, ValueError):
            return
        if isinstance(values, dict):
            self._texts = {
                name: text for name, text in values.items() if isinstance(text, str) and 0 < len(text) <= _LONGEST
            }

    def _write(self) -> None:
        if self._texts:
            replace_file(self._path, json.dumps(self._texts, sort_keys=True).encode("ascii"))
        else:
            remove_file(self._path)
