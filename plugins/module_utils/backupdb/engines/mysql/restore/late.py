# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is made after all rows are there, one by one: routines, views, triggers, events, the database's own settings.

Views may need one another, routines, and other databases. What the server refuses is named, and the rest is made.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from ....connection.server import Server
from ....errors import ConnectionFailed, QueryFailed
from ....streams.pipeline import Limits
from ..family import MysqlFamily
from ..statements import allowed, ask, own_session, quoted
from .definitions import objection
from .feed import Changes, Deferred, Feed
from .headers import event_kept, with_definer
from .load_login import LoadLogin

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

# Of a view, a table, a column, a routine: what its definer, or we, may not use.
_LACKS_RIGHTS = ("1356", "1142", "1143", "1370")
_TABLE_NAMED = (
    "SELECT 1 FROM information_schema.tables WHERE table_schema = :database AND table_name = :name"
    " AND CAST(table_name AS BINARY) = CAST(:name AS BINARY)"
)
_PASSED_EVENT = 1588  # a note: its time has passed, so that the server dropped it at once


class _Exact(str):
    """A statement that the driver sends as the very bytes that it was read from: a body may be in any character set.

    PyMySQL from 1.2 on would refuse what is not UTF-8.
    """

    __slots__ = ()

    @classmethod
    def of(cls, statement: bytes) -> _Exact:
        return cls(statement.decode("utf-8", "surrogateescape"))

    def encode(self, encoding: str = "utf-8", errors: str = "strict") -> bytes:
        return super().encode("utf-8", "surrogateescape")


