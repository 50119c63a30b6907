# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report as one HTML page that needs nothing else: no request leaves it, and no name in it can become markup."""

from __future__ import annotations

import base64
import hashlib
import pkgutil
from collections.abc import Mapping, Sequence
from typing import Any

from ..errors import RequirementMissing
from ..system.table import one_line
from ..system.text import human_age, human_duration, human_size
from .coverage import CLASSES
from .data import data_of

_ROOM = __name__.rpartition(".")[0]
_LARGEST = 1_950_000  # bytes of a page; what is left beside the rest is for the histories
_BAR = 400  # units of width
_CHART = 60  # units of height


def html_of(model: Mapping[str, Any]) -> str:
    """Return the page; raises `RequirementMissing` where the template engine is not installed."""
    try:
        from jinja2 import Environment, StrictUndefined
    except ImportError as error:
        raise RequirementMissing(
            f"a report in HTML needs the Python library Jinja2 ({error}); install python3-jinja2 (Debian, Ubuntu, "
            "Enterprise Linux) or Jinja2 (PyPI), or write the report as JSON or CSV",
            library="jinja2",
        ) from error
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters.update(shown=_shown, size=human_size, age=human_age, duration=human_duration)
    style, script = _file("page.css"), _file("page.js")
    page = environment.from_string(_file("page.html.j2")).render(
        model=model,
        style=style,
        script=script,
        style_hash=_hash(style),
        script_hash=_hash(script),
        classes=CLASSES,
        coverage={one.name: one for one in CLASSES},
        bar=_bar(model),
        matrix=_matrix(model),
        chart=_chart(model["days"]),
        chart_height=_CHART,
    )
    before, _nul, after = page.partition("\0")  # no name has one: `shown` writes control characters as text
    return f"{before}{data_of(model, _LARGEST - len(page.encode()))}{after}"


def _file(name: str) -> str:
    """Return a file of the page. The package's loader reads it: on hosts all of this is in one archive."""
    content = pkgutil.get_data(_ROOM, f"page/{name}")
    return "" if content is None else content.decode("utf-8")


def _hash(text: str) -> str:
    """Return what a content security policy calls this inline text."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")


def _shown(text: Any) -> str:
    return one_line(str(text))


def _bar(model: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the parts of a bar, one for each class that there is: where it begins and how wide it is."""
    counts = model["summary"]["coverage"]
    total = sum(counts.values())
    found: list[dict[str, Any]] = []
    at = 0.0
    for number, one in enumerate(CLASSES):
        count = counts[one.name]
        if count:
            width = _BAR * count / total
            part = {"number": number, "of": one, "count": count, "x": round(at, 2)}
            found.append({**part, "width": round(max(width - 2, 1.0), 2)})
            at += width
    return found


def _matrix(model: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return for each host its instances, each with its databases; worst first."""
    rank = {one.name: number for number, one in enumerate(CLASSES)}
    by_host: dict[str, dict[tuple[str, str], list[Mapping[str, Any]]]] = {}
    for entry in model["databases"]:
        of_host = by_host.setdefault(entry["look"], {})
        of_host.setdefault((entry["host"], entry["instance"]), []).append(entry)
    rows = []
    for host in model["hosts"]:
        instances = {(one["host"], one["instance"]): one for one in host["instances"]}
        found = by_host.get(host["name"], {})
        places: list[dict[str, Any]] = [
            {
                "host": place[0],
                "instance": place[1],
                "about": instances.get(place),
                "databases": [
                    {**entry, "rank": rank[entry["coverage"]]}
                    for entry in sorted(found.get(place, []), key=lambda one: (rank[one["coverage"]], one["title"]))
                ],
                "excluded": _excluded(instances.get(place), found.get(place, [])),
            }
            for place in sorted({*instances, *found})
        ]
        worst = min((entry["rank"] for one in places for entry in one["databases"]), default=0)
        rows.append({"host": host, "places": places, "worst": worst})
    return sorted(rows, key=lambda row: (row["host"]["unknown"] is None, row["worst"], row["host"]["name"]))


def _excluded(instance: Mapping[str, Any] | None, databases: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return what no run takes and has no backups either, by its rule."""
    known = {entry["database"] for entry in databases}
    by_rule: dict[str, list[str]] = {}
    for entry in (instance or {}).get("excluded", ()):
        if entry["name"] not in known:
            by_rule.setdefault(entry["rule"], []).append(entry["name"])
    return [{"rule": rule, "names": names} for rule, names in sorted(by_rule.items())]


def _chart(days: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return for each day the heights of its bars: what was published whole, what lacks something, what failed."""
    most = max((day["backups"] + day["failed"] for day in days), default=0) or 1
    bars = []
    for number, day in enumerate(days):
        heights = [day["backups"] - day["partial"], day["partial"], day["failed"]]
        whole, partial, failed = (round(_CHART * height / most, 2) for height in heights)
        bars.append({"x": number, "day": day, "whole": whole, "partial": partial, "failed": failed})
    return bars
