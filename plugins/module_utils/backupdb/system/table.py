# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lines of a table, for terminals and for playbooks, which show each line by itself."""

from __future__ import annotations

from collections.abc import Sequence

from .text import printable

_GAP = "  "


def table(rows: Sequence[Sequence[str]], *, right: Sequence[int] = ()) -> list[str]:
    """Return rows as lines with aligned columns; `right` has the columns that are aligned to the right."""
    shown = [[one_line(cell) for cell in row] for row in rows]
    widths = [max(len(row[column]) for row in shown) for column in range(len(shown[0]))] if shown else []
    return [
        _GAP.join(
            cell.rjust(width) if column in right else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths))
        ).rstrip()
        for row in shown
    ]


def one_line(text: str) -> str:
    """Return a text with everything escaped that a terminal would act on, such as a line break in a name."""
    shown: str = printable(text)
    if shown.isprintable():  # as nearly all are
        return shown
    return "".join(one if one.isprintable() else repr(one)[1:-1] for one in shown)
