# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lookup host_pattern, with which every playbook says that its pattern matches no host."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest
import yaml
from support.golden import assert_golden

no_match = importlib.import_module("ansible_collections.vya.backupdb.plugins.lookup.host_pattern").no_match
PLAYBOOKS = sorted((Path(__file__).parents[2] / "playbooks").glob("*.yml"))
GROUPS = {
    "all": ["db1", "db2", "st1"],
    "databases": ["db1", "db2"],
    "staging": ["st1"],
    "nobody": [],
}


@pytest.mark.parametrize(
    ("pattern", "limit"),
    [
        ("all", None),
        ("databases", None),
        ("db*", None),
        ("~db[12]", None),
        ("databases:!db1", None),
        ("databases:&db2", "db2"),
        ("misspelt,db1", None),
        ("all", "staging"),
        ("localhost", None),
        ("databases[0]", None),
    ],
)
def test_a_pattern_that_matches_hosts_is_right(pattern: str, limit: str | None) -> None:
    assert no_match(pattern, GROUPS, limit) is None


@pytest.mark.parametrize(
    ("pattern", "limit", "words"),
    [
        ("databasez", None, "nothing is called 'databasez'; near it are databases"),
        ("Staging", None, "near it are staging"),
        ("db9", None, "near it are db"),
        ("wholly-other", None, "nothing is called 'wholly-other'; groups with hosts are databases, staging"),
        ("databases:!db*", None, "'databases:!db*' matches no host"),
        ("databasez:!db1", None, "near it are databases"),
        ("nobody", None, "the group 'nobody' is empty"),
        ("databases", "st1", "--limit 'st1' leaves none of the hosts that 'databases' matches (db1, db2)"),
        ("", None, "matches no host"),
    ],
)
def test_a_pattern_that_matches_none_is_told_with_what_is_near(pattern: str, limit: str | None, words: str) -> None:
    assert words in no_match(pattern, GROUPS, limit)


def test_each_message_says_what_was_meant_or_what_there_is() -> None:
    asked = [("databasez", None), ("wholly-other", None), ("nobody", None), ("databases", "st1")]
    lines = [no_match(pattern, GROUPS, limit) for pattern, limit in asked]
    assert_golden("hosts_that_match_nothing", [*lines, no_match("all", {"all": [], "ungrouped": []})], {})


def test_an_empty_inventory_is_told_as_such() -> None:
    assert "the inventory has none; give it with -i" in no_match("all", {"all": [], "ungrouped": []})


@pytest.mark.parametrize("path", PLAYBOOKS, ids=[path.stem for path in PLAYBOOKS])
def test_every_playbook_asks_whether_its_pattern_matches(path: Path) -> None:
    for play in yaml.safe_load(path.read_text(encoding="utf-8")):
        variable = f"{path.stem}_hosts"
        wanted = f"lookup('vya.backupdb.host_pattern', {variable} | default('all'), variable='{variable}')"
        assert play["hosts"] == f"{{{{ {wanted} }}}}"
