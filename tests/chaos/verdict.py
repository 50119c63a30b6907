# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What came of a case, as one line between a lane and the runner."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from chaos import case as cases

NOT_REACHED = "not reached"  # the work took another way, and had fewer calls of the kind than before


@dataclass(frozen=True)
class Verdict:
    """`outcome` is how the work ended, in one word; `tried` how often something was broken in this case."""

    case: str
    outcome: str
    violations: Sequence[str]
    seconds: float
    tried: int = 1

    def line(self) -> str:
        """Return it as a line of JSON."""
        return json.dumps(asdict(self))

    def parsed(self) -> cases.Case:
        """Return the case."""
        return cases.parse(self.case)


def read_line(line: str) -> Verdict:
    """Read what `line` has written."""
    return Verdict(**json.loads(line))
