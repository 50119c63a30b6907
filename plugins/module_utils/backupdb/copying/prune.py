# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pruning a copy: alone with it, with what this host knows of it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from typing import Any

from ..errors import RepositoryError
from ..repository.copy_source import CopySource
from ..repository.place import is_mine
from ..repository.shadow import Shadow, make_folders
from ..repository.stores.patience import Patience
from ..repository.stores.registry import open_store
from ..retention import prune_copy
from ..retention.copy_request import PruneCopyRequest
from .run import alone


def prune(
    source: CopySource, requests: Sequence[PruneCopyRequest], *, check_mode: bool = False
) -> list[dict[str, Any]]:
    """Prune a copy by each of the requests, and return their results.

    Raises `LockBusy` where somebody copies there for longer than the copy's `patience`, `RepositoryError` where another
    user keeps what is known of it, and what opening the store raises.
    """
    settings, home = source.settings, source.home()
    if not is_mine(home):
        raise RepositoryError(f"{home}, where it is kept what copy {settings.name} has, is another user's; run as him")
    make_folders(home)
    patience = Patience(settings.patience)
    with alone(home, patience), closing(open_store(settings, patience)) as store:
        known = Shadow(home)
        return [prune_copy.run(store, replace(one, known=known), check_mode=check_mode) for one in requests]
