# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The message: one event, as plain text that nothing in a name can break out of.

Names of databases and words of servers come into these texts. A name may hold a line break, with which it could forge
a line of a report or a header of a mail, or marks that turn the direction of a text; all of that becomes a space or
a question mark here, before any transport sees it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ..system.text import one_line, utc_now

KINDS = ("start", "success", "failure")
TEST = "test"  # asked for by a person: it goes to everybody, whatever they want to hear of

_LONGEST_LINE = 1000  # characters
_LONGEST_TITLE = 200  # characters
_LONGEST_TEXT = 16000  # bytes; Teams takes 28 KB for the whole message


@dataclass(frozen=True)
class Event:
    """Something worth telling. A run that ended partial is a failure; `job` is empty where none ran.

    `details` is data for programs, which only the webhook sends. Nothing here may be a secret.
    """

    kind: str  # one of KINDS, or TEST
    title: str
    lines: tuple[str, ...] = ()
    host: str = ""
    job: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)
    moment: datetime = field(default_factory=utc_now)


def title_of(event: Event) -> str:
    """Return the title as one bounded line, fit for the header of a mail."""
    return _cut(one_line(event.title), _LONGEST_TITLE)


def lines_of(event: Event) -> list[str]:
    """Return the lines, each of them one line, within what every receiver takes; the last says what is left out."""
    kept: list[str] = []
    room = _LONGEST_TEXT
    for line in event.lines:
        text = _cut(one_line(line), _LONGEST_LINE)
        room -= len(text.encode()) + 1
        if room < 0:
            return [*kept, f"... and {len(event.lines) - len(kept)} more lines"]
        kept.append(text)
    return kept


def texts_of(lines: Iterable[str]) -> str:
    """Join lines to the text of a message."""
    return "\n".join(lines) + "\n"


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 3] + "..."
