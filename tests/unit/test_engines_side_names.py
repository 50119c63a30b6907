# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What restores have left beside a database is recognised by its name."""

from __future__ import annotations

from datetime import datetime, timezone

from backupdb.engines.postgresql.restore.swap import kept_name
from backupdb.engines.side_names import RESTORING, beside, broken_restores
from backupdb.restore.request import new_name

NOW = datetime(2026, 11, 24, 2, 15, tzinfo=timezone.utc)
LONG = "x" * 62 + "y"


def test_what_a_broken_restore_left_is_named_with_what_to_do() -> None:
    left = new_name("shop", NOW, RESTORING)
    assert left == "shop_restoring_20261124T021500Z"
    (line,) = broken_restores(["shop", left, "shop_restored_20261124T021500Z", "shop_restoring", "restoring_plans"])
    assert left in line
    assert "half loaded" in line and "drop it" in line
    assert broken_restores([left.lower()])  # as servers keep it that fold names


def test_the_next_restore_of_a_database_names_what_earlier_ones_of_it_left_and_no_other_s() -> None:
    names = [new_name(name, NOW, RESTORING) for name in ("shop", "shopping", LONG)]
    names += [kept_name(name, "20261124T021500Z") for name in ("shop", LONG)]
    assert len(beside("shop", names)) == 2
    assert len(beside("shopping", names)) == 1
    assert len(beside(LONG, names)) == 2
    assert beside("sho", names) == []
