# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page on retention says what the code does: every table of its examples is decided again."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
import yaml
from backupdb.retention.decide import KEEP, Candidate, plan, policy_from
from backupdb.retention.policy import OPTIONS

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "retention.md").read_text(encoding="utf-8")
SECTIONS = dict(zip(*[iter(re.split(r"^##+ (.+)$", PAGE, flags=re.MULTILINE)[1:])] * 2))
EXAMPLES = [title for title, text in SECTIONS.items() if "backupdb_retention:\n" in text]


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=timezone.utc)


def rows(text: str) -> list[list[str]]:
    """The cells of a table, without its head."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def candidate(name: str, remark: str) -> Candidate:
    facts: dict[str, Any] = {"partial": {"complete": False}, "proven": {"proven": True}, "": {}}
    if remark.startswith("pinned: "):
        return Candidate(name, moment(name), pinned=remark[len("pinned: ") :])
    return Candidate(name, moment(name), **facts[remark])


def test_the_page_has_examples_and_names_every_option() -> None:
    assert len(EXAMPLES) >= 6
    assert [name for name in OPTIONS if f"`{name}" not in PAGE] == []


@pytest.mark.parametrize("title", EXAMPLES)
def test_every_example_is_what_the_code_decides(title: str) -> None:
    text = SECTIONS[title]
    policy = policy_from(yaml.safe_load(text.split("```yaml\n")[1].split("```")[0])["backupdb_retention"])
    now = re.search(r"It is (\d{4}-\d\d-\d\d \d\d:\d\d)", text)
    assert now is not None
    table = rows(text)
    assert len(table) >= 4
    decisions = plan(policy, [candidate(name, remark) for name, remark, _said in table], now=moment(now.group(1)))
    decided = {
        entry.backup_id: f"kept: {entry.reason}" if entry.action == KEEP else f"**removed**: {entry.reason}"
        for entry in decisions
    }
    assert {name: said for name, _remark, said in table} == decided
    assert "2026-11-24 12:00, a Tuesday" not in text or moment("2026-11-24 12:00").strftime("%A") == "Tuesday"


def test_the_numbers_of_backups_that_are_left_are_right() -> None:
    end = moment("2026-11-24 02:15")
    table = rows(SECTIONS["How many that makes"])
    assert len(table) >= 5
    for text, *said in table:
        policy = policy_from(yaml.safe_load("{" + text.strip("`") + "}"))
        counted = []
        for step in (timedelta(days=1), timedelta(hours=1)):
            count = timedelta(days=3 * 365) // step
            backups = [Candidate(f"{number:06}", end - number * step) for number in range(count)]
            counted.append(sum(entry.action == KEEP for entry in plan(policy, backups, now=end)))
        assert [int(number) for number in said] == counted, text
