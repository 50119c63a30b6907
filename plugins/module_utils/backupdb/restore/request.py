# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a restore is asked to do, as frozen values; made once at the edge (a module, the command line)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from ..archives.envelope import Encryption
from ..archives.keys import Keys
from ..connection.instance import Instance
from ..engines.values import RestoreOptions, Script
from ..errors import InvalidOption
from ..repository.copy_source import CopySource
from ..repository.find import BackupSelector

OWNER_POLICIES = ("keep", "map", "drop")
ACL_POLICIES = ("keep", "drop")
DEFINER_POLICIES = ("keep", "map", "drop")
EXTENSION_POLICIES = ("create", "skip")

# PostgreSQL's names have at most 63 bytes, those of MySQL and MariaDB 64 characters: what fits one fits the other.
LONGEST_NAME = 63
_STAMP = "%Y%m%dT%H%M%SZ"
# The safety backups of an instance have an instance's folder of their own: they must not be the latest backup that a
# second try restores, nor count as a run of the instance.
SAFETY_SUFFIX = "-before-restore"


@dataclass(frozen=True)
class Safety:
    """The backup of an existing database before it is replaced or written into.

    `repository` and `host` say where it goes. `encryption` None: for the keys that open the backup restored from.
    """

    wanted: bool = True
    repository: str | None = None
    host: str = ""
    encryption: Encryption | None = None


@dataclass(frozen=True)
class RestoreRequest:
    """One backup of a database into one server. `instance` is the server restored into.

    `target` None is a new name made of the original one and the time. `replace` allows that the target exists, and
    `confirm` must then be its name. `accept_errors` takes a restore in which something named did not succeed.
    `keep_failed` leaves a half-made database for looking at; `keep_replaced` keeps the one that was replaced under
    another name, where the engine swaps. With `copies`, the backup is read where that is best: in the repository,
    or in one of them. `signed_by` are the public keys one of which must have signed the backup.
    `masking` is run in the order given, in a database that nobody else may enter, before that gets its name.
    `only_elsewhere` refuses the server that the backup is of.
    """

    instance: Instance
    wanted: BackupSelector
    options: RestoreOptions
    repository: str | None = None
    keys: Keys = field(default_factory=Keys)
    target: str | None = None
    replace: bool = False
    confirm: str | None = None
    safety: Safety = field(default_factory=Safety)
    accept_errors: bool = False
    keep_failed: bool = False
    keep_replaced: bool = True
    signed_by: tuple[str, ...] | None = None
    copy: CopySource | None = None
    copies: tuple[CopySource, ...] = ()
    masking: tuple[Script, ...] = ()
    only_elsewhere: bool = False

    def __post_init__(self) -> None:
        _check_options(self.options)
        if self.wanted.path is None and self.wanted.database is None:
            raise InvalidOption("say which database: with database, or with the path of a backup")
        if self.repository is not None and not Path(self.repository).is_absolute():
            raise InvalidOption(f"repository {self.repository!r} must be an absolute path")
        if self.copy is not None and self.safety.wanted and self.writes_into_target() and not self.safety.repository:
            raise InvalidOption(
                "a safety backup cannot go into a copy: set safety_repository, or safety_backup to false"
            )
        if self.target == "":
            raise InvalidOption("target is empty; give a name, or leave it out for a new one")
        if self.options.data_only and self.target is None:
            raise InvalidOption("data_only needs target: a database that has the tables already")
        if self.replace and self.target is None:
            raise InvalidOption("replace needs target: the name of the database that may be replaced")
        if self.replace and self.options.data_only:
            raise InvalidOption("replace makes the database anew, data_only loads rows into it; remove one of them")
        if self.masking:
            self._check_masking()
        if self.replace and (self.options.tables or self.options.schema_only):
            raise InvalidOption(
                "replace would drop what tables or schema_only leave out; restore them under a new name instead"
            )

    def _check_masking(self) -> None:
        for script in self.masking:
            if not script.sql.strip() or "\0" in script.sql:
                raise InvalidOption(f"masking: {script.name} is empty, or holds a NUL; a script is text in SQL")
        for given, name, why in (
            (self.options.data_only, "data_only", "loads rows into a database that others use"),
            (self.keep_failed, "keep_failed", "would leave a database that is not masked"),
            (self.options.enable_events, "enable_events", "would let events run before the rows are masked"),
        ):
            if given:
                raise InvalidOption(f"masking and {name} contradict each other: {name} {why}; remove one of them")

    def writes_into_target(self) -> bool:
        """Tell whether an existing database is asked to be changed, which needs `confirm`."""
        return self.replace or self.options.data_only

    def safety_repository(self) -> str | None:
        """Return where the backup of the existing database goes."""
        return self.safety.repository or self.repository

    def safety_instance(self) -> Instance:
        """Return the server restored into, under the name that its safety backups have."""
        return replace(self.instance, id=self.instance.id + SAFETY_SUFFIX)


def new_name(database: str, time: datetime, word: str) -> str:
    """Return a name beside `database` that every engine takes, such as `orders_restored_20261124T021500Z`."""
    ending = f"_{word}_{time.strftime(_STAMP)}"
    while len((database + ending).encode("utf-8", "surrogateescape")) > LONGEST_NAME:
        database = database[:-1]
    return database + ending


def _check_options(options: RestoreOptions) -> None:
    for name, value, known in (
        ("owner_policy", options.owner_policy, OWNER_POLICIES),
        ("acl_policy", options.acl_policy, ACL_POLICIES),
        ("definer_policy", options.definer_policy, DEFINER_POLICIES),
        ("extensions", options.extensions, EXTENSION_POLICIES),
    ):
        if value not in known:
            raise InvalidOption(f"{name} {value!r} is not known; use {', '.join(known)}")
    if options.jobs < 1:
        raise InvalidOption(f"jobs must be at least 1, not {options.jobs}")
    if options.schema_only and options.data_only:
        raise InvalidOption("schema_only and data_only leave nothing to restore; remove one of them")
    mapped = "map" in (options.owner_policy, options.definer_policy)
    if mapped and not options.owner_map:
        raise InvalidOption("a policy is map, but owner_map is empty; say which name takes the place of which")
    if options.owner_map and not mapped:
        raise InvalidOption("owner_map is given, but neither owner_policy nor definer_policy is map")
    if options.spool_folder is not None and not Path(options.spool_folder).is_absolute():
        raise InvalidOption(f"spool_directory {options.spool_folder!r} must be an absolute path")
