# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A table of options of the library as the argument spec of a module."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible.module_utils.basic import env_fallback

from ...backupdb.system.options import Option


def to_spec(table: Mapping[str, Option]) -> dict[str, Any]:
    """Return the argument spec; each call makes one of its own."""
    return {name: _option_spec(option) for name, option in table.items()}


def _option_spec(option: Option) -> dict[str, Any]:
    parts: dict[str, Any] = {
        "required": option.required or None,
        "default": option.new_default(),
        "choices": list(option.choices) or None,
        "elements": option.elements,
        "no_log": option.secret,
        "fallback": (env_fallback, [option.environment]) if option.environment else None,
        "options": to_spec(option.options) if option.options else None,
    }
    return {"type": option.type, **{key: value for key, value in parts.items() if value is not None}}
