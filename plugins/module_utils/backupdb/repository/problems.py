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

    def add(self, line: str) -> None:
        """Note something in words."""
        self.lines.append(line)

    def add_unreadable(self, path: Path, error: OSError) -> None:
        """Note what the operating system does not let us read."""
        self.add(f"{path} cannot be read: {error.strerror}")

    def add_foreign(self, path: Path) -> None:
        """Note something whose name is neither that of a backup nor of another file of ours."""
        self.add(f"{path} does not belong in a repository and is left alone")

    def add_future(self, folder: Path) -> None:
        """Note a backup that is dated later than now."""
        self.add(f"{folder} is dated in the future, so it does not count; check the clocks")

    def add_unsealed(self, path: Path) -> None:
        """Note something that root has not taken yet in a sealed repository."""
        self.add(f"{path} is not sealed yet and was left alone")

    def add_damaged(self, folder: Path, line: str) -> None:
        """Note a folder whose backup, or backups, cannot be read."""
        self.add(line)
        self.damaged[folder] = line

    def beside_damaged(self) -> list[str]:
        """Return the lines about what is not damaged."""
        return [line for line in self.lines if line not in self.damaged.values()]
