# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the plain stream of an archive is whole: asked of the engine that wrote it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..engines.format_check import CompletionMark, FormatCheck
from ..engines.format_checks import check_of_engine

_END_OF_JSON = b"\n}\n"  # inner braces are indented


def format_check(manifest: Mapping[str, Any], archive: Mapping[str, Any]) -> FormatCheck:
    """Make the check for one archive of a backup; always `close` it."""
    if archive["format"] == "json":
        return CompletionMark(_END_OF_JSON)
    if manifest["kind"] != "database":
        return CompletionMark(None)
    check = check_of_engine(manifest, archive)
    if check is None:
        return CompletionMark(None, f"the engine {manifest['engine']!r} is not known here, so its end was not checked")
    return check
