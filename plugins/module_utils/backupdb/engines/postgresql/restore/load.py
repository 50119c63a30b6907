# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Loading the archives of a database into an empty one, in the order in which pg_restore itself would do it.

Definitions first, then the rows of all parts at once, then what needs rows (indexes, keys, triggers), then rights, and
at the very end materialized views, and after them event triggers. The first error in definitions or rows ends it,
unless errors are accepted; the rest, which loses no row, goes on and each failed object is named.
"""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial

from ....connection.server import Server
from ....errors import Interrupted, RestoreFailed
from ....streams.pipeline import Limits
from ....system.parallel import Tasks
from ...values import ArchiveSource, Client, LoadReport, RestoreOptions, ServerFacts
from ..settings import client_settings
from .archive_checks import refuse_what_would_fail
from .choice import Chosen, Examined, Extensions, choose
from .extension_rows import empty_filled, filled_by_extensions
from .far_views import far_refreshes
from .roles import role_preamble
from .run import Target, memory_file, restore_file, restore_stream, write_all
from .toc import DATA, Entry, read_contents, without_head
from .unsynced import UNSYNCED, can_write_out, write_out
from .ways_out import ways_out

_POLL = 0.25  # seconds
# Event triggers of the target may refuse what pg_restore switches the triggers of tables off by.
_NO_TRIGGERS = {"session_replication_role": "replica"}
_EXTENSIONS = """
    SELECT extname, pg_has_role(extowner, 'USAGE') AS ours FROM pg_catalog.pg_extension"""


@dataclass(frozen=True)
class _Load:
    """What all steps of a load share."""

    target: Target
    options: RestoreOptions
    limits: Limits
    disable_triggers: bool

    def rows_arguments(self) -> list[str]:
        return ["--data-only", "--disable-triggers"] if self.disable_triggers else []


def load_archives(
    server: Server,
    facts: ServerFacts,
    client: Client,
    name: str,
    sources: Sequence[ArchiveSource],
    options: RestoreOptions,
    limits: Limits,
    *,
    stays_here: bool = False,
) -> LoadReport:
    """Load the archives; raises `RestoreRefused` before anything is loaded, `RestoreFailed` at the first error.

    With `past_errors` errors in definitions and rows are listed like those of what comes after. With `stays_here`
    materialized views that read other servers are made and not filled.
    """
    limits = replace(limits, abort=threading.Event())  # one part ends the others, and nothing beyond this load
    archives = [examine(source) for source in sources]
    extensions = _extensions(server, name)
    chosen, warnings = choose(archives, options, extensions)
    far = far_refreshes(chosen) if stays_here else {}
    if far:
        chosen = [one.without(far) for one in chosen]
        warnings.append(
            "materialized views that read other servers were not filled; to fill them: "
            + " ".join(entry.definition.strip() for entry in far)
        )
    superuser = refuse_what_would_fail(server, facts, chosen, options)
    if options.data_only and not superuser:
        warnings.append(
            "the login is no superuser, so triggers and foreign keys of the target stay on while rows are loaded"
        )
    older = client.major > facts.version_number[0]
    if older and options.spool:
        warnings.append("spool was not used: the server is older than pg_restore, so its rows go through psql")
    quietly = options.data_only and superuser
    # Rows that are added to a database stay there, whatever becomes of the load.
    late_sync = not options.data_only and can_write_out(server)
    job = _Load(
        target=Target(
            instance=server.instance,
            database=name,
            client=client,
            arguments=_arguments(options),
            settings={
                **client_settings(facts, superuser=superuser),
                **(UNSYNCED if late_sync else {}),
                **(_NO_TRIGGERS if quietly else {}),
            },
            known_settings=_known_settings(server) if older else None,
        ),
        options=options,
        limits=limits,
        disable_triggers=quietly,
    )
    before = extensions.present
    with limits.watched():
        try:
            errors = _load_early(job, server, chosen, before)
        except RestoreFailed as error:
            raise RestoreFailed(". ".join([str(error), *ways_out([str(error)], chosen)])) from error
        warnings += ways_out(errors, chosen)
        errors += _load_late(job, chosen)
    if late_sync:
        write_out(server)
    return LoadReport(errors=errors, warnings=warnings, not_loaded={one.shown(): why for one, why in far.items()})


def examine(source: ArchiveSource) -> Examined:
    """Read an archive's table of contents; one without rows is read, and so proven whole, to its end."""
    blocks = source.open()
    contents, rest = read_contents(blocks, source.part)
    if all(entry.section != DATA for entry in contents.entries):
        for _block in rest:
            pass
    return Examined(source, contents)


def _arguments(options: RestoreOptions) -> tuple[str, ...]:
    return (
        "--no-password",
        "--verbose",
        *(["--no-tablespaces"] if options.no_tablespaces else []),
        *(["--no-owner"] if options.owner_policy == "drop" else []),
    )


def _load_early(job: _Load, server: Server, chosen: Sequence[Chosen], before: frozenset[str]) -> list[str]:
    """Load what has definitions one after the other, then all that has only rows at once; return the errors.

    `before` are the extensions that were there before: the others have just filled their own tables.
    """
    needed = [one for one in chosen if one.early]
    filled = filled_by_extensions(needed, before) if not job.options.data_only else []
    errors: list[str] = []
    apart: list[Chosen] = []
    for one in needed:
        if one.has_definitions:
            if filled and job.target.known_settings is None:
                errors += _load_definitions(job, one)
                apart += [one.only_rows()]
            else:
                errors += _load_stream(job, one)
    if filled:
        empty_filled(server, job.target.database, filled)
    rows = [one for one in (*apart, *(one for one in needed if not one.has_definitions)) if one.early]
    tasks = Tasks([partial(_load_or_abort, job, one) for one in rows], at_once=job.options.jobs, name="load")
    while not tasks.wait(_POLL):
        pass  # each client's thread looks at the flags itself
    for result in tasks.results():
        if result is not None and result.error is not None and not isinstance(result.error, Interrupted):
            raise result.error  # "was stopped" explains nothing
    job.limits.check()
    return [*errors, *(line for result in tasks.results() if result is not None for line in result.value or ())]


