# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A disk that answers with an error where only names are looked at, or made."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest
from backupdb.errors import RepositoryError
from backupdb.repository import local
from backupdb.repository.find import BackupSelector, find
from backupdb.system import files
from support import stored


def failing(*_arguments: Any, **_options: Any) -> Any:
    raise OSError(errno.EIO, os.strerror(errno.EIO))


def test_a_folder_that_cannot_be_listed_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stored.store(tmp_path, content=stored.DUMP)
    monkeypatch.setattr(Path, "glob", failing)
    with pytest.raises(RepositoryError, match=f"{tmp_path}: Input/output error"):
        find(tmp_path, BackupSelector(instance="shop-db", database="shop"))
    with pytest.raises(RepositoryError, match=f"{tmp_path}: Input/output error"):
        local.remove_leftovers(tmp_path)


def test_a_folder_whose_name_the_disk_does_not_confirm_is_not_left_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "sync_folder", failing)
    with pytest.raises(OSError, match="Input/output error"):
        files.make_folder(tmp_path / "new")
    assert not (tmp_path / "new").exists()
