# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run is asked to do, as small frozen values; made once at the edge (a module, the command line)."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import InvalidOption

if TYPE_CHECKING:
    from ..connection.instance import Instance
    from ..engines.interface import DumpOptions

COMPRESSION_METHODS = ("zstd", "gzip", "none")
_LEVELS = {"zstd": range(1, 20), "gzip": range(1, 10)}
_DEFAULT_WORKERS = 2  # more than two dumps at once gain nothing unless the server has cores to spare


@dataclass(frozen=True)
class Selection:
    """Which databases: exact names or shell-style patterns; what `exclude` matches is out, whatever the order."""

    include: tuple[str, ...] = ("*",)
    exclude: tuple[str, ...] = ()
    allow_empty: bool = False


@dataclass(frozen=True)
class Encryption:
    """How archives are encrypted: for age recipients or with a passphrase. None must be asked for by its name."""

    mode: str = "age"
    recipients: tuple[str, ...] = ()
    passphrase: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        keys = bool(self.recipients) + (self.passphrase is not None)
        if self.mode not in ("age", "none"):
            raise InvalidOption(f"encryption {self.mode!r} is not known; use age or none")
        if self.mode == "none" and keys:
            raise InvalidOption("encryption is none, but recipients or a passphrase are given; remove one of them")
        if self.mode == "age" and keys == 0:
            raise InvalidOption(
                "encryption is age, but there are no recipients and no passphrase; give the public keys (age1...) "
                "of those who may read the backups, or set encryption to none"
            )
        if keys == 2:
            raise InvalidOption("an age archive has recipients or a passphrase, not both; remove one of them")
        if self.passphrase == "":
            raise InvalidOption("the passphrase is empty")


@dataclass(frozen=True)
class Compression:
    """How archives are compressed. `level` None is the method's default; `threads` is for zstd only."""

    method: str = "zstd"
    level: int | None = None
    threads: int = 1

    def __post_init__(self) -> None:
        if self.method not in COMPRESSION_METHODS:
            raise InvalidOption(f"compression {self.method!r} is not known; use {', '.join(COMPRESSION_METHODS)}")
        levels = _LEVELS.get(self.method)
        if self.level is not None and levels is not None and self.level not in levels:
            raise InvalidOption(f"compression_level {self.level} is outside {levels[0]}..{levels[-1]} of {self.method}")


@dataclass(frozen=True)
class BackupRequest:
    """One run over one instance. Times in seconds; `bandwidth_limit` in stored bytes a second for the whole run."""

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

    def __post_init__(self) -> None:
        if not Path(self.repository).is_absolute():
            raise InvalidOption(f"repository {self.repository!r} must be an absolute path")
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
