# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What makes a repository of very many backups cheap to read and print takes nothing for granted."""

from __future__ import annotations

import errno
import json
import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from backupdb.cli.output import write_json
from backupdb.repository import layout
from backupdb.repository.catalogue import Filter
from backupdb.repository.listing import collect
from backupdb.system.files import read_small_file
from backupdb.system.json_text import read_json
from support.stored import TIME, store

LONGEST = "9" * 40


@pytest.mark.parametrize("text", [LONGEST, f'["{LONGEST * 3}", 1]', '{"a": [-1, 2.5, true, null]}'])
def test_json_with_long_rows_of_digits_is_read(text: str) -> None:
    assert read_json(text.encode("ascii")) == json.loads(text)


@pytest.mark.parametrize(
    "text", [f"-{LONGEST}", f"[1, {LONGEST}0]", f"0.{LONGEST}", "1e999", "NaN", "-Infinity", "\ufeff{}", "[" * 100_000]
)
def test_what_cannot_be_reckoned_with_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        read_json(text.encode("utf-8"))


def test_a_file_of_many_blocks_is_read_whole_and_one_that_is_too_large_is_refused(tmp_path: Path) -> None:
    content = os.urandom(300_000)
    path = tmp_path / "file"
    path.write_bytes(content)
    assert read_small_file(path, len(content)) == content
    with pytest.raises(OSError, match="larger than") as refused:
        read_small_file(path, len(content) - 1)
    assert refused.value.errno == errno.EFBIG


def test_a_result_is_printed_as_json_whatever_names_are_in_it(capsys: pytest.CaptureFixture[str]) -> None:
    result = {"a\udcff": ["one", {"b\udc80": "\U0001f600 \\udc80 \udcc3x"}, []], "none": [], "count": 2}
    write_json(result)
    assert json.loads(capsys.readouterr().out) == {
        "a\\xff": ["one", {"b\\x80": "\U0001f600 \\udc80 \\xc3x"}, []],
        "none": [],
        "count": 2,
    }


def test_of_a_result_that_cannot_be_printed_nothing_is(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(TypeError):
        write_json({"whole": 1, "list": ["fine", object()]})
    assert capsys.readouterr().out == ""


def test_the_records_that_wait_for_root_are_listed_once_for_each_database(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for database in ("shop", "wiki"):
        folders = [store(tmp_path, database, time=TIME + timedelta(days=number)).folder for number in range(3)]
        waiting = folders[0].parent / layout.DRILLS_FOLDER
        waiting.mkdir()
        finished = {"schema": 1, "verdict": "equal", "finished": "2026-11-21T00:00:00Z"}
        for folder in folders[:2]:
            path = waiting / f"{folder.name}.drill-20261121T000000Z.json"
            path.write_text(json.dumps({**finished, "backup_id": folder.name}), encoding="ascii")
    listed: list[Path] = []
    listdir = os.listdir

    def noted(path: Any) -> list[str]:
        listed.append(Path(path))
        return listdir(path)

    monkeypatch.setattr(os, "listdir", noted)
    result = collect(str(tmp_path), Filter())
    assert (result["problems"], [entry["proven"] for entry in result["backups"]]) == ([], [False] * 2 + [True] * 4)
    assert sum(path.name == layout.DRILLS_FOLDER for path in listed) == 2


def test_a_backup_whose_folder_cannot_be_listed_is_still_pinned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = store(tmp_path).folder
    (folder / "pin.json").write_text('{"reason": "audit", "since": ""}', encoding="ascii")
    listdir = os.listdir

    def refuse(path: Any) -> list[str]:
        if Path(path) == folder:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        return listdir(path)

    monkeypatch.setattr(os, "listdir", refuse)
    result = collect(str(tmp_path), Filter())
    assert [entry["pin_reason"] for entry in result["backups"]] == ["audit"]
    assert result["problems"] == [f"{folder} cannot be listed: Permission denied"]
