# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a dump of the clients is whole: they end it with a comment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..format_check import CompletionMark, FormatCheck
from .commands import COMPLETION_MARK, FORMAT


def completion_mark(archive: Mapping[str, Any]) -> bytes | None:
    """Return what stands at the end of a whole archive; None for one of another format."""
    return COMPLETION_MARK if archive["format"] == FORMAT else None


def format_check(_manifest: Mapping[str, Any], archive: Mapping[str, Any]) -> FormatCheck:
    """Make the check of an archive."""
    return CompletionMark(completion_mark(archive))
