# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong in a repository and stops nobody: collected while it is read, for whoever reports the result."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Problems:
    """What could not be read, in words, one line each.

    `damaged` has the folders of backups whose manifests cannot be read, each with its line, and folders of databases
    that cannot be listed.
    """

    lines: list[str] = field(default_factory=list)
    damaged: dict[Path, str] = field(default_factory=dict)

    def add_damaged(self, folder: Path, line: str) -> None:
        """Note a folder whose backup, or backups, cannot be read."""
        self.lines.append(line)
        self.damaged[folder] = line
