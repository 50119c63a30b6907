# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of copying as plain values on their way into the library's request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import InvalidOption
from ..repository.options import COPY_STATE_DIR
from ..repository.stores.settings import OPTIONS as COPY_OPTIONS
from ..repository.stores.settings import copies_from
from ..system.options import Option
from .plan import CopyRequest
from .run import CopyRun

OPTIONS: Mapping[str, Option] = {
    "repository": Option("path", required=True),
    "host": Option(),
    "instance": Option(),
    "copies": Option("list", elements="dict", required=True, options=COPY_OPTIONS),
    "credentials": Option("dict", secret=True),
    "state_dir": Option("path", default=COPY_STATE_DIR),
}


def copy_run_from(options: Mapping[str, Any]) -> CopyRun:
    """Make the library's request; raises `InvalidOption`."""
    credentials = options["credentials"] or {}
    copies = copies_from(options["copies"], "copies")
    unknown = sorted(set(credentials) - {copy.name for copy in copies})
    if unknown:
        raise InvalidOption(f"option credentials: there is no copy {unknown[0]!r}; its names are those of the copies")
    if options["instance"] is not None and options["host"] is None:
        raise InvalidOption("option instance needs host: instances of several hosts may have the same name")
    chosen = () if options["host"] is None else ((options["host"], options["instance"]),)
    return CopyRun(
        requests=(CopyRequest(options["repository"], chosen),),
        copies=[copy.opened_by(credentials.get(copy.name) or {}) for copy in copies],
        state_dir=options["state_dir"],
    )
