# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A copy as a place to read from: what is said of it, without what opens it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from .stores.settings import CopySettings


@dataclass(frozen=True)
class CopySource:
    """A copy to read from, and the folder of this host that keeps what is known of it."""

    settings: CopySettings
    state_dir: str

    def home(self) -> Path:
        """Return where the shadow lives."""
        return copy_home(self.state_dir, self.settings.name)


def copy_home(state_dir: str, name: str) -> Path:
    """Return the folder of this host that keeps what is known of a copy."""
    return Path(state_dir, "copies", name)
