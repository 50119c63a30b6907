# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One archive: from a client call or a document to stored bytes, and the record of it for the manifest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..engines.values import Part
from ..errors import CommandFailed, SnapshotLost
from ..repository.files import StoredFile
from ..repository.local import Publication
from ..streams import pipeline
from ..streams.pipeline import Limits, PlainStream
from ..system.process import SECRET_PATH, RunAs, Running, describe_status, start
from .envelope import Envelope

_STDERR_SHOWN = 5
_WARNINGS_KEPT = 20


@dataclass(frozen=True)
class Archive:
    """The result for one archive: its record for the manifest, and what the client said beside it."""

    record: dict[str, Any]
    warnings: Sequence[str] = ()


def dump_part(part: Part, publication: Publication, envelope: Envelope, *, limits: Limits, run_as: RunAs) -> Archive:
    """Run the client of a part and store what it writes; `Publication.sync` waits until that is on the disk.

    Raises `CommandFailed`, `SnapshotLost`, and what the stream and the store raise; then the archive is no good.
    """
    stored = publication.create(part.name + part.suffix + envelope.suffix())
    client = start(
        part.argv,
        environment=part.environment,
        secret=part.secret,
        run_as=run_as,
        patterns={"lost": part.lost_stderr, "fatal": part.fatal_stderr},
    )
    try:
        plain = pipeline.pump(
            client.stdout,
            envelope.transforms(),
            stored,
            limits=limits,
            end_source=client.end,
            measure_lines=part.format == "sql",
        )
        _judge(part, client, client.wait(), plain)
    finally:
        client.close()
    record = {
        **_record(stored, plain, envelope, part.format),
        "part": part.name,
        "argv": [word.replace(SECRET_PATH, "<password file>") for word in part.argv],
    }
    if part.format == "sql":
        record["longest_statement_bytes"] = plain.longest_line
    return Archive(record, client.stderr.lines()[:_WARNINGS_KEPT])


def store_document(
    name: str, content: bytes, publication: Publication, envelope: Envelope, *, form: str, limits: Limits
) -> Archive:
    """Store bytes from memory as an archive of the given form ("json" or "sql"); else as `dump_part`."""
    stored = publication.create(f"{name}.{form}" + envelope.suffix())
    plain = pipeline.pump(
        pipeline.open_bytes(content), envelope.transforms(), stored, limits=limits, end_source=lambda: None
    )
    return Archive({**_record(stored, plain, envelope, form), "part": name})


def _record(stored: StoredFile, plain: PlainStream, envelope: Envelope, form: str) -> dict[str, Any]:
    return {
        "name": stored.path.name,
        "format": form,
        "plain_bytes": plain.plain_bytes,
        "plain_sha256": plain.sha256,
        "stored_bytes": stored.stored_bytes,
        "sha256": stored.sha256(),
        **envelope.describe(),
    }


def _judge(part: Part, client: Running, status: int, plain: PlainStream) -> None:
    """Decide whether the dump is good; the exit status alone, or the completion mark alone, proves nothing."""
    said = "; ".join(client.stderr.lines()[:_STDERR_SHOWN])
    if "lost" in client.stderr.found:
        raise SnapshotLost(f"the schema changed under the dump: {client.stderr.found['lost']}")
    if status != 0:
        raise CommandFailed(
            f"{client.name} (part {part.name}) ended with {describe_status(status)}: {said or 'it said nothing'}"
        )
    if "fatal" in client.stderr.found:
        raise CommandFailed(f"{client.name} (part {part.name}) reported: {client.stderr.found['fatal']}")
    if plain.plain_bytes == 0:
        raise CommandFailed(f"{client.name} (part {part.name}) wrote nothing: {said or 'it said nothing'}")
    if part.completion_mark is not None and part.completion_mark not in plain.tail:
        raise CommandFailed(
            f"{client.name} (part {part.name}) ended without its completion mark "
            f"{part.completion_mark.decode('utf-8', 'replace')!r}, so the dump is not whole: {said}"
        )
