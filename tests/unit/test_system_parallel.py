# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Several things at once."""

from __future__ import annotations

import re

from backupdb.system.parallel import Tasks


def test_a_fault_of_ours_fails_its_own_task_and_what_the_others_did_is_still_told() -> None:
    def fault() -> int:
        return int("no number")

    tasks = Tasks([fault, lambda: 2], at_once=1, name="test")
    while not tasks.wait(0.1):
        pass
    failed, done = tasks.results()
    assert done is not None
    assert done.value == 2
    assert failed is not None
    assert re.match(
        r"internal fault at test_system_parallel\.py:\d+, please report it: ValueError: ", str(failed.error)
    )
