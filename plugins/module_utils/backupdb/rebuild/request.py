# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is asked of a rebuild: which host, from where, into which servers, and whether only a plan is wanted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from ..archives.keys import Keys
from ..connection.instance import Instance
from ..errors import InvalidOption
from ..repository.copy_source import CopySource

RATE = 20 << 20  # bytes a second: what a restore does on modest hardware, with indexes and all


@dataclass(frozen=True)
class RebuildRequest:
    """A host from a repository or a copy into servers of this one, by the names that its instances have in the backups.

    With `copies`, each backup is read where that is best: in the repository, if there is one, or in one of them.
    `confirm` None is only a plan, else it is the name of the host. `at` takes the newest backups that are not after
    that time. `jobs` databases are restored at once. `dropped` also brings back what was gone from its server at the
    last run. `rate`, in bytes of the dump a second, predicts where no drill has measured.
    """

    host: str
    servers: Mapping[str, Instance]
    repository: str | None = None
    copy: CopySource | None = None
    copies: tuple[CopySource, ...] = ()
    keys: Keys = field(default_factory=Keys)
    signed_by: tuple[str, ...] | None = None
    at: datetime | None = None
    confirm: str | None = None
    jobs: int = 2
    dropped: bool = False
    accept_errors: bool = False
    load_with_own_rights: bool = False
    rate: int = RATE

    def __post_init__(self) -> None:
        if not self.servers:
            raise InvalidOption("say into which servers: none is given")
        if self.confirm not in (None, self.host):
            raise InvalidOption(f"confirm is {self.confirm!r}, but the host to bring back is {self.host!r}")
        if self.copies and self.copy is not None:
            raise InvalidOption("copy and copies both say where the backups are; remove one of them")
        if self.repository is not None and not Path(self.repository).is_absolute():
            raise InvalidOption(f"repository {self.repository!r} must be an absolute path")
