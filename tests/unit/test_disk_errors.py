# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The operating system refuses where one would not think of it: a listing, a new name, memory, a connection."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from backupdb.errors import CommandFailed, RepositoryError
from backupdb.repository import local
from backupdb.repository.find import BackupSelector, find
from backupdb.system import files, process
from support import stored
from support.library import LIBRARY


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


def test_a_login_that_cannot_be_handed_to_a_client_is_told_in_our_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "memfd_create", failing)
    with pytest.raises(CommandFailed, match="no file in memory for a client's login: Input/output error"):
        process.run_captured(["true"], secret=b"password")


def test_what_sqlalchemy_says_of_a_lost_connection_is_not_on_standard_error() -> None:
    program = """
import logging
from backupdb.connection import server
server._keep_quiet()
server._keep_quiet()
assert len(logging.getLogger("sqlalchemy").handlers) == 1
logging.getLogger("sqlalchemy.pool.impl.QueuePool").error("Exception during reset or similar")
"""
    environment = {"PYTHONPATH": str(LIBRARY)}
    done = subprocess.run([sys.executable, "-c", program], env=environment, check=True, capture_output=True, text=True)
    assert done.stderr == ""
