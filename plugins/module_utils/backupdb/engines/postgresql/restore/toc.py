# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of contents of pg_dump's custom format: what an archive holds, who owned it, what needs what.

It stands in front of the rows, so it can be read from the beginning of a stream. `pg_restore --list` shows less (no
dependencies, no definitions) and cannot be taken apart soundly where names have blanks. Source: the functions ReadHead
and ReadToc of PostgreSQL's pg_backup_archiver.c, archive versions 1.12 (PostgreSQL 9.0) to 1.16 (PostgreSQL 17, 18).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Callable

from ....errors import ArchiveDamaged, RestoreRefused
from ..quoting import python_encoding

PRE_DATA = 2
DATA = 3
POST_DATA = 4
_NO_SECTION = 1  # comments, rights and labels: they go with the entry before them

_MAGIC = b"PGDMP"
_OLDEST = (1, 12)
_NEWEST = (1, 16)
_WITH_TABLE_ACCESS_METHOD = (1, 14)
_WITH_COMPRESSION_BYTE = (1, 15)
_WITH_RELATION_KIND = (1, 16)
_CUSTOM = 1
_POSITION_UNKNOWN = 1  # flag of a position in the file: the reader looks for the block itself
_POSITION_KNOWN = 2
_MOST_BYTES = 1 << 30  # of one text; PostgreSQL itself holds no longer one


@dataclass(frozen=True)
class Entry:
    """One object of the archive. Texts are read in the archive's encoding."""

    dump_id: int  # of this archive; other archives of the same backup may number otherwise
    kind: str  # "TABLE", "TABLE DATA", "FK CONSTRAINT", ...
    tag: str  # its name, for some kinds with the table's name or the arguments
    namespace: str  # "" for what is in no schema
    owner: str
    section: int  # PRE_DATA, DATA or POST_DATA
    definition: str
    drop: str  # the statement that would drop it, with the name quoted
    dependencies: tuple[int, ...]
    edges: _Edges = field(repr=False)

    def shown(self) -> str:
        """Name it for people, on one line."""
        name = f"{self.namespace}.{self.tag}" if self.namespace else self.tag
        whole = name if name.startswith(self.kind) else f"{self.kind} {name}"
        return whole.replace("\n", "\\n").replace("\r", "\\r")


@dataclass(frozen=True)
class _Edges:
    """Where the parts of an entry that may be written anew stand in the head: first byte, and one after the last."""

    definition: tuple[int, int]
    owner: tuple[int, int]
    position_flag: int


@dataclass(frozen=True)
class Contents:
    """What stands in front of the rows."""

    entries: tuple[Entry, ...]
    head: bytes = field(repr=False)
    integer_bytes: int
    encoding: str  # Python's name

    def by_id(self) -> Mapping[int, Entry]:
        """Return the entries by their number in this archive."""
        return {entry.dump_id: entry for entry in self.entries}

    def rewritten(self, change: Callable[[Entry], tuple[str, str]]) -> bytes:
        """Return the head with other owners and definitions: `change` gives both for an entry."""
        pieces = []
        done = 0
        for entry in self.entries:
            owner, definition = change(entry)
            for edges, old, new in (
                (entry.edges.definition, entry.definition, definition),
                (entry.edges.owner, entry.owner, owner),
            ):
                if new != old:
                    pieces += [self.head[done : edges[0]], self._text(new)]
                    done = edges[1]
            # Positions would no longer be true. pg_dump writing to a pipe, as ours does, does not know them anyway.
            flag = entry.edges.position_flag
            if self.head[flag] == _POSITION_KNOWN:
                pieces += [self.head[done:flag], bytes([_POSITION_UNKNOWN])]
                done = flag + 1
        return b"".join([*pieces, self.head[done:]])

    def _text(self, text: str) -> bytes:
        encoded = text.encode(self.encoding, "surrogateescape")
        return b"\0" + len(encoded).to_bytes(self.integer_bytes, "little") + encoded


def read_contents(blocks: Iterator[bytes], name: str) -> tuple[Contents, Iterator[bytes]]:
    """Read the table of contents from the beginning of a stream; return it and the stream that follows it.

    `name` is the archive's, for messages. Raises `ArchiveDamaged` for what is no such archive, `RestoreRefused` for a
    version that is not known here.
    """
    reader = _Reader(blocks, name)
    version = _read_start(reader)
    entries = [_read_entry(reader, version) for _number in range(reader.integer())]
    head = reader.consumed()
    contents = Contents(tuple(_with_sections(entries)), head, reader.integer_bytes, reader.encoding)
    return contents, reader.rest()


