# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module options of drills and their way into the library's request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .backupdb.drill_request import NEWEST, SELECTS, DrillRequest
from .backupdb.errors import InvalidOption
from .backupdb.text import parse_duration
from .reading_arguments import catalogue_arguments, filter_from, identity_arguments, keys_from, repository_arguments


def drill_arguments() -> dict[str, Any]:
    """All options of the module."""
    return {
        **repository_arguments(),
        **catalogue_arguments(),
        **identity_arguments(),
        "select": {"type": "str", "default": NEWEST, "choices": list(SELECTS)},
        "count": {"type": "int", "default": 1},
        "paths": {"type": "list", "elements": "path"},
        "work_dir": {"type": "path"},
        "run_as": {"type": "str"},
        "jobs": {"type": "int", "default": 1},
        "timeout": {"type": "str"},
    }


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
        timeout=_timeout(options["timeout"]),
    )


def _timeout(text: str | None) -> float | None:
    if text is None:
        return None
    try:
        return parse_duration(text)
    except InvalidOption as error:
        raise InvalidOption(f"option timeout: {error}") from error
