# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What came of a piece of work, in the one form in which every capability returns it.

It belongs to no room: whatever the library does for a caller ends in an `Outcome`, as plain values and without secrets.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .system.text import one_line

_LISTS_OF_SENTENCES = ("lines", "problems")  # among the facts


@dataclass(frozen=True)
class Outcome:
    """How work ended. `facts` are what this kind of work tells beside; they come before `warnings` and `diff`.

    `status` is ok, planned or restored; partial or restored_with_errors, where all is done but for something that is
    named; busy; or failed. `diff` has the texts `before` and `after`, where there is something to show.
    """

    status: str
    changed: bool
    message: str
    warnings: Sequence[str] = ()
    diff: Mapping[str, str] | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values: what modules return and `--json` prints.

        Each sentence is one line that no terminal acts on, whatever the names in it hold; the names themselves, which
        programs read, stay as they are.
        """
        lists = {
            key: [one_line(line) if isinstance(line, str) else line for line in self.facts[key]]
            for key in _LISTS_OF_SENTENCES
            if key in self.facts
        }
        diff = {} if self.diff is None else {"diff": dict(self.diff)}
        return {
            "status": self.status,
            "changed": self.changed,
            "message": one_line(self.message),
            **self.facts,
            **lists,
            "warnings": list(map(one_line, self.warnings)),
            **diff,
        }


def diff_of(before: Sequence[str], after: Sequence[str]) -> dict[str, str]:
    """Make a diff of lines; a line break in a name makes no further line."""
    texts = ("".join(f"{one_line(line)}\n" for line in lines) for lines in (before, after))
    return dict(zip(("before", "after"), texts))
