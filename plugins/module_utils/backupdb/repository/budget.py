# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What may still be read of a copy this month: stores take money for what is read, so verify and drill have a budget.

`budget.json` in the folder of the copy has the month, in UTC, and the bytes that were read in it. It is replaced in one
step. Losing it costs at most the budget of one more month.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from ..errors import NotEnoughSpace, RepositoryError
from ..system.files import PRIVATE_FOLDER, open_regular, read_small_file
from ..system.json_text import LARGEST_COUNT, count, read_json
from ..system.text import utc_now
from .files import replace_file, storage_errors
from .problems import Problems

FILE = "budget.json"
_LOCK = ".budget.lock"
_SCHEMA = 1
_LARGEST_FILE = 1 << 16  # bytes


@dataclass(frozen=True)
class Budget:
    """The budget of a copy: `limit` bytes a month, None for as much as is wanted.

    `folder` is where this host keeps what it knows of the copy.
    """

    folder: Path
    limit: int | None

    def allowance(self, now: datetime, problems: Problems | None = None) -> int | None:
        """Return the bytes that may still be read this month, never below 0; None: no limit.

        A file that cannot be read is a problem and counts for nothing spent.
        """
        if self.limit is None:
            return None
        return max(0, self.limit - self.spent(now, problems))

    def spent(self, now: datetime, problems: Problems | None = None) -> int:
        """Return the bytes that were read this month."""
        path = self.folder / FILE
        try:
            values = read_json(read_small_file(path, _LARGEST_FILE))
            if values["schema"] != _SCHEMA or not isinstance(values["month"], str):
                raise ValueError("it is of another version")
            spent = count(values["spent_bytes"])
        except FileNotFoundError:
            return 0
        except (OSError, ValueError, KeyError, TypeError) as error:
            if problems is not None:
                problems.add(f"{path} does not count, so this month's budget begins anew ({error!r})")
            return 0
        return spent if values["month"] == _month(now) else 0

    def note(self, size: int) -> None:
        """Note that so many bytes were read now; where that cannot be noted, what they were read for goes on."""
        with suppress(RepositoryError, NotEnoughSpace):
            self.spend(size, utc_now())

    def spend(self, size: int, now: datetime) -> None:
        """Note that `size` bytes were read; raises `RepositoryError` or `NotEnoughSpace`."""
        if self.limit is None or size <= 0:
            return
        with storage_errors(self.folder, "making"):
            self.folder.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
        with self._locked():
            spent = min(self.spent(now) + size, LARGEST_COUNT)
            values = {"schema": _SCHEMA, "month": _month(now), "spent_bytes": spent}
            content = (json.dumps(values, indent=2, sort_keys=True) + "\n").encode("ascii")
            replace_file(self.folder / FILE, content, alone=True)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Wait until nobody else notes something, which takes moments."""
        path = self.folder / _LOCK
        with storage_errors(path, "locking"):
            descriptor = open_regular(path, os.O_RDWR | os.O_CREAT)
        try:
            with storage_errors(path, "locking"):
                fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)


def _month(now: datetime) -> str:
    return f"{now.astimezone(timezone.utc):%Y-%m}"
