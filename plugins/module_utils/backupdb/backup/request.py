# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run is asked to do, as small frozen values; made once at the edge (a module, the command line)."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from ..archives.envelope import Encryption
from ..connection.instance import Instance
from ..engines.values import DumpOptions
from ..errors import InvalidOption
from ..hooks.values import Hook
from ..streams.compression import Compression

_DEFAULT_WORKERS = 2  # more than two dumps at once gain nothing unless the server has cores to spare


@dataclass(frozen=True)
class Selection:
    """Which databases: exact names or shell-style patterns; what `exclude` matches is out, whatever the order."""

    include: tuple[str, ...] = ("*",)
    exclude: tuple[str, ...] = ()
    allow_empty: bool = False


@dataclass(frozen=True)
class BackupRequest:
    """One run over one instance. Times in seconds; `bandwidth_limit` in stored bytes a second for the whole run.

    `signing_key` is the file of the secret key with which backups are signed. Backups that failed are tried once more
    `retry_after` seconds after all others have ended; with None they are not. From `begin_until` on, in seconds since
    1970, no further one is begun.
    """

    instance: Instance
    selection: Selection
    dump: DumpOptions
    encryption: Encryption
    compression: Compression
    repository: str
    host: str
    accounts: bool = True
    workers: int | None = None
    skip_if_newer_than: float | None = None
    repository_lock_timeout: float = 0.0
    bandwidth_limit: int | None = None
    run_id: str | None = None
    signing_key: str | None = None
    hooks: tuple[Hook, ...] = ()
    retry_after: float | None = None
    begin_until: float | None = None

    def __post_init__(self) -> None:
        if not Path(self.repository).is_absolute():
            raise InvalidOption(f"repository {self.repository!r} must be an absolute path")
        if self.signing_key is not None and not Path(self.signing_key).is_absolute():
            raise InvalidOption(f"signing_key {self.signing_key!r} must be an absolute path")
        if not self.host:
            raise InvalidOption("host is empty; give the name under which this host's backups are kept")
        if not self.instance.id:
            raise InvalidOption("instance is empty; give the id under which this server's backups are kept")
        if self.workers is not None and self.workers < 1:
            raise InvalidOption(f"workers must be at least 1, not {self.workers}")
        if self.dump.jobs < 1:
            raise InvalidOption(f"jobs must be at least 1, not {self.dump.jobs}")
        if self.bandwidth_limit is not None and self.bandwidth_limit < 1:
            raise InvalidOption(f"bandwidth_limit must be at least one byte a second, not {self.bandwidth_limit}")

    def worker_count(self) -> int:
        """Return how many databases are dumped at once."""
        return self.workers or min(_DEFAULT_WORKERS, os.cpu_count() or 1)
