# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of docs/reliability.md: what was broken in which work on which engine, how often, and how that ended."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

from chaos.verdict import NOT_REACHED, Verdict
from chaos.world import KINDS

PAGE = Path(__file__).parents[2] / "docs" / "reliability.md"
_BEGIN, _END = "<!-- the table begins: ./tools/chaos --write -->", "<!-- the table ends -->"


def lines(verdicts: Sequence[Verdict]) -> list[str]:
    """Return the table, and its sums."""
    counted = [verdict for verdict in verdicts if verdict.outcome != NOT_REACHED]
    outcomes: dict[tuple[str, str], dict[str, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
    for verdict in counted:
        case = verdict.parsed()
        outcomes[case.stage, case.fault][case.engine][verdict.outcome] += verdict.tried
    rows = [f"| work | fault | {' | '.join(KINDS)} |", f"| --- | --- |{' --- |' * len(KINDS)}"]
    for (stage, fault), engines in outcomes.items():
        rows.append(f"| {stage} | {fault} | {' | '.join(_cell(engines[engine]) for engine in KINDS)} |")
    return [*rows, "", *sums(verdicts)]


def sums(verdicts: Sequence[Verdict]) -> list[str]:
    """Return in words how many cases there were, and how many of them were violations."""
    counted = [verdict for verdict in verdicts if verdict.outcome != NOT_REACHED]
    damaged = sum(verdict.tried for verdict in counted if verdict.parsed().stage == "verify")
    cases = [verdict for verdict in counted if verdict.parsed().stage != "verify"]
    violated = sum(bool(verdict.violations) for verdict in verdicts)
    return [f"{len(cases)} cases and {damaged} damaged files, {violated} violations."]


def _cell(outcomes: Counter[str]) -> str:
    return ", ".join(f"{count} {outcome}" for outcome, count in sorted(outcomes.items())) or "-"


def write(verdicts: Iterable[Verdict]) -> None:
    """Put the table into the page."""
    before, _begin, rest = PAGE.read_text(encoding="utf-8").partition(_BEGIN)
    _old, _end, after = rest.partition(_END)
    table = "\n".join(lines(list(verdicts)))
    PAGE.write_text(f"{before}{_BEGIN}\n\n{table}\n\n{_END}{after}", encoding="utf-8")