def _load_definitions(job: _Load, one: Chosen) -> list[str]:
    """Load the definitions alone, from the table of contents, where all of them stand."""
    entries = [entry for entry in one.early if entry.section != DATA]
    with memory_file(role_preamble(one.archive.contents, job.options)) as head:
        part = one.archive.source.part
        return restore_file(
            job.target, entries, head, part, job.limits, jobs=1, stop_on_error=not job.options.past_errors
        )


def _load_or_abort(job: _Load, one: Chosen) -> list[str]:
    try:
        return _load_stream(job, one)
    except BaseException:
        job.limits.abort.set()
        raise


def _load_stream(job: _Load, one: Chosen) -> list[str]:
    more = job.rows_arguments()
    part = one.archive.source.part
    stop = not job.options.past_errors
    if _wants_spool(job, one):
        with _spooled(job, one) as descriptor:
            return restore_file(
                job.target,
                one.early,
                descriptor,
                part,
                job.limits,
                jobs=job.options.jobs,
                stop_on_error=stop,
                more=more,
            )
    return restore_stream(job.target, one.early, _stream(job, one), part, job.limits, stop_on_error=stop, more=more)


def _wants_spool(job: _Load, one: Chosen) -> bool:
    """A file is worth it only where rows of many tables are in one archive: parts are loaded side by side anyway."""
    return (
        job.options.spool
        and job.options.jobs > 1
        and one.has_definitions
        and job.target.known_settings is None
        and any(entry.section == DATA for entry in one.early)
    )


@contextmanager
def _spooled(job: _Load, one: Chosen) -> Iterator[int]:
    """Hold the decrypted archive in a file that has no name, mode 0600: it is gone whatever way we end."""
    with tempfile.TemporaryFile(dir=job.options.spool_folder, buffering=0) as file:
        try:
            for block in _stream(job, one):
                job.limits.check()
                write_all(file.fileno(), block)
        except OSError as error:
            raise RestoreFailed(
                f"{job.target.where}: the decrypted archive cannot be spooled to "
                f"{job.options.spool_folder or tempfile.gettempdir()}: {error.strerror}; "
                "choose another spool_folder, or restore without spool"
            ) from error
        yield file.fileno()


def _stream(job: _Load, one: Chosen) -> Iterator[bytes]:
    contents = one.archive.contents
    yield role_preamble(contents, job.options)
    yield from without_head(one.archive.source.open(), len(contents.head))


def _load_late(job: _Load, chosen: Sequence[Chosen]) -> list[str]:
    """Load what comes after the rows, from the table of contents alone: all of it stands there."""
    errors: list[str] = []
    # An older server refuses a setting in every one of the connections, which cannot be told from other errors.
    jobs = job.options.jobs if job.target.known_settings is None else 1
    with ExitStack() as stack:
        late = [one for one in chosen if any(one.late)]
        heads = {
            one.archive.source.part: stack.enter_context(memory_file(role_preamble(one.archive.contents, job.options)))
            for one in late
        }
        for one, entries, in_parallel in _late_steps(late):
            part = one.archive.source.part
            at_once = jobs if in_parallel else 1
            errors += restore_file(
                job.target, entries, heads[part], part, job.limits, jobs=at_once, stop_on_error=False
            )
    return errors


def _late_steps(late: Sequence[Chosen]) -> Iterator[tuple[Chosen, Sequence[Entry], bool]]:
    """Yield archive, entries, and whether several connections may load them.

    Only what locks a single table goes in parallel. pg_restore keeps statements apart that would lock the same tables,
    but attaching the index of a partition is not among those it knows (seen with 18): some wait for each other and
    one is ended by the server as a deadlock.
    """
    for group in range(max((len(one.late) for one in late), default=0)):
        for one in late:
            alone = lock_one_table(one.late[group])
            numbers = {entry.dump_id for entry in alone}
            others = [entry for entry in one.late[group] if entry.dump_id not in numbers]
            for entries, in_parallel in ((alone, True), (others, False)):
                if entries:
                    yield one, entries, in_parallel


def lock_one_table(entries: Sequence[Entry]) -> list[Entry]:
    """Return the indexes and keys whose making locks no table but their own: those of no partitioned table.

    What needs another entry of this step, or is needed by one of these, is none of them. Tables are of an earlier one:
    an archive that holds them says so of every index.
    """
    built = [entry for entry in entries if entry.kind in ("INDEX", "CONSTRAINT", "INDEX ATTACH")]
    numbers = {entry.dump_id for entry in entries}
    tied = {
        one for entry in built for need in numbers.intersection(entry.dependencies) for one in (entry.dump_id, need)
    }
    return [entry for entry in built if entry.dump_id not in tied]


def _extensions(server: Server, name: str) -> Extensions:
    rows = server.rows(_EXTENSIONS, database=name)
    return Extensions(
        present=frozenset(row.extname for row in rows), ours=frozenset(row.extname for row in rows if row.ours)
    )


def _known_settings(server: Server) -> frozenset[str]:
    return frozenset(name for (name,) in server.rows("SELECT lower(name) FROM pg_catalog.pg_settings"))
