# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is told of copying: each copy in a line that names it once, and what is missing where."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from backupdb.copying import run as copying
from backupdb.copying.plan import CopyRequest
from backupdb.copying.result import CopyOutcome, of
from backupdb.copying.run import CopyRun
from backupdb.errors import LockBusy, StoreRefused
from backupdb.repository.stores.settings import copy_from

PLACE = "db1/shop-pg/orders/20261124T021500Z-3f0c9a52"


def outcome(name: str = "offsite", *, required: bool = True, **facts: Any) -> CopyOutcome:
    settings = copy_from({"name": name, "type": "local", "path": "/mnt/x", "required": required}, "test")
    return CopyOutcome(settings, **facts)


@pytest.mark.parametrize("check_mode", [True, False])
def test_an_error_that_begins_with_the_copy_names_it_once(check_mode: bool) -> None:
    failed = outcome(error=StoreRefused("copy offsite: listing s3://b: the key has no right to do this"))
    result = of([failed], check_mode=check_mode, stopped=[])
    assert result["message"] == "copy offsite: listing s3://b: the key has no right to do this"
    assert (result["status"], result["copies"][0]["error_kind"]) == ("failed", "StoreRefused")
    assert result["copies"][0]["error"] == "listing s3://b: the key has no right to do this"


def test_what_a_required_copy_lacks_makes_it_partial_and_another_copy_a_warning() -> None:
    good = outcome("good", missing=[(PLACE, 5)], sent=[PLACE], bytes=5)
    bad = outcome("bad", missing=[(PLACE, 5)], refused=["it has rotted"])
    assert of([good, bad], check_mode=False, stopped=[])["status"] == "partial"
    bad = outcome("bad", required=False, missing=[(PLACE, 5)], refused=["it has rotted"])
    result = of([good, bad], check_mode=False, stopped=[])
    assert (result["status"], result["changed"]) == ("ok", True)
    assert result["warnings"] == [result["lines"][1]]
    assert "1 still missing; it has rotted" in result["lines"][1]


def test_a_copy_that_another_run_sends_to_is_busy_and_a_plan_is_planned() -> None:
    busy = outcome(error=LockBusy("another run is copying there"))
    assert of([busy], check_mode=False, stopped=[])["status"] == "busy"
    plan = of([outcome(missing=[(PLACE, 5)], requests=4)], check_mode=True, stopped=[])
    assert (plan["status"], plan["changed"]) == ("planned", True)
    assert plan["message"] == "copy offsite: 1 backup would be sent (5 B, 4 requests)"
    assert of([outcome()], check_mode=True, stopped=[])["status"] == "ok"
    assert of([outcome()], check_mode=False, stopped=["stopped by SIGTERM"])["status"] == "failed"


@pytest.mark.parametrize("place", ["repository", "repository/far", "."])
def test_a_copy_in_its_own_repository_is_none(tmp_path: Path, place: str) -> None:
    (tmp_path / "repository" / "far").mkdir(parents=True)
    settings = copy_from({"name": "disk2", "type": "local", "path": str(tmp_path / place)}, "test")
    wanted = CopyRun([CopyRequest(str(tmp_path / "repository"))], [settings], str(tmp_path / "state"))
    result = copying.run(wanted)
    assert (result["status"], result["copies"][0]["error_kind"]) == ("failed", "InvalidOption")
    assert "lie in each other" in result["message"]
    assert not (tmp_path / "state").exists()
