# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is asked of a prune of a copy; made once at the edge (a module, the command line, a job)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..errors import InvalidOption
from ..repository import layout
from ..repository.shadow import Shadow
from ..repository.stores.settings import CopySettings
from .policy import RetentionPolicy


@dataclass(frozen=True)
class PruneCopyRequest:
    """What to prune in which copy, by which policy. Without `host` and `instance` it is the whole copy.

    `known` is what this host knows of the copy, whose manifests are not fetched again; pins and records of drills are
    looked for there, and pins in `repositories` too. `databases` are names or patterns, `@accounts` for the
    accounts. `drill_every` is the time between two drills, in seconds, where there are any.
    """

    copy: CopySettings
    policy: RetentionPolicy
    known: Shadow | None = None
    repositories: tuple[str, ...] = ()
    host: str | None = None
    instance: str | None = None
    databases: tuple[str, ...] = ("*",)
    drill_every: float | None = None
    run_id: str | None = None

    def __post_init__(self) -> None:
        if self.instance is not None and self.host is None:
            raise InvalidOption("an instance in a copy is that of a host; say which host")

    @property
    def shadow(self) -> Path | None:
        """The folder of what is known, in the layout of a repository."""
        return None if self.known is None else self.known.root

    def under(self) -> str:
        """Return the folder in the copy that has all that is asked for."""
        return "/".join(layout.encode_name(name) for name in (self.host, self.instance) if name is not None)
