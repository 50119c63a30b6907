# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How far a run is, for those who wait for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..system.text import human_size
from .workers import Task

_NAMES_SHOWN = 3


@dataclass(frozen=True)
class Progress:
    """The databases (and `@accounts`) of a run by where they stand, and the bytes that rest in the repository."""

    done: tuple[str, ...]  # well or badly, the last one last
    in_progress: tuple[str, ...]
    total: int
    stored_bytes: int
    expected_bytes: int = 0  # by the forecasts, as far as there are any

    def text(self) -> str:
        """Say it in a line: "2 of 7 done (@accounts, orders), now facts, wiki; 1.2 GiB stored"."""
        done = f"{len(self.done)} of {self.total} done{_names(self.done, ' ({})')}"
        return f"{done}{_names(self.in_progress, ', now {}')}; {human_size(self.stored_bytes)} stored"


def progress_of(tasks: Sequence[Task], stored_bytes: int) -> Progress:
    """Look at the tasks of a run, from any thread."""
    ended = sorted((task for task in tasks if task.ended is not None), key=lambda task: task.ended or 0.0)
    return Progress(
        done=tuple(task.planned.subject.title for task in ended),
        in_progress=tuple(
            task.planned.subject.title for task in tasks if task.began is not None and task.ended is None
        ),
        total=len(tasks),
        stored_bytes=stored_bytes,
        expected_bytes=sum(task.planned.forecast.likely for task in tasks if task.planned.forecast is not None),
    )


def _names(names: Sequence[str], form: str) -> str:
    more = ["..."] if len(names) > _NAMES_SHOWN else []
    return form.format(", ".join([*more, *names[-_NAMES_SHOWN:]])) if names else ""
