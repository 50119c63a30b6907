# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong in a repository and stops nobody: collected while it is read, for whoever reports the result."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Problems:
    """What could not be read, in words, one line each."""

    lines: list[str] = field(default_factory=list)
