# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Choosing accounts by exact names and shell-style patterns."""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping, Sequence
from typing import Any

from ..engines.accounts_document import full_name


def names(patterns: Sequence[str], account: Mapping[str, Any]) -> bool:
    """Tell whether the account is named as itself and not only met by a pattern."""
    return any(pattern in _names(account) for pattern in patterns)


def covers(patterns: Sequence[str], account: Mapping[str, Any]) -> bool:
    """Tell whether a name or pattern means the account: `app`, `app@%` and `ap*` all mean app@%."""
    return names(patterns, account) or any(
        fnmatch.fnmatchcase(name, pattern) for pattern in patterns for name in _names(account)
    )


def _names(account: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((full_name(account), str(account["name"]))))