class LateObjects:
    """Makes them in the database `changes.target`, each session beginning with the engine's statements for it.

    Programs and views are made by the restoring login, as their definers may be others, and tables by the login of the
    load. `taken` is when the backup was begun, None where that is not known. `warnings` grows.
    """

    def __init__(
        self, engine: MysqlFamily, login: LoadLogin, changes: Changes, limits: Limits, taken: datetime | None
    ) -> None:
        self._engine = engine
        self._server = engine.server
        self._login = login
        self._changes = changes
        self._limits = limits
        self._taken = taken
        self.warnings: list[str] = []

    def make_routines(self, feeds: Sequence[Feed]) -> list[str]:
        """Make functions, procedures and packages, and return those that the server refused, with its words."""
        routines = [one for feed in feeds for one in feed.routines]
        if not routines:
            return []
        with self._in_database(self._server) as connection:
            found = [(one, self._refusal(connection, one)) for one in routines]
        return [f"{one.place}: {error}" for one, error in found if error is not None]

    def make_views(self, feeds: Sequence[Feed]) -> list[str]:
        """Make views, each after those that it needs; return those that the server refused, with the way out."""
        late = {name: one for feed in feeds for name, one in feed.late.items()}
        tables = {name: one for name, one in late.items() if one.kind == "table"}
        views = {name: one for name, one in late.items() if one.kind != "table"}
        refused: dict[str, QueryFailed] = {}
        if tables:
            with self._in_database(self._login.engine.server) as connection:
                refused.update(self._make(connection, tables)[1])
        if views:
            with self._in_database(self._server) as connection:
                refused.update(self._make_all_views(connection, views))
        return [self._way_out(late[name], error) for name, error in refused.items()]

    def _make_all_views(self, connection: Connection, views: Mapping[str, Deferred]) -> dict[str, QueryFailed]:
        _order, refused = self._make(connection, views)
        if not any(error.code in _LACKS_RIGHTS for error in refused.values()):
            return refused
        refused = {**refused, **self._make_as_ours_first(connection, views)}
        return {name: error for name, error in refused.items() if not self._is_there(connection, name)}

    def _make(self, connection: Connection, wanted: Mapping[str, Deferred]) -> tuple[list[str], dict[str, QueryFailed]]:
        """Make them in rounds until nothing changes; return which were made, in what order, and what was refused."""
        order: list[str] = []
        waiting = dict(wanted)
        while True:
            refused = {name: error for name, one in waiting.items() if (error := self._refusal(connection, one))}
            order += [name for name in waiting if name not in refused]
            if not refused or len(refused) == len(waiting):
                return order, refused
            waiting = {name: waiting[name] for name in refused}

    def _make_as_ours_first(self, connection: Connection, views: Mapping[str, Deferred]) -> dict[str, QueryFailed]:
        """Make views that need one whose definer may not read it, as is the rule in a database of another name.

        The server looks through such a view only when another one is made over it. So each is made as one of the login
        first, and then, from those that nothing needs on, as what it is. Returns what was refused.
        """
        for name in views:
            self._drop_view(connection, name)
        ours = {name: replace(one, text=with_definer(one.text, None)) for name, one in views.items()}
        order, refused = self._make(connection, ours)
        for name in reversed(order):
            self._drop_view(connection, name)
            error = self._refusal(connection, views[name])
            if error is not None:
                refused[name] = error
        return refused

    def _drop_view(self, connection: Connection, name: str) -> None:
        ask(self._server, connection, f"DROP VIEW IF EXISTS {quoted(name)}")

    def _is_there(self, connection: Connection, name: str) -> bool:
        found = ask(self._server, connection, _TABLE_NAMED, database=self._changes.target, name=name)
        return bool(found)

    def make_triggers_and_events(self, feeds: Sequence[Feed]) -> list[str]:
        """Make triggers and events, and return those that the server refused, with its words."""
        if not any(feed.deferred for feed in feeds):
            return []
        refused = []
        with self._in_database(self._server) as connection:
            if self._changes.options.on_private_server and self._taken is not None:
                # No event runs here, so those come back whose time has passed since the backup.
                ask(self._server, connection, f"SET SESSION timestamp = {int(self._taken.timestamp())}")
            for feed in feeds:
                for one in feed.deferred:
                    error = self._refusal(connection, one)
                    if error is not None:
                        refused.append(f"{one.place}: {error}")
                    elif one.kind == "event":
                        self._keep_passed(connection, one)
                if feed.altered is not None:
                    ask(self._server, connection, _Exact.of(feed.altered))
        return refused

    @contextmanager
    def _in_database(self, server: Server) -> Iterator[Connection]:
        with own_session(server) as connection:
            for statement in allowed(server, self._engine.LOAD_SESSION):
                ask(server, connection, statement)
            ask(server, connection, f"USE {quoted(self._changes.target)}")
            yield connection

    def _refusal(self, connection: Connection, one: Deferred) -> QueryFailed | None:
        self._limits.check()
        held_back = None if one.kind == "table" else objection(one.text, self._changes.target, self._engine)
        if held_back is not None:
            return QueryFailed(f"not made, as {held_back}")
        try:
            for statement in (*one.settings, one.text):
                ask(self._server, connection, _Exact.of(statement))
        except QueryFailed as error:
            return error
        except ConnectionFailed as error:
            if error.kind != "access_denied":
                raise
            return QueryFailed(str(error))
        return None

    def _keep_passed(self, connection: Connection, one: Deferred) -> None:
        """An event whose time has passed is dropped by the server as it is made; keep it for people to look at."""
        notes = [int(row[1]) for row in ask(self._server, connection, "SHOW WARNINGS")]
        if _PASSED_EVENT not in notes:
            return
        ask(self._server, connection, _Exact.of(event_kept(one.text)))
        self.warnings.append(
            f"{one.place}: its time has passed since the backup, so it is there disabled (ON COMPLETION PRESERVE)"
        )

    def _way_out(self, one: Deferred, error: QueryFailed) -> str:
        statement = " ".join(one.text.decode("utf-8", "backslashreplace").split("\n"))
        return (
            f"{one.place}: {error}; when what it names is there, run in database {self._changes.target}: {statement};"
        )
