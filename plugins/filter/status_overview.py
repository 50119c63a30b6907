# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter that makes one table of the backup status of many hosts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, Callable

from ansible_collections.vya.backupdb.plugins.module_utils.backupdb.system.table import one_line, table
from ansible_collections.vya.backupdb.plugins.module_utils.backupdb.system.text import human_duration, human_size

DOCUMENTATION = r"""
name: status_overview
short_description: Make one table of the backup status of many hosts
version_added: 1.0.0
author: vya.backupdb contributors (@vya)
description:
  - Takes results of M(vya.backupdb.backup_status) by host and puts them into one, for the whole play.
options:
  _input:
    description:
      - Results by host name. That of a host without a result may have only C(status) and C(message), and an empty one
        stands for a host that did not get as far.
    type: dict
    required: true
"""

EXAMPLES = r"""
---
- name: Show the hosts in one table
  ansible.builtin.debug:
    msg: "{{ ({'db1': my_status} | vya.backupdb.status_overview).lines }}"
"""

RETURN = r"""
_value:
  description:
    - A dictionary. RV(ignore:status) is V(ok) or V(failed), RV(ignore:message) says how many hosts have which status,
      RV(ignore:lines) is a table with a line for each host, and below it what is not well, and RV(ignore:hosts) has
      what was put in.
  type: dict
"""

_TITLES = ("HOST", "STATE", "WELL", "EXPECTED", "OLDEST", "PROVEN", "STORED", "FREE", "NEXT RUN (UTC)")
_RIGHT = (2, 3, 4, 5, 6, 7)
_NOTHING: Mapping[str, Any] = {
    "status": "failed",
    "message": "nothing is known: the host did not get as far as that, see its error",
}
_JUDGED = ("ok", "partial", "failed", "late", "no backup")
_ORDER = ("failed", "unreachable", "partial", "ok")


def status_overview(statuses: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Join the results; a host without one counts as failed."""
    hosts = {host: dict(status or _NOTHING) for host, status in statuses.items()}
    worst_first = sorted(hosts, key=lambda host: (_ORDER.index(hosts[host]["status"]), host))
    counts = Counter(status["status"] for status in hosts.values())
    told = [f"{counts[status]} host{'s'[: counts[status] != 1]} {status}" for status in _ORDER if counts[status]]
    rows = [_cells(host, hosts[host]) for host in worst_first]
    complaints = [f"{host}: {line}" for host in worst_first for line in _complaints(hosts[host])]
    message = ", ".join(told) or "no host was looked at"
    return {
        "status": "ok" if hosts and set(counts) == {"ok"} else "failed",
        "message": message,
        "lines": [message, *table([_TITLES, *rows], right=_RIGHT), *map(one_line, complaints)],
        "hosts": hosts,
    }


def _cells(host: str, status: Mapping[str, Any]) -> list[str]:
    if "rows" not in status:
        return [host, status["status"], *["-"] * (len(_TITLES) - 2)]
    judged = [row for row in status["rows"] if row["state"] in _JUDGED and row["kind"] == "database"]
    ages = [row["age_seconds"] for row in judged if row["age_seconds"] is not None]
    coming = [instance["next_run"] for instance in status["instances"] if instance["next_run"]]
    free = [repository["free_bytes"] for repository in status["repositories"] if repository["free_bytes"] is not None]
    state = "waiting" if status["status"] == "ok" and status.get("waiting") else status["status"]
    return [
        host,
        state,
        str(sum(row["state"] in ("ok", "partial") for row in judged)),
        str(len(judged)),
        human_duration(max(0, *ages)) if ages else "-",
        str(sum(row["proven"] is not None for row in judged)),
        human_size(sum(repository["disk_bytes"] for repository in status["repositories"])),
        human_size(min(free)) if free else "-",
        min(coming)[:16].replace("T", " ") if coming else "-",
    ]


def _complaints(status: Mapping[str, Any]) -> list[str]:
    if status["status"] == "ok":
        return []
    return list(status.get("complaints") or [status["message"]])


class FilterModule:
    """What Ansible asks for the filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filters by name."""
        return {"status_overview": status_overview}
