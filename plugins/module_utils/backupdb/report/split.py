# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One look may be at the backups of many hosts, as at a vault: it is told host by host."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

_LEVELS = ("failed", "partial")


def by_host(name: str, facts: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the facts of each host of a look, with what it is called; those of one host alone as they are.

    What is about no host, such as a job that failed, and what is counted for all of them together, goes to the first.
    """
    hosts = sorted({str(entry["host"]) for key in ("databases", "instances") for entry in facts[key]})
    if len(hosts) < 2:
        yield name, facts
        return
    for number, host in enumerate(hosts):
        complaints = [one for one in facts["complaints"] if one["host"] == host or (one["host"] is None and not number)]
        levels = {one["level"] for one in complaints}
        shared: dict[str, list[Any]] = {} if not number else {"days": [], "keys": [], "problems": []}
        yield (
            f"{host} at {name}",
            {
                **facts,
                "complaints": complaints,
                "status": next((level for level in _LEVELS if level in levels), "ok"),
                "databases": [one for one in facts["databases"] if one["host"] == host],
                "instances": [one for one in facts["instances"] if one["host"] == host],
                **shared,
            },
        )
