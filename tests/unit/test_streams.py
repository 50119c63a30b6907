# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bytes on the move: the pipeline, compression, and reading back what was written."""

from __future__ import annotations

import hashlib
import io
import itertools
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from backupdb.age.stream import ScryptIdentity, X25519Identity
from backupdb.archives.envelope import Encryption, Envelope
from backupdb.archives.read import plain_blocks
from backupdb.archives.write import dump_part, store_document
from backupdb.engines.values import Part
from backupdb.errors import (
    ArchiveDamaged,
    CommandFailed,
    Interrupted,
    RequirementMissing,
    RunTimeout,
    SnapshotLost,
    WrongKey,
)
from backupdb.repository.archive_files import LocalFiles
from backupdb.repository.local import Publication
from backupdb.streams import pipeline
from backupdb.streams.compression import Compression, compressor
from backupdb.streams.pipeline import Limiter
from backupdb.system import process
from backupdb.system.process import RunAs
from backupdb.system.text import utc_now
from hypothesis import given
from hypothesis import strategies as st
from support import needs
from support.library import LIBRARY, limits

DATA = os.urandom(1 << 20) * 3 + b"zeros" + bytes(5 << 20) + b"\n-- the end"


@pytest.fixture
def publication(tmp_path: Path) -> Publication:
    return Publication(tmp_path / "shop", run_id="0" * 32, time=utc_now())


def part(script: str, **values: Any) -> Part:
    fields: dict[str, Any] = {
        "name": "data",
        "argv": ["/bin/sh", "-c", script],
        "environment": {},
        "secret": None,
        "suffix": ".sql",
        "format": "sql",
        "completion_mark": b"-- Dump completed",
        "fatal_stderr": r"^dump: error",
        "lost_stderr": r"table definition has changed",
        **values,
    }
    return Part(**fields)


def without_zstandard(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "zstandard", None)


IDENTITY = X25519Identity.generate()
AGE = Encryption(recipients=(IDENTITY.recipient,))


@pytest.mark.parametrize("encryption", [Encryption("none"), AGE], ids=["plain", "age"])
@pytest.mark.parametrize(
    "compression",
    [Compression(), Compression(threads=2, level=3), Compression("gzip"), Compression("none")],
    ids=["zstd", "zstd-2-threads", "gzip", "none"],
)
def test_what_is_stored_is_read_back_for_every_option(
    publication: Publication, compression: Compression, encryption: Encryption
) -> None:
    envelope = Envelope(compression, encryption)
    archive = store_document("accounts", DATA, publication, envelope, form="json", limits=limits()).record
    folder = publication.final_folder.parent / f".partial-{'0' * 32}"
    assert b"".join(plain_blocks(LocalFiles(folder), archive, [IDENTITY])) == DATA
    assert archive["plain_bytes"] == len(DATA)
    assert archive["plain_sha256"] == hashlib.sha256(DATA).hexdigest()
    assert archive["stored_bytes"] == (folder / archive["name"]).stat().st_size
    assert archive["sha256"] == hashlib.sha256((folder / archive["name"]).read_bytes()).hexdigest()


def test_a_passphrase_opens_what_it_closed_and_another_does_not(publication: Publication) -> None:
    envelope = Envelope(Compression(), Encryption(passphrase="correct horse"))
    archive = store_document("accounts", b"{}", publication, envelope, form="json", limits=limits()).record
    folder = publication.final_folder.parent / f".partial-{'0' * 32}"
    assert b"".join(plain_blocks(LocalFiles(folder), archive, [ScryptIdentity("correct horse")])) == b"{}"
    with pytest.raises(WrongKey):
        list(plain_blocks(LocalFiles(folder), archive, [ScryptIdentity("wrong")]))


