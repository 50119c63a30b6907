# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An archive that was cut before it was stored: its digests are right, and a restore must notice all the same."""

from __future__ import annotations

from pathlib import Path

import pytest
from backupdb.errors import ArchiveDamaged
from backupdb.restore.plan import open_archives
from support.stored import DUMP, store


@pytest.mark.parametrize("engine", ["mariadb", "mysql"])
@pytest.mark.parametrize("content", [DUMP[: len(DUMP) // 2], DUMP[:-60], DUMP + b"x" * 100_000, b""])
def test_a_cut_dump_is_damage_at_its_end(tmp_path: Path, engine: str, content: bytes) -> None:
    backup = store(tmp_path, content=content, engine=engine)
    with pytest.raises(ArchiveDamaged, match="'-- Dump completed' is missing"):
        for source in open_archives(backup, []):
            assert b"".join(source.open()) == content


def test_a_whole_dump_is_read_as_it_is(tmp_path: Path) -> None:
    [source] = open_archives(store(tmp_path, content=DUMP), [])
    assert b"".join(source.open()) == DUMP


def test_what_another_engine_wrote_has_no_mark(tmp_path: Path) -> None:
    [source] = open_archives(store(tmp_path, content=b"PGDMP", form="custom", engine="postgresql"), [])
    assert b"".join(source.open()) == b"PGDMP"
