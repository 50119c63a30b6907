# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which objects of the archives are restored: the user's choice, as sets of entries of their tables of contents.

Nothing is ever cut out of a stream: pg_restore gets the chosen entries by its `--use-list`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from ...values import ArchiveSource, RestoreOptions
from .tables import choose_tables
from .toc import DATA, POST_DATA, PRE_DATA, Contents, Entry

RIGHTS = ("ACL", "ACL LANGUAGE", "DEFAULT ACL")
_LAST_ROWS = "MATERIALIZED VIEW DATA"  # they run the database's own code, which may need everything
_EVENT_TRIGGERS = "EVENT TRIGGER"  # they see, and may refuse, whatever is done after them
# Of the archive itself, or of the database, which is made under its own name by other means.
_NO_OBJECTS = ("ENCODING", "STDSTRINGS", "SEARCHPATH", "DATABASE", "DATABASE PROPERTIES")
_BESIDE = ("COMMENT", "SECURITY LABEL", *RIGHTS)
_LARGE_OBJECTS = ("BLOB", "BLOB METADATA", "BLOBS")


@dataclass(frozen=True)
class Examined:
    """An archive whose table of contents has been read."""

    source: ArchiveSource
    contents: Contents


@dataclass(frozen=True)
class Extensions:
    """The extensions that the target has before anything is loaded."""

    present: frozenset[str]
    ours: frozenset[str]  # those that the login may comment on


@dataclass(frozen=True)
class Chosen:
    """The entries of one archive that are restored, by the stage to which they belong."""

    archive: Examined
    early: tuple[Entry, ...]  # definitions and rows: the first error ends the restore
    late: tuple[tuple[Entry, ...], ...]  # what needs rows, rights, what runs code, event triggers: errors are listed

    @property
    def has_definitions(self) -> bool:
        return any(entry.section == PRE_DATA for entry in self.early)

    def without(self, entries: Collection[Entry]) -> Chosen:
        """Return the same, with these entries left out."""
        early, *late = (tuple(one for one in group if one not in entries) for group in (self.early, *self.late))
        return replace(self, early=early, late=tuple(late))

    def only_rows(self) -> Chosen:
        """Return what is left to load early when the definitions are there."""
        return replace(self, early=tuple(entry for entry in self.early if entry.section == DATA))


def choose(
    archives: Sequence[Examined], options: RestoreOptions, extensions: Extensions
) -> tuple[list[Chosen], list[str]]:
    """Apply the options; raises `RestoreRefused` for tables that the archives do not have. Returns warnings too."""
    by_tables, warnings = choose_tables([archive.contents.entries for archive in archives], options.tables)
    defined = defined_names(archives)
    chosen = [
        _staged(archive, _wanted(archive, allowed, options, extensions, defined))
        for archive, allowed in zip(archives, by_tables)
    ]
    return chosen, warnings


def defined_names(archives: Iterable[Examined]) -> set[tuple[str, str]]:
    """Return the tables and sequences that the archives define; others belong to extensions."""
    return {
        (entry.namespace, entry.tag)
        for archive in archives
        for entry in archive.contents.entries
        if entry.section == PRE_DATA and entry.kind in ("TABLE", "FOREIGN TABLE", "SEQUENCE")
    }


def all_entries(chosen: Iterable[Chosen]) -> list[Entry]:
    """Return every chosen entry of all archives."""
    return [entry for one in chosen for group in (one.early, *one.late) for entry in group]


def _wanted(
    archive: Examined,
    allowed: set[int] | None,
    options: RestoreOptions,
    extensions: Extensions,
    defined: set[tuple[str, str]],
) -> list[Entry]:
    by_id = archive.contents.by_id()
    return [
        entry
        for entry in archive.contents.entries
        if (allowed is None or entry.dump_id in allowed)
        and not _of_the_database(entry)
        and _wanted_section(entry, options)
        and _wanted_extension(entry, by_id, options, extensions, defined)
        and not (options.acl_policy == "drop" and entry.kind in RIGHTS)
    ]


def _staged(archive: Examined, entries: Sequence[Entry]) -> Chosen:
    stages: list[list[Entry]] = [[], [], [], [], []]
    for entry in entries:
        stages[_stage(entry)].append(entry)
    early, *late = map(tuple, stages)
    return Chosen(archive, early=early, late=tuple(late))


def _stage(entry: Entry) -> int:
    if entry.kind in RIGHTS:
        return 2
    if entry.section != POST_DATA:
        return 0
    if entry.kind == _EVENT_TRIGGERS or (entry.kind in _BESIDE and entry.tag.startswith(f"{_EVENT_TRIGGERS} ")):
        return 4
    return 3 if entry.kind == _LAST_ROWS else 1


def _of_the_database(entry: Entry) -> bool:
    return entry.kind in _NO_OBJECTS or (entry.kind in _BESIDE and entry.tag.startswith("DATABASE "))


def _wanted_section(entry: Entry, options: RestoreOptions) -> bool:
    large_object = entry.kind in _LARGE_OBJECTS or (entry.kind in _BESIDE and entry.tag.startswith("LARGE OBJECT"))
    rows = entry.section == DATA or large_object or entry.kind == "MATERIALIZED VIEW DATA"
    if options.schema_only:
        return not rows
    return rows or not options.data_only


def _wanted_extension(
    entry: Entry,
    by_id: Mapping[int, Entry],
    options: RestoreOptions,
    extensions: Extensions,
    defined: set[tuple[str, str]],
) -> bool:
    name = entry.tag.partition("EXTENSION ")[2] if entry.kind == "COMMENT" else ""
    if options.extensions == "create":
        # One that somebody else has already made here cannot be commented on by us, and has its comment.
        return not (name in extensions.present and name not in extensions.ours)
    if entry.kind == "EXTENSION" or name:
        return False
    if entry.kind in ("TABLE DATA", "SEQUENCE SET") and (entry.namespace, entry.tag) not in defined:
        return extension_of(entry, by_id) <= extensions.present  # rows of an extension's own table
    return True


def extension_of(entry: Entry, by_id: Mapping[int, Entry]) -> set[str]:
    """Return the extensions that rows depend on."""
    needed = (by_id.get(number) for number in entry.dependencies)
    return {one.tag for one in needed if one is not None and one.kind == "EXTENSION"}
