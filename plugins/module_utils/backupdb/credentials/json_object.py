# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The JSON of files with secrets; no message repeats any of it."""

from __future__ import annotations

from typing import Any

from ..errors import CredentialsMissing
from ..system.json_text import read_json


def json_object(content: bytes, where: str, *, advice: str) -> dict[str, Any]:
    """Read a JSON object; raises `CredentialsMissing`, which says where it should be, and the advice."""
    try:
        values = read_json(content)
    except ValueError:
        raise CredentialsMissing(f"{where} is not JSON; {advice}") from None
    if not isinstance(values, dict):
        raise CredentialsMissing(f"{where} is not a JSON object; {advice}")
    return values
