# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be wrong with the variables by which a role is told of a server and of a login to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any


def of_instance(role: str, values: Mapping[str, Any], instances: Sequence[str]) -> Iterator[str]:
    """Yield a sentence where an instance is given that the host does not have."""
    given = values[f"{role}_instance"]
    if given and given not in instances:
        yield f"{role}_instance must be one of backupdb_instances: {', '.join(map(str, instances))}"


def of_password(role: str, values: Mapping[str, Any]) -> Iterator[str]:
    """Yield a sentence where a password is given without its user."""
    if values[f"{role}_login_password"] and not values[f"{role}_login_user"]:
        yield f"{role}_login_password needs {role}_login_user, whose password it is"
