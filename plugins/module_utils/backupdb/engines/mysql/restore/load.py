# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Loading the parts of a backup with the standard client: pre-data, the rows at once, then what needs all of them.

One client per part reads statements from its standard input and stops at the first error, or with `past_errors` goes on
and has what was refused named.
"""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from io import FileIO
from typing import Any

from ....errors import BackupDbError, Interrupted, RestoreFailed
from ....streams.pipeline import Limits
from ....streams.transform import BytesLike
from ....system.parallel import Tasks
from ....system.process import SECRET_PATH, RunAs, Running, describe_status, start
from ....system.stopping import repeating
from ....system.text import parse_iso
from ...values import ArchiveSource, Client, LoadReport, RestoreOptions
from ..catalogue import accounts
from ..clients import known_options
from ..commands import option_file
from ..family import MysqlFamily
from ..outside import make_stand_ins
from ..statements import allowed
from .feed import Changes, Feed
from .late import LateObjects
from .load_login import LoadLogin, load_login
from .refused import ERROR, LOST_CODES, Refused

_ROUTINES = "routines"
_PRE_DATA = "pre-data"
_POST_DATA = "post-data"
_WAIT = 0.25  # seconds
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
    """Load all parts in their order; raises `RestoreFailed` at the first error before or in the data.

    With `past_errors` such errors are listed, one for each table, and the rest is loaded.
    """
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
        stoppable = engine.using(engine.server.stopped_by(limits.abort))
        with load_login(stoppable, name, options) as login:
            loader = _Loader(login, client, changes, limits)
            feeds: list[Feed] = []
            stand_ins = make_stand_ins(engine.server, manifest) if options.on_private_server else []
            for stage in stages(sources, options):
                feeds += loader.load(stage)
                if stage[0].part != _ROUTINES:
                    _refuse_unknown_tables(loader.place(), feeds, options)
            taken = parse_iso(str(manifest["started"])) if manifest.get("started") else None
            late = LateObjects(stoppable, login, changes, limits, taken)
            errors = [
                *loader.errors,
                *late.make_routines(feeds),
                *late.make_views(feeds),
                *late.make_triggers_and_events(feeds),
            ]
        warnings = [*login.warnings, *_warnings(changes, feeds, stand_ins), *late.warnings]
        return LoadReport(errors=errors, warnings=warnings)


def stages(sources: Sequence[ArchiveSource], options: RestoreOptions) -> list[list[ArchiveSource]]:
    """Put the parts in order; those of one stage may be loaded at once. What the options leave out is not read."""
    routines = [source for source in sources if source.part == _ROUTINES and not options.data_only]
    before = [source for source in sources if source.part == _PRE_DATA]
    after = [source for source in sources if source.part == _POST_DATA]
    rows = [source for source in sources if source.part not in (_ROUTINES, _PRE_DATA, _POST_DATA)]
    if before and options.data_only:
        return [rows]
    if before and options.schema_only:
        rows = []
    return [stage for stage in (routines, before, rows, after) if stage]


class _Loader:
    def __init__(self, login: LoadLogin, client: Client, changes: Changes, limits: Limits) -> None:
        engine = login.engine
        server = engine.server
        self._login = login
        self._server = server
        self._session = allowed(server, engine.LOAD_SESSION)
        self.errors: list[str] = []  # what was refused before and in the data, with `past_errors`
        self._changes = changes
        self._limits = limits
        known = known_options(client)
        self._secret = option_file(server.instance, engine.tls_lines(server.instance, known))
        self._argv = command(client, known, changes.target, past_errors=changes.options.past_errors)

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

    def _load_or_abort(self, source: ArchiveSource, feed: Feed) -> None:
        try:
            self._limits.check()
            self._load(source, feed)
        except BaseException:
            self._limits.abort.set()
            raise

    def _load(self, source: ArchiveSource, feed: Feed) -> None:
        refused = Refused()
        client = start(
            self._argv,
            secret=self._secret,
            patterns={"error": ERROR.pattern},
            stdin=subprocess.PIPE,
            watch=refused.watch if self._changes.options.past_errors else None,
            run_as=RunAs(self._server.instance.system_user),
        )
        try:
            with repeating(client.end, while_set=self._limits.abort):
                whole = self._feed(client, source, feed)
                status = client.wait()
        finally:
            client.close()
        self._limits.check()
        if refused and whole and not refused.lost:
            self.errors += refused.lines(lambda line: self._where(source, feed, line))
        elif status != 0 or "error" in client.stderr.found or not whole:
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

    def _statements(self, feed: Feed, blocks: Iterator[bytes]) -> Iterator[BytesLike]:
        yield from (f"{statement};\n".encode() for statement in self._session)
        try:
            for data in feed.lines(blocks):
                if self._limits.abort.is_set():
                    self._limits.check()
                yield data
        except RestoreFailed as error:
            raise RestoreFailed(f"{self.place()}: {error}") from error

    def _failure(self, client: Running, source: ArchiveSource, feed: Feed, status: int) -> RestoreFailed:
        found = ERROR.match(client.stderr.found.get("error", ""))
        if found is None:
            message = "; ".join(client.stderr.lines())[:_STDERR_SHOWN] or "it said nothing"
            return RestoreFailed(
                f"{self.place()}, part {source.part}: {client.name} ended with {describe_status(status)}: {message}"
            )
        where = self._where(source, feed, int(found["line"] or 0))
        message = f"{found['message']} (error {found['code']})"
        if found["code"] in LOST_CODES:
            return RestoreFailed(
                f"{self.place()}, {where}: the connection was lost: {message}; the statement may be longer than"
                " max_allowed_packet of the server, or the server stopped: see its log"
            )
        hint = self._login.hint(found["code"])
        return RestoreFailed(f"{self.place()}, {where}: the server refused: {message}{hint}")

    def _where(self, source: ArchiveSource, feed: Feed, line: int) -> str:
        return feed.place(line - len(self._session)) or f"part {source.part}"


def command(client: Client, known: frozenset[str], database: str, *, past_errors: bool = False) -> list[str]:
    """Write the command line of the restore client; it reads statements from its standard input."""
    return [
        client.path,
        f"--defaults-file={SECRET_PATH}",  # the clients want it first
        *(["--no-login-paths"] if "no-login-paths" in known else []),
        "--batch",
        "--binary-mode",  # NUL and carriage return as they are, no commands but DELIMITER
        *(["--sandbox"] if "sandbox" in known else []),  # nor any that reach the file system
        "--local-infile=0",  # LOAD DATA LOCAL would have the client send any file that its user can read
        "--comments",  # those within the bodies of programs
        "--skip-reconnect",  # a new session would not have the dump's settings
        "--no-auto-rehash",
        *(["--force"] if past_errors else []),
        "--default-character-set=utf8mb4",
        "--max-allowed-packet=1G",
        f"--database={database}",  # after a "--" MySQL's client would still take a leading dash for an option
    ]


def _write(stdin: FileIO, data: BytesLike) -> None:
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


def _warnings(changes: Changes, feeds: Sequence[Feed], stand_ins: Sequence[str]) -> list[str]:
    warned = []
    if stand_ins:
        warned.append(f"empty stand-ins were made for what is named in other databases: {', '.join(stand_ins)}")
    if changes.accounts is None and changes.options.definer_policy != "drop":
        warned.append("definers were not checked: the login cannot read mysql.user")
    moved, far, disabled = (
        ", ".join(sorted({name for feed in feeds for name in names(feed)}))
        for names in (lambda feed: feed.moved, lambda feed: feed.far, lambda feed: feed.disabled)
    )
    if moved:
        warned.append(f"tables with folders of their own (DATA DIRECTORY) are in the server's data directory: {moved}")
    if far and changes.options.on_private_server:
        warned.append(f"tables whose rows are on other servers are without them here: {far}")
    elif far and changes.renamed:
        warned.append(f"tables whose rows are on other servers reach the same rows as the original's: {far}")
    if disabled:
        warned.append(f"events are disabled in a copy, unless enable_events is set: {disabled}")
    return warned
