# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Running pg_restore: from a stream that a thread feeds, from a file in memory, or through psql.

Memory does not grow with the archive. Every client ends when `limits.abort` is set.
"""

from __future__ import annotations

import os
import re
import subprocess
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import FileIO

from ....connection.instance import Instance
from ....errors import BackupDbError, RestoreFailed
from ....streams.pipeline import Limits
from ....system.acting_as import give_to
from ....system.process import RunAs, Running, describe_status, start
from ....system.stopping import repeating
from ...values import Client
from ..clients import sibling_program
from ..login import login_environment, login_secret
from ..quoting import connection_string
from .errors import Complaints
from .toc import Entry

_BLOCK = 1 << 20
_SHOWN = 3  # errors in one message


@dataclass(frozen=True)
class Target:
    """Where to, by which client, and with which of its options for all calls."""

    instance: Instance
    database: str
    client: Client
    arguments: tuple[str, ...]
    settings: Mapping[str, str]  # of every session
    known_settings: frozenset[str] | None  # of a server that is older than the client; None: it knows them all

    @property
    def where(self) -> str:
        """Say where this is, for messages."""
        return f"{self.instance.where()}, database {self.database!r}"


def restore_stream(
    target: Target,
    entries: Sequence[Entry],
    stream: Iterator[bytes],
    part: str,
    limits: Limits,
    *,
    stop_on_error: bool,
    more: Sequence[str],
) -> list[str]:
    """Restore the entries from a stream and read it to its end; return the errors.

    With `stop_on_error` the first error raises `RestoreFailed`. What the stream itself raises comes first: it explains
    what the client says.
    """
    complaints = Complaints({entry.dump_id: entry for entry in entries})
    with memory_file(use_list(entries), target.instance.system_user) as listed:
        arguments = (
            *target.arguments,
            *(["--exit-on-error"] if stop_on_error else []),
            f"--use-list=/dev/fd/{listed}",
            *more,
        )
        run = _straight if target.known_settings is None else _through_psql
        statuses = run(target, arguments, [listed], stream, complaints, limits)
    if stop_on_error or not _went_on(statuses, complaints):
        _judge(target, part, statuses, complaints)
    return complaints.all()


def restore_file(
    target: Target,
    entries: Sequence[Entry],
    descriptor: int,
    part: str,
    limits: Limits,
    *,
    jobs: int,
    stop_on_error: bool,
    more: Sequence[str] = (),
) -> list[str]:
    """Restore the entries from an archive that is an open file, with `jobs` connections; return the errors.

    With `stop_on_error` the first error raises `RestoreFailed`.
    """
    complaints = Complaints({entry.dump_id: entry for entry in entries}, jobs=jobs)
    give_to(descriptor, target.instance.system_user)
    with memory_file(use_list(entries), target.instance.system_user) as listed:
        arguments = (
            *target.arguments,
            *(["--exit-on-error"] if stop_on_error else []),
            f"--jobs={jobs}",
            f"--use-list=/dev/fd/{listed}",
            *more,
            f"--dbname={connection_string(target.database)}",
            f"/dev/fd/{descriptor}",
        )
        with _started(target, [target.client.path, *arguments], complaints, limits, [listed, descriptor]) as client:
            client.stdout.read()
            status = client.wait()
    limits.check()
    if stop_on_error or not _went_on([(client, status)], complaints):
        _judge(target, part, [(client, status)], complaints)
    return complaints.all()


def use_list(entries: Iterable[Entry]) -> bytes:
    """Write what `--use-list` reads: the numbers of the entries, in the order of the archive."""
    return "".join(f"{entry.dump_id};\n" for entry in entries).encode("ascii")


@contextmanager
def memory_file(content: bytes, user: str | None = None) -> Iterator[int]:
    """Hold bytes in an anonymous file in memory, mode 0600, for a client that runs as `user`; give its descriptor."""
    descriptor = os.memfd_create("backupdb")
    try:
        os.fchmod(descriptor, 0o600)
        give_to(descriptor, user)
        write_all(descriptor, content)
        yield descriptor
    finally:
        os.close(descriptor)


def write_all(descriptor: int, content: bytes) -> None:
    """Write all of the bytes to a descriptor, whatever it takes at a time."""
    left = memoryview(content)
    while left:
        left = left[os.write(descriptor, left) :]


def _straight(
    target: Target,
    arguments: Sequence[str],
    descriptors: Sequence[int],
    stream: Iterator[bytes],
    complaints: Complaints,
    limits: Limits,
) -> list[tuple[Running, int]]:
    argv = [target.client.path, *arguments, f"--dbname={connection_string(target.database)}"]
    with (
        _started(target, argv, complaints, limits, descriptors, stdin=subprocess.PIPE) as client,
        _Feeder(stream, client, limits) as feeder,
    ):
        client.stdout.read()
        status = client.wait()
        feeder.finish(read_on=_went_on([(client, status)], complaints))
    limits.check()
    return [(client, status)]


def _through_psql(
    target: Target,
    arguments: Sequence[str],
    descriptors: Sequence[int],
    stream: Iterator[bytes],
    complaints: Complaints,
    limits: Limits,
) -> list[tuple[Running, int]]:
    """Let pg_restore write SQL, take out the settings that the server does not know, and let psql run it."""
    writing = [target.client.path, *arguments, "--file=-"]
    stop = int("--exit-on-error" in arguments)
    running = [
        *[sibling_program(target.client, "psql"), "--no-psqlrc", "--quiet", "--no-password"],
        *[
            f"--set=ON_ERROR_STOP={stop}",
            "--output=/dev/null",
            f"--dbname={connection_string(target.database)}",
            "--file=-",
        ],
    ]
    with (
        _started(target, running, complaints, limits, (), stdin=subprocess.PIPE) as psql,
        _started(target, writing, complaints, limits, descriptors, stdin=subprocess.PIPE) as client,
        _Feeder(stream, client, limits) as feeder,
    ):
        try:
            safe = only_restricted(_blocks(client.stdout), target.client.path)
            script = without_unknown_settings(safe, target.known_settings or frozenset())
            copied = _copied(script, psql.stdin)
        except RestoreFailed:
            psql.end()  # first: at the end of its input it would run what it has
            raise
        if not copied:
            client.end()
        psql.stdin.close()
        ended = [(psql, psql.wait()), (client, client.wait())]
        feeder.finish(read_on=not any(status for _client, status in ended))
    limits.check()
    return ended


def only_restricted(blocks: Iterable[bytes], program: str) -> Iterator[bytes]:
    """Hand on a script that forbids psql its own commands (`\\!`, `\\copy`, `\\i`) before it has anything else.

    A forged archive can have such commands anywhere in its SQL. Raises `RestoreFailed` for a script without the ban:
    pg_restore writes it, and psql knows it, since the releases of August 2025 (CVE-2025-8714).
    """
    stream = iter(blocks)
    head = b""
    for block in stream:
        head += block
        if len(head) >= _RESTRICTED_WITHIN:
            break
    if head and not _RESTRICTED.match(head):
        raise RestoreFailed(
            f"{program} is older than the minor releases of August 2025: psql would run commands of its own out of"
            " the backup (CVE-2025-8714); update the client's package, or restore with the server's own version"
        )
    yield head
    yield from stream


def without_unknown_settings(blocks: Iterable[bytes], known: frozenset[str]) -> Iterator[bytes]:
    """Take the SET lines that the server does not know out of a script's head; not a byte of the rest is looked at.

    The head ends at the first line that is no comment, no SET, and none of what pg_dump writes between them.
    """
    stream = iter(blocks)
    held = b""
    for block in stream:
        held += block
        *lines, held = held.split(b"\n")
        for position, line in enumerate(lines):
            if not line.startswith(_HEAD_LINES) and line.strip():
                yield b"\n".join([*lines[position:], held])
                yield from stream
                return
            if not _sets_unknown(line, known):
                yield line + b"\n"
    yield held


# Only what pg_restore writes of itself may stand before the ban: nothing of the archive does.
_RESTRICTED = re.compile(rb"(?:--\n|-- PostgreSQL database dump\n|\n)*\\restrict [A-Za-z0-9]+\n")
_RESTRICTED_WITHIN = 512  # bytes
_HEAD_LINES = (b"--", b"SET ", b"SELECT pg_catalog.set_config(", b"\\restrict ")


def _sets_unknown(line: bytes, known: frozenset[str]) -> bool:
    name, equals, _value = line.partition(b" = ")
    return name.startswith(b"SET ") and bool(equals) and name[4:].decode("ascii", "replace").lower() not in known


@contextmanager
def _started(
    target: Target,
    argv: Sequence[str],
    complaints: Complaints,
    limits: Limits,
    descriptors: Sequence[int],
    *,
    stdin: int | None = None,
) -> Iterator[Running]:
    limits.check()
    client = start(
        argv,
        environment=login_environment(target.instance, target.settings),
        secret=login_secret(target.instance),
        watch=complaints.hear,
        stdin=stdin,
        descriptors=descriptors,
        run_as=RunAs(target.instance.system_user),
    )
    try:
        with repeating(client.end, while_set=limits.abort):
            yield client
    finally:
        client.close()


class _Feeder(threading.Thread):
    """Writes a stream to a client's stdin. A client that closes it has read enough: the rest is only read."""

    def __init__(self, stream: Iterator[bytes], client: Running, limits: Limits) -> None:
        super().__init__(name="feeder", daemon=True)
        self._stream = stream
        self._client = client
        self._stdin = client.stdin
        self._limits = limits
        self._stopped = threading.Event()
        self._error: BackupDbError | None = None
        self._fault: Exception | None = None

    def __enter__(self) -> _Feeder:
        self.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        # Never leave it behind: the number of the pipe that it writes to would soon be that of another one.
        self._stopped.set()
        self._client.end()
        self.join()

    def run(self) -> None:
        try:
            self._feed()
        except BackupDbError as error:
            self._error = error
        except Exception as error:  # noqa: BLE001  kept, and raised in the caller's thread
            self._fault = error
        finally:
            self._stdin.close()

    def finish(self, *, read_on: bool) -> None:
        """Wait for the end of the stream and raise what it raised; the rest of it is not wanted unless `read_on`."""
        if not read_on:
            self._stopped.set()
        self.join()
        if self._fault is not None:
            raise self._fault
        if self._error is not None:
            raise self._error

    def _feed(self) -> None:
        wanted = True
        for block in self._stream:
            if self._stopped.is_set() or self._limits.abort.is_set():
                return
            if wanted:
                try:
                    write_all(self._stdin.fileno(), block)
                except BrokenPipeError:
                    wanted = False
                    self._stdin.close()


def _went_on(ended: Sequence[tuple[Running, int]], complaints: Complaints) -> bool:
    """Tell whether all of it was tried: pg_restore then says how many errors it has passed over."""
    return all(status == 0 or (status == 1 and complaints.ignored is not None) for _client, status in ended)


def _blocks(source: FileIO) -> Iterator[bytes]:
    yield from iter(lambda: source.read(_BLOCK), b"")


def _copied(blocks: Iterable[bytes], sink: FileIO) -> bool:
    """Write the blocks; False when the reader has ended before: its status and its words tell why."""
    try:
        for block in blocks:
            write_all(sink.fileno(), block)
    except BrokenPipeError:
        return False
    return True


def _judge(target: Target, part: str, ended: Sequence[tuple[Running, int]], complaints: Complaints) -> None:
    if not any(status for _client, status in ended):
        return
    said = complaints.all()[:_SHOWN]
    if not said:
        said = [
            f"{client.name} ended with {describe_status(status)}: {'; '.join(client.stderr.lines()[-_SHOWN:])}"
            for client, status in ended
            if status
        ]
    raise RestoreFailed(f"{target.where}: the restore stopped in part {part}: {'; '.join(said)}")
