# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a case is: in which stage, on which engine, which fault, at which call of its kind, and what happens there."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Case:
    """One fault in one piece of work; as text `backup/postgresql/write/17/EIO`.

    `number` is the call of that kind from 1 on; for faults that are no call it is what their file says, such as how
    far the work has come in percent.
    """

    stage: str
    engine: str
    fault: str
    number: int
    deed: str

    def __str__(self) -> str:
        return f"{self.stage}/{self.engine}/{self.fault}/{self.number}/{self.deed}"


def parse(text: str) -> Case:
    """Read a case as it is printed; raises ValueError."""
    stage, engine, fault, number, deed = text.split("/")
    return Case(stage, engine, fault, int(number), deed)