@pytest.mark.parametrize("method", ["zstd", "gzip", "none"])
@pytest.mark.parametrize("encryption", [Encryption("none"), AGE], ids=["plain", "age"])
@pytest.mark.parametrize("damage", ["truncated", "flipped", "longer", "empty"])
def test_damaged_bytes_are_never_taken_for_whole(
    publication: Publication, method: str, encryption: Encryption, damage: str
) -> None:
    envelope = Envelope(Compression(method), encryption)
    archive = store_document("accounts", DATA, publication, envelope, form="json", limits=limits()).record
    folder = publication.final_folder.parent / f".partial-{'0' * 32}"
    path = folder / archive["name"]
    content = bytearray(path.read_bytes())
    if damage == "truncated":
        content = content[:-100]
    elif damage == "flipped":
        content[len(content) // 2] ^= 1
    elif damage == "longer":
        content += b"x"
    else:
        content = bytearray()
    path.write_bytes(content)
    with pytest.raises(ArchiveDamaged, match=archive["name"]):
        list(plain_blocks(LocalFiles(folder), archive, [IDENTITY]))


def test_the_zstd_program_serves_where_the_library_is_missing(
    publication: Publication, monkeypatch: pytest.MonkeyPatch
) -> None:
    needs.program("zstd", "zstd")
    with_library = store_document(
        "with", DATA, publication, Envelope(Compression(), Encryption("none")), form="json", limits=limits()
    ).record
    without_zstandard(monkeypatch)
    record = store_document(
        "without", DATA, publication, Envelope(Compression(), Encryption("none")), form="json", limits=limits()
    ).record
    folder = publication.final_folder.parent / f".partial-{'0' * 32}"
    for archive in (with_library, record):
        assert b"".join(plain_blocks(LocalFiles(folder), archive, [])) == DATA
        subprocess.run(["zstd", "-q", "-t", str(folder / archive["name"])], check=True)


def test_without_library_and_program_the_message_names_both(monkeypatch: pytest.MonkeyPatch) -> None:
    without_zstandard(monkeypatch)
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(RequirementMissing, match=r"python3-zstandard.*zstd.*gzip"):
        compressor(Compression())


def test_a_dump_that_is_whole_gets_its_record(publication: Publication) -> None:
    script = "echo 'INSERT 1'; echo; echo '-- Dump completed on x'; echo 'a note' >&2"
    archive = dump_part(part(script), publication, Envelope(Compression(), AGE), limits=limits(), run_as=RunAs(nice=5))
    assert archive.record["name"] == "data.sql.zst.age"
    assert archive.record["longest_statement_bytes"] == len("-- Dump completed on x")
    assert list(archive.warnings) == ["a note"]


def test_a_client_gives_way_as_much_as_it_was_told_to(publication: Publication) -> None:
    script = "nice >&2; echo; echo '-- Dump completed on x'"  # without a command, nice prints its own niceness
    own = os.nice(0)
    archive = dump_part(part(script), publication, Envelope(Compression(), AGE), limits=limits(), run_as=RunAs(nice=5))
    assert list(archive.warnings) == [str(min(own + 5, 19))]  # 19 is the most there is


@pytest.mark.parametrize(
    ("script", "error", "says"),
    [
        ("echo x; echo '-- Dump completed'; exit 3", CommandFailed, "exit status 3"),
        ("echo x; echo '-- Dump completed'; kill -9 $$", CommandFailed, "SIGKILL"),
        ("echo x", CommandFailed, "completion mark"),
        ("true", CommandFailed, "wrote nothing"),
        ("echo '-- Dump completed'; echo 'dump: error: table t is broken' >&2", CommandFailed, "table t is broken"),
        ("echo x; echo 'table definition has changed' >&2; exit 2", SnapshotLost, "definition has changed"),
    ],
    ids=["status", "killed", "no-mark", "empty", "fatal-line", "schema-changed"],
)
def test_a_dump_that_is_not_whole_is_refused(
    publication: Publication, script: str, error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        dump_part(part(script), publication, Envelope(Compression(), AGE), limits=limits(), run_as=RunAs())


def test_a_program_that_is_missing_is_named(publication: Publication) -> None:
    broken = part("", argv=["/nonexistent/pg_dump"])
    with pytest.raises(CommandFailed, match="/nonexistent/pg_dump"):
        dump_part(broken, publication, Envelope(Compression(), AGE), limits=limits(), run_as=RunAs())


def test_a_client_that_hangs_is_ended_at_the_timeout_with_all_its_children(publication: Publication) -> None:
    needs.program("pgrep", "procps")
    script = "sleep 61.5 & echo $!; exec sleep 61.5"
    deadline = time.monotonic() + 0.5
    began = time.monotonic()
    with pytest.raises(RunTimeout, match="timeout"):
        dump_part(
            part(script),
            publication,
            Envelope(Compression(), AGE),
            limits=limits(deadline=deadline, timeout=0.5),
            run_as=RunAs(),
        )
    assert time.monotonic() - began < 10
    left = subprocess.run(["pgrep", "-f", "^sleep 61.5$"], check=False, stdout=subprocess.PIPE, text=True)
    assert left.stdout == ""


def test_a_run_that_is_asked_to_stop_ends_its_clients(publication: Publication) -> None:
    cancel = threading.Event()
    threading.Timer(0.3, cancel.set).start()
    with pytest.raises(Interrupted):
        dump_part(
            part("while :; do echo data; sleep 0.01; done"),
            publication,
            Envelope(Compression(), AGE),
            limits=limits(cancel=cancel),
            run_as=RunAs(),
        )


def test_a_bandwidth_limit_slows_the_stream() -> None:
    sink = io.BytesIO()
    began = time.monotonic()
    slow = limits(limiter=Limiter(4 << 20))
    pipeline.pump(pipeline.open_bytes(bytes(2 << 20)), [], Sink(sink.write), limits=slow, end_source=lambda: None)
    assert time.monotonic() - began > 0.4
    assert len(sink.getvalue()) == 2 << 20


class Sink:
    def __init__(self, write: Callable[[bytes], Any]) -> None:
        self.write = write


def test_a_sink_that_fails_ends_the_source_and_is_heard() -> None:
    ended = threading.Event()

    def full(_data: bytes) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        pipeline.pump(pipeline.open_bytes(bytes(1 << 22)), [], Sink(full), limits=limits(), end_source=ended.set)
    assert ended.is_set()


def test_the_longest_line_is_measured_across_blocks() -> None:
    data = b"a" * 10 + b"\n" + b"b" * (3 << 20) + b"\n" + b"c" * 7
    seen = pipeline.pump(
        pipeline.open_bytes(data),
        [],
        Sink(lambda _data: None),
        limits=limits(),
        end_source=lambda: None,
        measure_lines=True,
    )
    assert seen.longest_line == 3 << 20
    assert seen.tail == data[-4096:]
    assert seen.plain_bytes == len(data)


def test_a_secret_reaches_a_client_by_a_private_file_that_never_has_a_name() -> None:
    secret = b"canary-88f1"
    seen = process.run_captured(
        ["sh", "-c", "cat $F; stat -L -c %a%h $F; tr '\\0' ' ' < /proc/self/environ /proc/self/cmdline"],
        environment={"F": "@SECRET_PATH@"},
        secret=secret,
    )
    assert seen.stdout.startswith(b"canary-88f16000")
    assert seen.stdout.count(secret) == 1


def test_clients_get_a_minimal_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGPASSWORD", "canary-77")
    monkeypatch.setenv("LD_PRELOAD", "")
    seen = process.run_captured(["env"]).stdout.decode()
    assert sorted(line.split("=")[0] for line in seen.splitlines()) == ["HOME", "LC_ALL", "PATH"]


def test_a_client_dies_with_the_process_that_started_it() -> None:
    code = (
        "import os, signal, sys; from backupdb.system import process;"
        "client = process.start(['sh', '-c', 'echo ready; exec sleep 63.25']); client.stdout.read(5);"
        "sys.stdout.write(str(client.pid)); sys.stdout.flush();"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    seen = subprocess.run(
        [__import__("sys").executable, "-c", code],
        check=False,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(LIBRARY)},
    )
    pid = int(seen.stdout)
    for _attempt in range(50):
        if not Path(f"/proc/{pid}").exists() or "\nState:\tZ" in Path(f"/proc/{pid}/status").read_text():
            return
        time.sleep(0.1)
    pytest.fail(f"client {pid} survived")


def test_a_slow_bandwidth_limit_does_not_outlast_the_deadline() -> None:
    slow = limits(limiter=Limiter(1000), deadline=time.monotonic() + 0.5, timeout=0.5)
    began = time.monotonic()
    with pytest.raises(RunTimeout):
        pipeline.pump(pipeline.open_bytes(DATA), [], io.BytesIO(), limits=slow, end_source=lambda: None)
    assert time.monotonic() - began < 5


def test_the_zstd_program_ends_with_a_stream_that_fails_and_sees_none_of_our_secrets(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    needs.program("zstd", "zstd")
    monkeypatch.setitem(sys.modules, "zstandard", None)
    monkeypatch.setenv("BACKUPDB_PASSPHRASE", "open sesame")
    program = compressor(Compression("zstd"))
    environment = Path(f"/proc/{program._process.pid}/environ").read_bytes()  # type: ignore[union-attr]
    late = limits(deadline=time.monotonic() - 1, timeout=1.0)
    with pytest.raises(RunTimeout):
        pipeline.pump(pipeline.open_bytes(DATA), [program], io.BytesIO(), limits=late, end_source=lambda: None)
    assert program._process.poll() is not None  # type: ignore[union-attr]
    assert b"sesame" not in environment


@given(
    lines=st.lists(st.integers(0, 60), min_size=0, max_size=40),
    cuts=st.lists(st.integers(1, 50), min_size=1, max_size=80),
    ends=st.booleans(),
)
def test_the_longest_line_is_that_of_a_look_at_every_line(lines: list[int], cuts: list[int], ends: bool) -> None:
    data = b"\n".join(b"x" * length for length in lines) + (b"\n" if ends else b"")
    observer = pipeline._Observer(measure_lines=True)
    begin = 0
    for cut in itertools.cycle(cuts):
        piece = data[begin : begin + cut]
        if not piece:
            break
        observer.see(bytearray(piece) + b"\n rest of an earlier block", len(piece))
        begin += cut
    assert observer.result().longest_line == max(map(len, data.split(b"\n")))
    assert observer.result().plain_bytes == len(data)
