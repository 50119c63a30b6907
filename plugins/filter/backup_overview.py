# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter that puts the summaries of many hosts into one, of backups as of any other work on all hosts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, Callable

DOCUMENTATION = r"""
name: backup_overview
short_description: Put the summaries of many hosts into one
version_added: 1.0.0
author: vya.backupdb contributors (@vya)
description:
  - Takes the results of P(vya.backupdb.backup_summary#filter) by host and makes one dictionary for the whole play.
  - Any summaries with a C(status), which is V(ok) when nothing is wrong, and a C(message) will do. If one is not V(ok)
    and has C(lines), these are in the result as well.
options:
  _input:
    description: Summaries by host name. An empty one stands for a host that did not get as far as a backup.
    type: dict
    required: true
"""

EXAMPLES = r"""
---
- name: Show how many hosts are well
  ansible.builtin.debug:
    msg: "{{ ({'db1': my_summary} | vya.backupdb.backup_overview).message }}"
"""

RETURN = r"""
_value:
  description:
    - A dictionary. RV(ignore:status) is V(ok), V(failed), or V(unknown) when nothing is wrong with the hosts but that
      some are not known yet, in check mode. RV(ignore:message) says how many hosts have which status,
      RV(ignore:lines) is the same as a list of lines to print, with one for each instance or host that is not V(ok).
      RV(ignore:hosts) has the summaries by host.
  type: dict
"""

_NOT_BEGUN: Mapping[str, Any] = {
    "status": "failed",
    "message": "No backup was made: the host did not get as far as that, see its error.",
    "lines": [],
    "instances": [],
    "warnings": [],
}


def backup_overview(summaries: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Join the summaries; a host without one counts as failed."""
    hosts = {host: dict(summary or _NOT_BEGUN) for host, summary in summaries.items()}
    counts = Counter(summary["status"] for summary in hosts.values())
    message = ", ".join(f"{count} host{'s'[: count != 1]} {status}" for status, count in sorted(counts.items()))
    bad = [f"{host}: {line}" for host, summary in hosts.items() for line in _complaints(summary)]
    return {
        "status": "ok" if set(counts) <= {"ok"} else "unknown" if set(counts) <= {"ok", "unknown"} else "failed",
        "message": message,
        "lines": [message, *bad],
        "hosts": hosts,
    }


def _complaints(summary: Mapping[str, Any]) -> list[str]:
    instances = summary.get("instances", ())
    told = [f"{entry['id']} {entry['status']}: {entry['message']}" for entry in instances if _is_bad(entry)]
    copying = summary.get("copying")
    if copying and copying["status"] not in ("ok", "planned"):
        told.append(f"copying {copying['status']}: {copying['message']}")
    if told or not _is_bad(summary):
        return told
    message = summary["message"]
    return [f"{summary['status']}: {message}", *(line for line in summary.get("lines", ()) if line != message)]


def _is_bad(entry: Mapping[str, Any]) -> bool:
    return bool(entry["status"] != "ok")


class FilterModule:
    """What Ansible asks for the filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filters by name."""
        return {"backup_overview": backup_overview}
