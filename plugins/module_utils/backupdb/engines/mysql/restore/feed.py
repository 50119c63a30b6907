# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the statements of one part to what the client is fed: what is wanted, changed where the options say so.

Views and programs are held back: they are made after all rows, one by one, so that a broken one is named and the
others are there, and not by the login of the load (`load_login.py`). The client names a line when it stops; which
object that is is kept for the message.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from ....errors import RestoreFailed
from ....streams.transform import BytesLike
from ...values import RestoreOptions
from .definitions import is_alteration, setting_of
from .headers import (
    DEFERRED,
    DEFINED,
    ROUTINES,
    ROWS,
    SESSION,
    TABLES,
    Described,
    altered_database,
    describe,
    engine_of_table,
    event_disabled,
    has_own_directory,
    loading_mode,
    sequences_unqualified,
    trigger_unqualified,
    with_altered_database,
    with_definer,
    without_far_end,
    without_tablespace,
)
from .stream import Rows, Statement, read

FAR_ENGINES = ("FEDERATED", "SPIDER", "CONNECT", "S3")  # rows, or some, are on other servers or in files of others


@dataclass(frozen=True)
class Changes:
    """How a stream is changed on its way. `accounts` are user@host of the target server, None where unknown."""

    original: str
    target: str
    options: RestoreOptions
    accounts: frozenset[str] | None
    folds_names: bool = False  # the target server takes names that differ in case only for the same

    @property
    def renamed(self) -> bool:
        return self.original != self.target

    @property
    def without_places(self) -> bool:
        """Whether tables lose the folders and tablespaces that they had: those are the original's, or not here."""
        return self.renamed or self.options.on_private_server


@dataclass(frozen=True)
class Deferred:
    """A view or another object for the end, with the statements that set up the session for its definition."""

    place: str
    settings: tuple[bytes, ...]
    text: bytes
    kind: str


