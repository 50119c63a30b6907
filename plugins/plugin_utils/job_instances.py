# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which instances a job takes, and how each is logged in to; both filters of jobs go by it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def instances_of(
    job: Mapping[str, Any],
    instances: Sequence[Mapping[str, Any]],
    logins: Mapping[str, Mapping[str, Any]] | None,
) -> list[dict[str, Any]]:
    """Return the instances of a job, all of them unless it names some, with what their logins say instead."""
    wanted = job.get("instances")
    return [
        {**instance, **(logins or {}).get(instance["id"], {})}
        for instance in instances
        if not wanted or instance["id"] in wanted
    ]
