# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The small filters between variables of roles and options of modules."""

from __future__ import annotations

import importlib
from typing import Any

import pytest

FILTERS = "ansible_collections.vya.backupdb.plugins.filter"
keep_keys = importlib.import_module(f"{FILTERS}.keep_keys").keep_keys
backup_selection = importlib.import_module(f"{FILTERS}.backup_selection").backup_selection


def test_keys_that_are_not_listed_are_left_out() -> None:
    assert keep_keys({"a": 1, "b": 2}, ["a", "c"]) == {"a": 1}


@pytest.mark.parametrize(
    ("answer", "option"),
    [
        ("latest", {"latest": True}),
        ("20261124T031500Z-0a1b2c3d", {"backup_id": "20261124T031500Z-0a1b2c3d"}),
        ("2026-11-24T03:15:00Z", {"at": "2026-11-24T03:15:00Z"}),
        ("20261124T031500Z-0a1b2c3", {"at": "20261124T031500Z-0a1b2c3"}),
    ],
)
def test_an_answer_that_is_no_path_selects_a_backup_of_a_database(answer: str, option: dict[str, Any]) -> None:
    place = {"instance": "shop-pg", "database": "shop"}
    assert backup_selection(answer, "db1", "shop-pg", "shop") == {"host": "db1", **place, **option}
    assert backup_selection(answer, "", "shop-pg", "shop") == {**place, **option}


def test_a_path_selects_a_backup_alone() -> None:
    assert backup_selection("/srv/b/db1/x", "db1", "shop-pg", "shop") == {"path": "/srv/b/db1/x"}
