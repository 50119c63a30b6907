# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every byte of a backup counts: no bit of one can change without verify naming it, with the key or without."""

from __future__ import annotations

from pathlib import Path

import pytest
from backupdb.repository.catalogue import StoredBackup, read_backup
from backupdb.repository.layout import CHECKSUM_FILE, MANIFEST_FILE
from backupdb.verify import one_backup as verify
from support.stored import PLAIN, SEALED, store

pytestmark = pytest.mark.unmeasured

CONTENT = b"-- Dump completed\n"
STEP = 5  # bits: one or two of every byte, and after five bytes each of the eight


@pytest.fixture
def backup(tmp_path: Path) -> StoredBackup:
    return store(tmp_path, content=CONTENT, envelope=PLAIN)


def is_found(backup: StoredBackup) -> bool:
    """A changed bit of the manifest can also move the backup: it is then another one, or none."""
    return verify.verify_path(backup.folder, level="digest", identities=[])["verdict"] == "damaged"


@pytest.mark.parametrize("name", [MANIFEST_FILE, CHECKSUM_FILE, "data.sql.zst"])
def test_a_flipped_bit_in_any_byte_of_a_backup_is_found(backup: StoredBackup, name: str) -> None:
    path = backup.folder / name
    whole = path.read_bytes()
    missed = []
    for bit in range(0, len(whole) * 8, STEP):
        changed = bytearray(whole)
        changed[bit // 8] ^= 1 << bit % 8
        path.write_bytes(changed)
        if not is_found(backup):
            missed.append((bit // 8, bit % 8))
    assert missed == []
    path.write_bytes(whole)
    assert not is_found(backup)


@pytest.mark.parametrize("name", [MANIFEST_FILE, CHECKSUM_FILE, "data.sql.zst"])
def test_every_truncation_and_a_longer_file_are_found(backup: StoredBackup, name: str) -> None:
    path = backup.folder / name
    whole = path.read_bytes()
    for content in [*(whole[:length] for length in range(len(whole))), whole + b"\n", whole + b"\0"]:
        path.write_bytes(content)
        assert is_found(backup), len(content)


def test_lines_that_are_missing_doubled_or_of_no_file_of_the_backup_are_found(tmp_path: Path) -> None:
    backup = store(tmp_path, content=CONTENT, envelope=SEALED)
    path = backup.folder / CHECKSUM_FILE
    first, second = path.read_bytes().splitlines(keepends=True)
    for content in (
        first,
        second,
        first + second + second,
        first + first + second,
        first + second + b"0" * 64 + b"  other\n",
        first + second + b"not a line\n",
        first + second + b"\n",
        first + second.rstrip(),
        first + second.replace(b"  ", b" *"),
        first.upper() + second,
        b"",
    ):
        path.write_bytes(content)
        assert is_found(backup), content
    path.write_bytes(second + first)
    assert not is_found(backup)
    assert read_backup(backup.folder).folder == backup.folder
