# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The same error for many backups is told once."""

from __future__ import annotations

from backupdb.system.grouping import Fault, grouped


def fault(name: str, text: str) -> Fault:
    return Fault(name, f"/srv/{name}/data: {text}", place=f"/srv/{name}")


def test_an_error_that_many_share_is_told_once_with_their_number_and_some_names() -> None:
    faults = [fault("odd", "Damaged."), *(fault(f"shop{n}", "Wrong key.") for n in range(12))]
    assert grouped(faults, "backups") == [
        "12 backups: data: Wrong key. These are shop0, shop1, shop2 and 9 more",
        "odd: /srv/odd/data: Damaged.",
    ]


def test_a_few_are_all_named_and_an_error_without_a_full_stop_gets_one() -> None:
    faults = [Fault("a", "no space left"), Fault("b", "no space left")]
    assert grouped(faults, "backups") == ["2 backups: no space left. These are a, b"]
    assert grouped([], "backups") == []


def test_what_is_left_after_the_lines_shown_is_counted_by_things() -> None:
    faults = [Fault(str(n), f"error {n // 2}") for n in range(8)]
    assert grouped(faults, "backups", shown=3)[-1] == "and 2 more"
    assert len(grouped(faults, "backups", shown=3)) == 4
