# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Loading the parts of a backup with the standard client: pre-data, the rows at once, then triggers and events.

One client per part reads statements from its standard input and stops at the first error. Triggers and events are made
on a session of our own after all rows are there; a broken one is reported and the others are made.
"""

from __future__ import annotations

import re
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from io import FileIO
from typing import Any

from ....errors import BackupDbError, Interrupted, QueryFailed, RestoreFailed
from ....streams.pipeline import Limits
from ....system.parallel import Tasks
from ....system.process import SECRET_PATH, Running, describe_status, start
from ....system.stopping import repeating
from ...values import ArchiveSource, Client, LoadReport, RestoreOptions
from ..catalogue import accounts
from ..clients import known_options
from ..commands import option_file
from ..family import MysqlFamily
from ..statements import ask, own_session, quoted
from .feed import Changes, Feed

_PRE_DATA = "pre-data"
_POST_DATA = "post-data"
_WAIT = 0.25  # seconds

# "ERROR 1062 (23000) at line 12: Duplicate entry ...": MariaDB's client writes the statement itself before it.
_ERROR = re.compile(r"^ERROR (?P<code>\d+) \(\w+\)(?: at line (?P<line>\d+))?: (?P<message>.*)")
_LOST_CODES = ("2006", "2013")
_STDERR_SHOWN = 300  # characters of a client that failed in another way


def load_parts(
    engine: MysqlFamily,
    client: Client,
    name: str,
    sources: Sequence[ArchiveSource],
    manifest: Mapping[str, Any],
    options: RestoreOptions,
    limits: Limits,
) -> LoadReport:
    """Load all parts in their order; raises `RestoreFailed` at the first error before or in the data."""
    with engine.server.connect() as connection:
        known = accounts(engine.server, connection)
    changes = Changes(
        original=str(manifest["database"]),
        target=name,
        options=options,
        accounts=known,
        folds_names=str(engine.facts.settings.get("lower_case_table_names", 0)) != "0",
    )
    limits = replace(limits, abort=threading.Event())
    with limits.watched():
        loader = _Loader(engine.using(engine.server.stopped_by(limits.abort)), client, changes, limits)
        feeds: list[Feed] = []
        for stage in stages(sources, options):
            feeds += loader.load(stage)
            _refuse_unknown_tables(loader.place(), feeds, options)
        return LoadReport(errors=loader.make_deferred(feeds), warnings=_definer_warnings(changes))


def stages(sources: Sequence[ArchiveSource], options: RestoreOptions) -> list[list[ArchiveSource]]:
    """Put the parts in order; those of one stage may be loaded at once. What the options leave out is not read."""
    before = [source for source in sources if source.part == _PRE_DATA]
    after = [source for source in sources if source.part == _POST_DATA]
    rows = [source for source in sources if source.part not in (_PRE_DATA, _POST_DATA)]
    if before and options.schema_only:
        return [before, after]
    if before and options.data_only:
        return [rows]
    return [stage for stage in (before, rows, after) if stage]


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


class _Loader:
    def __init__(self, engine: MysqlFamily, client: Client, changes: Changes, limits: Limits) -> None:
        server = engine.server
        self._server = server
        self._session_lines = engine.RESTORE_SESSION
        self._changes = changes
        self._limits = limits
        known = known_options(client)
        self._secret = option_file(server.instance, engine.tls_lines(server.instance, known))
        self._argv = command(client, known, changes.target)

    def place(self) -> str:
        return f"{self._server.instance.where()}, database {self._changes.target}"

    def load(self, stage: Sequence[ArchiveSource]) -> list[Feed]:
        """Load the parts of one stage; the first that fails ends the others."""
        feeds = [Feed(self._changes) for _source in stage]
        work = [partial(self._load_or_abort, source, feed) for source, feed in zip(stage, feeds)]
        tasks = Tasks(work, at_once=max(1, self._changes.options.jobs), name="load")
        while not tasks.wait(_WAIT):
            pass  # each part's thread looks at the clock and the flags itself
        failure = _worst(tasks)
        if failure is not None:
            raise failure
        return feeds

    def make_deferred(self, feeds: Sequence[Feed]) -> list[str]:
        """Make triggers and events, and return those that the server refused, with its words."""
        if not any(feed.deferred for feed in feeds):
            return []
        refused = []
        with own_session(self._server) as connection:
            ask(self._server, connection, f"USE {quoted(self._changes.target)}")
            for feed in feeds:
                for one in feed.deferred:
                    self._limits.check()
                    try:
                        for statement in (*one.settings, one.text):
                            ask(self._server, connection, _Exact.of(statement))
                    except QueryFailed as error:
                        refused.append(f"{one.place}: {error}")
                if feed.altered is not None:
                    ask(self._server, connection, _Exact.of(feed.altered))
        return refused

    def _load_or_abort(self, source: ArchiveSource, feed: Feed) -> None:
        try:
            self._limits.check()
            self._load(source, feed)
        except BaseException:
            self._limits.abort.set()
            raise

    def _load(self, source: ArchiveSource, feed: Feed) -> None:
        client = start(self._argv, secret=self._secret, patterns={"error": _ERROR.pattern}, stdin=subprocess.PIPE)
        try:
            with repeating(client.end, while_set=self._limits.abort):
                whole = self._feed(client, source, feed)
                status = client.wait()
        finally:
            client.close()
        self._limits.check()
        if status != 0 or "error" in client.stderr.found or not whole:
            raise self._failure(client, source, feed, status)

    def _feed(self, client: Running, source: ArchiveSource, feed: Feed) -> bool:
        """Write the part to the client; False when it stopped reading. An unread end never reaches the server."""
        blocks = source.open()
        try:
            for data in self._statements(feed, blocks):
                _write(client.stdin, data)
            client.stdin.close()
        except BrokenPipeError:
            return False
        except BaseException:
            client.end()  # first: at the end of its input the client runs what it has, whole or not
            raise
        return True

    def _statements(self, feed: Feed, blocks: Iterator[bytes]) -> Iterator[bytes]:
        yield from self._session_lines
        try:
            for data in feed.lines(blocks):
                if self._limits.abort.is_set():
                    self._limits.check()
                yield data
        except RestoreFailed as error:
            raise RestoreFailed(f"{self.place()}: {error}") from error

    def _failure(self, client: Running, source: ArchiveSource, feed: Feed, status: int) -> RestoreFailed:
        found = _ERROR.match(client.stderr.found.get("error", ""))
        if found is None:
            message = "; ".join(client.stderr.lines())[:_STDERR_SHOWN] or "it said nothing"
            return RestoreFailed(
                f"{self.place()}, part {source.part}: {client.name} ended with {describe_status(status)}: {message}"
            )
        line = int(found["line"] or 0) - len(self._session_lines)
        where = feed.place(line) or f"part {source.part}"
        message = f"{found['message']} (error {found['code']})"
        if found["code"] in _LOST_CODES:
            return RestoreFailed(
                f"{self.place()}, {where}: the connection was lost: {message}; the statement may be longer than"
                " max_allowed_packet of the server, or the server stopped: see its log"
            )
        return RestoreFailed(f"{self.place()}, {where}: the server refused: {message}")


def command(client: Client, known: frozenset[str], database: str) -> list[str]:
    """Write the command line of the restore client; it reads statements from its standard input."""
    return [
        client.path,
        f"--defaults-file={SECRET_PATH}",  # the clients want it first
        *(["--no-login-paths"] if "no-login-paths" in known else []),
        "--batch",
        "--binary-mode",  # NUL and carriage return as they are, no commands but DELIMITER
        *(["--sandbox"] if "sandbox" in known else []),  # nor any that reach the file system
        "--comments",  # those within the bodies of programs
        "--skip-reconnect",  # a new session would not have the dump's settings
        "--no-auto-rehash",
        "--default-character-set=utf8mb4",
        "--max-allowed-packet=1G",
        f"--database={database}",  # after a "--" MySQL's client would still take a leading dash for an option
    ]


def _write(stdin: FileIO, data: bytes) -> None:
    view = memoryview(data)
    while len(view):
        view = view[stdin.write(view) :]


def _worst(tasks: Tasks[None]) -> BackupDbError | None:
    """Return the error that explains most: a part's own, then "was stopped"."""
    errors = [result.error for result in tasks.results() if result is not None and result.error is not None]
    return next((error for error in errors if not isinstance(error, Interrupted)), errors[0] if errors else None)


def _refuse_unknown_tables(place: str, feeds: Sequence[Feed], options: RestoreOptions) -> None:
    """A table that was asked for and is not in the backup is a mistake that must not look like a success."""
    seen = {name for feed in feeds for name in feed.seen}
    unknown = [name for name in options.tables if name not in seen]
    if unknown:
        raise RestoreFailed(
            f"{place}: the backup has no {', '.join(unknown)}; it has {', '.join(sorted(seen)[:20]) or 'no tables'}"
        )


def _definer_warnings(changes: Changes) -> list[str]:
    if changes.accounts is None and changes.options.definer_policy != "drop":
        return ["definers were not checked: the login cannot read mysql.user"]
    return []
