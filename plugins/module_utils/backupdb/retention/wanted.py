# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a copy is to have at all: nothing that its own policy would let go at once.

Where a copy keeps less than this host does, what it has removed must neither be sent there again nor be waited for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path

from ..errors import RetentionRefused
from ..repository import layout
from ..repository.copied import backup_ids
from ..repository.stores.settings import CopySettings
from . import decide
from .decide import REMOVE, Candidate
from .policy import RetentionPolicy, policy_from


def policy_of(copy: CopySettings) -> RetentionPolicy | None:
    """Return the policy of a copy, None where it keeps everything; raises `InvalidOption`."""
    return None if copy.retention is None else policy_from(copy.retention)


def unwanted(
    policy: RetentionPolicy | None, candidates: Iterable[Candidate], copied: Path, now: datetime
) -> frozenset[str]:
    """Return the ids of the backups of one database that a copy with this policy is not to have.

    `candidates` are those of this host, `copied` is the database's folder in the shadow. In doubt all are wanted.
    """
    if policy is None:
        return frozenset()
    known = {one.backup_id: one for one in candidates}
    known.update({one.backup_id: one for one in _by_name(backup_ids(copied)) if one.backup_id not in known})
    try:
        decisions = decide.plan(policy, known.values(), now=now)
    except RetentionRefused:
        return frozenset()
    return frozenset(entry.backup_id for entry in decisions if entry.action == REMOVE)


def missing_by_name(policy: RetentionPolicy | None, database_folder: Path, copied: Path, now: datetime) -> list[str]:
    """Return the ids of the backups of a database that a copy is to have and has not, told by names alone."""
    ours = backup_ids(database_folder)
    return sorted(ours - backup_ids(copied) - unwanted(policy, _by_name(ours), copied, now))


def _by_name(ids: Iterable[str]) -> Iterator[Candidate]:
    """What is to be known of backups of which nothing but the name was read."""
    for backup_id in ids:
        name = layout.parse_backup_folder(backup_id)
        if name is not None:
            yield Candidate(backup_id, name.time)
