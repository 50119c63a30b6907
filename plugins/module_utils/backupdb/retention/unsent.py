# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Backups of this host that a copy has not yet: they stay, so that none is lost between here and there.

That must not fill the disk unnoticed. Where more waits for a copy than may, nothing is removed and the prune fails.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ..errors import RetentionRefused
from ..repository.catalogue import StoredBackup
from ..repository.copied import is_copied
from ..repository.copy_source import copy_home
from ..repository.stores.settings import CopySettings
from ..system.text import human_size
from .decide import Candidate
from .policy import RetentionPolicy
from .wanted import policy_of, unwanted


@dataclass(frozen=True)
class UnsentRule:
    """A copy that must have a backup before it is removed here.

    `shadow` is the folder with what is known to be in the copy, in the layout of a repository. `keep_unsent_max` is how
    many bytes may stay here for this copy alone; None: as many as there are. What `policy`, that of the copy, would let
    go there at once is not waited for.
    """

    name: str
    shadow: Path
    keep_unsent_max: int | None = None
    policy: RetentionPolicy | None = None

    def lacks(self, backup: StoredBackup) -> bool:
        """Return whether the copy is not known to have this backup, byte by byte of its manifest."""
        return not is_copied(backup.folder, self.shadow.joinpath(*backup.place()))

    def unwanted(self, place: Sequence[str], candidates: Iterable[Candidate], now: datetime) -> frozenset[str]:
        """Return the ids of the backups that the copy is not to have, of the database with these folders."""
        return unwanted(self.policy, candidates, self.shadow.joinpath(*place), now)


def rules_of(copies: Iterable[CopySettings], state_dir: str) -> list[UnsentRule]:
    """Return the rules of those copies that must have a backup before it is removed here."""
    return [
        UnsentRule(copy.name, copy_home(state_dir, copy.name) / "shadow", copy.keep_unsent_max, policy_of(copy))
        for copy in copies
        if copy.required
    ]


def unsent_reason(copies: Sequence[str]) -> str:
    """Say why a backup stays that these copies have not."""
    return f"not in copy {' and '.join(copies)} yet"


def unsent_warnings(waiting: Mapping[str, Sequence[int]]) -> list[str]:
    """Say how much stays for each copy; `waiting` has the bytes of each backup by the name of the copy."""
    return [
        f"copy {name} lacks {len(sizes)} backups, {human_size(sum(sizes))}, that would be removed otherwise; they stay "
        "until they are there"
        for name, sizes in waiting.items()
        if sizes
    ]


def refuse_too_much(rules: Iterable[UnsentRule], waiting: Mapping[str, Sequence[int]]) -> None:
    """Raise `RetentionRefused` when more bytes wait for a copy than may; `waiting` as for `unsent_warnings`."""
    for rule in rules:
        sizes = waiting.get(rule.name, ())
        if rule.keep_unsent_max is not None and sum(sizes) > rule.keep_unsent_max:
            size, most = human_size(sum(sizes)), human_size(rule.keep_unsent_max)
            raise RetentionRefused(
                f"copy {rule.name} lacks {len(sizes)} backups, {size}, that would be removed here otherwise, and "
                f"keep_unsent_max is {most}. Nothing was removed. Before the disk is full, find out why they do not "
                "get there, as the last messages about this copy say, or raise keep_unsent_max; where the copy has "
                "required: false nothing waits for it"
            )
