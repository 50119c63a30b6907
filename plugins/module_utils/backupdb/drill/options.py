# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of drills as plain values on their way into the library's request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..archives import options as archives
from ..archives.keys import keys_from
from ..repository.options import FILTER_OPTIONS, REPOSITORY_OPTIONS, copy_source_from, filter_from
from ..signatures import options as signatures
from ..signatures.options import signed_by_from
from ..system.options import Option, duration_from
from .request import NEWEST, SELECTS, DrillRequest

# What only drills have.
DRILL_OPTIONS: Mapping[str, Option] = {
    "select": Option(default=NEWEST, choices=SELECTS),
    "count": Option("int", default=1),
    "paths": Option("list", elements="path"),
    "work_dir": Option("path"),
    "run_as": Option(),
    "jobs": Option("int", default=1),
    "timeout": Option(),
    **signatures.OPTIONS,
}
OPTIONS: Mapping[str, Option] = {**REPOSITORY_OPTIONS, **FILTER_OPTIONS, **archives.OPTIONS, **DRILL_OPTIONS}


def drill_request_from(options: Mapping[str, Any]) -> DrillRequest:
    """Make the library's request for a run of drills; raises `InvalidOption`."""
    return DrillRequest(
        repository=options["repository"],
        paths=tuple(options["paths"] or ()),
        wanted=filter_from(options),
        select=options["select"],
        count=options["count"],
        keys=keys_from(options),
        work_dir=options["work_dir"],
        run_as=options["run_as"],
        jobs=options["jobs"],
        timeout=duration_from(options, "timeout"),
        signed_by=signed_by_from(options),
        copy=copy_source_from(options),
    )