@dataclass
class Feed:
    """One part on its way to the client; the fields without an underscore are whole once `lines` has ended."""

    changes: Changes
    seen: set[str] = field(default_factory=set)  # tables, views and sequences in the part, wanted or not
    # Views, and tables that the server makes only if their far end answers. By name: a view comes after its stand-in.
    late: dict[str, Deferred] = field(default_factory=dict)
    routines: list[Deferred] = field(default_factory=list)  # functions, procedures and packages
    deferred: list[Deferred] = field(default_factory=list)  # triggers and events
    moved: list[str] = field(default_factory=list)  # tables that had a folder of their own and lost it
    far: list[str] = field(default_factory=list)  # tables whose rows are on another server
    disabled: list[str] = field(default_factory=list)  # events that are not to run in a copy
    altered: bytes | None = None  # the last ALTER DATABASE: what the database is to be like in the end
    _settings: dict[bytes, bytes] = field(default_factory=dict)
    _folded: dict[str, str] = field(default_factory=dict)
    _delimiter: bytes = b";"
    _line: int = 1
    _starts: list[int] = field(default_factory=list)
    _places: list[str] = field(default_factory=list)

    def lines(self, blocks: Iterable[bytes]) -> Iterator[BytesLike]:
        """Yield what the client is to read; raises `RestoreFailed` for what must not reach the server."""
        rows_wanted = False
        for piece in read(blocks):
            if isinstance(piece, Rows):
                if piece.first:
                    self.seen.add(piece.table)
                    rows_wanted = not self.changes.options.schema_only and self._selected(piece.table)
                    self._enter(f"table {piece.table}")
                if rows_wanted:
                    yield self._counted(self._delimited(b";"))
                    self._line += piece.count(b"\n")
                    yield piece.data
            else:
                text = self._changed(piece)
                if text is not None:
                    yield self._counted(self._delimited(piece.delimiter) + text + piece.delimiter + b"\n")

    def place(self, line: int) -> str:
        """Name the object that was at a line of what the client read; "" for none."""
        position = bisect_right(self._starts, line) - 1
        return self._places[position] if position >= 0 else ""

    def _changed(self, piece: Statement) -> bytes | None:
        """Return the statement as it is to be run, None when it is not, or not now."""
        text = piece.text
        what = describe(text)
        if what.kind == SESSION:
            self._set(text)
            return loading_mode(text, ignore_directories=self.changes.without_places)
        if what.relation is not None and (what.kind == ROWS or (what.creates and what.kind in TABLES)):
            self.seen.add(what.relation)
        if altered_database(text) == self.changes.original and not self.changes.options.data_only:
            if not is_alteration(text):
                raise RestoreFailed("the database is altered in another way than a dump client writes")
            self.altered = with_altered_database(text, self.changes.target)
            return self.altered
        if not self._wanted(what):
            return None
        if not what.creates:
            # None is there yet, and the login of the load has no rights on them.
            return None if what.kind in (*ROUTINES, *DEFERRED) else text
        self._enter(what.place())
        text = self._redefined(text, what)
        if what.kind == "view" or (what.kind == "table" and engine_of_table(text) == "FEDERATED"):
            self.late[what.name] = Deferred(what.place(), tuple(self._settings.values()), text, what.kind)
            return None
        if what.kind not in (*ROUTINES, *DEFERRED):
            return text
        before = [self.altered] if self.altered is not None else []
        held = Deferred(what.place(), (*before, *self._settings.values()), text, what.kind)
        (self.routines if what.kind in ROUTINES else self.deferred).append(held)
        return None

    def _redefined(self, text: bytes, what: Described) -> bytes:
        options = self.changes.options
        if what.kind in TABLES:
            self._refuse_twin(what.name)
        if what.kind in DEFINED and what.definer is not None:
            definer = mapped_definer(what.definer, options)
            if definer is not None:
                self._refuse_dead(what, definer)
            if definer != what.definer:
                text = with_definer(text, definer)
        if what.kind == "table":
            text = self._table(text, what.name)
        if self.changes.renamed and what.kind == "trigger":
            text = trigger_unqualified(text, self.changes.original)
        if self.changes.renamed and what.kind == "event" and not options.enable_events:
            quiet = event_disabled(text)
            self.disabled += [what.name] if quiet != text else []
            text = quiet
        return text

    def _table(self, text: bytes, name: str) -> bytes:
        if engine_of_table(text) in FAR_ENGINES:
            self.far.append(name)
            if self.changes.options.on_private_server:
                text = without_far_end(text)
        if self.changes.without_places:
            if has_own_directory(text):
                self.moved.append(name)
            text = without_tablespace(text)
        return sequences_unqualified(text, self.changes.original) if self.changes.renamed else text

    def _wanted(self, what: Described) -> bool:
        options = self.changes.options
        if options.tables and (what.relation is None or not self._selected(what.relation)):
            return False
        if options.data_only:
            return what.kind == ROWS
        return not (options.schema_only and what.kind == ROWS)

    def _selected(self, relation: str) -> bool:
        return not self.changes.options.tables or relation in self.changes.options.tables

    def _refuse_dead(self, what: Described, definer: str) -> None:
        accounts = self.changes.accounts
        if accounts is None or definer in accounts:
            return
        raise RestoreFailed(
            f"the definer {definer} of {what.place()} is not an account of this server, so it would fail when used;"
            " restore the accounts first, or set definer_policy to map or drop"
        )

    def _refuse_twin(self, name: str) -> None:
        if not self.changes.folds_names:
            return
        other = self._folded.setdefault(name.lower(), name)
        if other != name:
            raise RestoreFailed(
                f"{other} and {name} differ in case only, which this server does not tell apart"
                " (lower_case_table_names); restore to a server with lower_case_table_names = 0"
            )

    def _set(self, text: bytes) -> None:
        try:
            setting = setting_of(text)
        except ValueError as error:
            raise RestoreFailed(str(error)) from error
        if setting is None:
            return
        name, is_put_back = setting
        if is_put_back:
            self._settings.pop(name, None)
        else:
            self._settings[name] = text

    def _delimited(self, delimiter: bytes) -> bytes:
        if delimiter == self._delimiter:
            return b""
        self._delimiter = delimiter
        return b"DELIMITER " + delimiter + b"\n"

    def _counted(self, data: bytes) -> bytes:
        self._line += data.count(b"\n")
        return data

    def _enter(self, place: str) -> None:
        if not self._places or self._places[-1] != place:
            self._starts.append(self._line)
            self._places.append(place)


def mapped_definer(definer: str, options: RestoreOptions) -> str | None:
    """Return the definer (user@host) that the policy gives for the dumped one; None for the login that restores."""
    if options.definer_policy == "drop":
        return None
    if options.definer_policy == "keep":
        return definer
    owner_map: Mapping[str, str] = options.owner_map
    return owner_map.get(definer, owner_map.get("*", definer))
