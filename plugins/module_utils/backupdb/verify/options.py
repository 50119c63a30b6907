# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of a verification, on their way into the library's request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..archives import options as archives
from ..archives.keys import keys_from
from ..repository.options import FILTER_OPTIONS, REPOSITORY_OPTIONS, copy_source_from, filter_from
from ..signatures import options as signatures
from ..signatures.options import signed_by_from
from ..system.options import Option
from .one_backup import LEVELS
from .run import VerifyRequest

OPTIONS: Mapping[str, Option] = {
    "level": Option(default="digest", choices=LEVELS),
    "paths": Option("list", elements="path"),
    **REPOSITORY_OPTIONS,
    **FILTER_OPTIONS,
    **archives.OPTIONS,
    **signatures.OPTIONS,
}


def verify_request_from(options: Mapping[str, Any]) -> VerifyRequest:
    """Make the library's request; raises `InvalidOption`."""
    return VerifyRequest(
        level=options["level"],
        repository=options["repository"],
        wanted=filter_from(options),
        paths=tuple(options["paths"] or ()),
        keys=keys_from(options),
        signed_by=signed_by_from(options),
        copy=copy_source_from(options),
    )