def without_head(blocks: Iterator[bytes], count: int) -> Iterator[bytes]:
    """Leave out the first `count` bytes of a stream."""
    left = count
    for block in blocks:
        if left < len(block):
            yield block[left:]
        left = max(0, left - len(block))


class _Reader:
    """Reads the archive's numbers and texts; keeps what it has read."""

    def __init__(self, blocks: Iterator[bytes], name: str) -> None:
        self._blocks = blocks
        self._name = name
        self._held = bytearray()
        self.position = 0
        self.integer_bytes = 4
        self.offset_bytes = 8
        self.encoding = "utf-8"

    def take(self, count: int) -> bytes:
        end = self.position + count
        while len(self._held) < end:
            block = next(self._blocks, None)
            if block is None:
                raise self.damaged("it ends within its table of contents")
            self._held += block
        taken = bytes(self._held[self.position : end])
        self.position = end
        return taken

    def byte(self) -> int:
        return self.take(1)[0]

    def integer(self) -> int:
        raw = self.take(1 + self.integer_bytes)
        value = int.from_bytes(raw[1:], "little")
        return -value if raw[0] else value

    def text(self) -> str | None:
        count = self.integer()
        if count > _MOST_BYTES:
            raise self.damaged("a text in its table of contents is too long to be one")
        return None if count < 0 else self.take(count).decode(self.encoding, "surrogateescape")

    def damaged(self, why: str) -> ArchiveDamaged:
        return ArchiveDamaged(f"archive {self._name}: not an archive that pg_restore can read: {why}")

    def consumed(self) -> bytes:
        return bytes(self._held[: self.position])

    def rest(self) -> Iterator[bytes]:
        left = bytes(self._held[self.position :])
        self._held.clear()
        if left:
            yield left
        yield from self._blocks

    def refused(self, version: tuple[int, int]) -> RestoreRefused:
        shown = ".".join(map(str, version))
        return RestoreRefused(
            f"archive {self._name} has version {shown} of pg_dump's format, which is not known here; update this "
            "collection, or restore it by hand with age, zstd and pg_restore"
        )


def _read_start(reader: _Reader) -> tuple[int, int]:
    if reader.take(len(_MAGIC)) != _MAGIC:
        raise reader.damaged("it does not begin with PGDMP")
    version = (reader.byte(), reader.byte())
    if not _OLDEST <= version <= _NEWEST:
        raise reader.refused(version)
    reader.byte()  # revision
    reader.integer_bytes = reader.byte()
    reader.offset_bytes = reader.byte()
    if reader.byte() != _CUSTOM:
        raise reader.damaged("it is not in the custom format")
    if version >= _WITH_COMPRESSION_BYTE:
        reader.byte()
    else:
        reader.integer()
    for _field in range(7):  # when it was made
        reader.integer()
    for _field in range(3):  # the database's name, the server's and pg_dump's version
        reader.text()
    return version


def _read_entry(reader: _Reader, version: tuple[int, int]) -> Entry:
    dump_id = reader.integer()
    reader.integer()  # whether there are rows
    reader.text()  # oid of the catalogue
    reader.text()  # oid of the object
    tag = reader.text()
    kind = reader.text() or ""
    section = reader.integer()
    before_definition = reader.position
    definition = reader.text()
    after_definition = reader.position
    drop = reader.text()
    reader.text()  # COPY statement
    namespace = reader.text()
    reader.text()  # tablespace
    if version >= _WITH_TABLE_ACCESS_METHOD:
        reader.text()
    if version >= _WITH_RELATION_KIND:
        reader.integer()
    before_owner = reader.position
    owner = reader.text()
    after_owner = reader.position
    reader.text()  # WITH OIDS, of old
    dependencies = tuple(int(text) for text in iter(reader.text, None))
    flag = reader.position
    reader.take(1 + reader.offset_bytes)
    if kind == "ENCODING" and definition:
        reader.encoding = _encoding(definition)
    return Entry(
        dump_id=dump_id,
        kind=kind,
        tag=tag or "",
        namespace=namespace or "",
        owner=owner or "",
        section=section,
        definition=definition or "",
        drop=drop or "",
        dependencies=dependencies,
        edges=_Edges((before_definition, after_definition), (before_owner, after_owner), flag),
    )


def _encoding(definition: str) -> str:
    """Read "SET client_encoding = 'LATIN1';"; where a database has no encoding its names are shown as UTF-8."""
    name = definition.partition("'")[2].partition("'")[0]
    return "utf-8" if name == "SQL_ASCII" else python_encoding(name)


def _with_sections(entries: list[Entry]) -> Iterator[Entry]:
    section = PRE_DATA
    for entry in entries:
        if entry.section == _NO_SECTION:
            yield replace(entry, section=section)
        else:
            section = entry.section
            yield entry
