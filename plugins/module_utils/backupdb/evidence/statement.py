# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The statement: an in-toto Statement v1 about the manifests of drilled backups, as bytes that never differ.

https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md; the envelope is DSSE v1,
https://github.com/secure-systems-lab/dsse/blob/master/envelope.md. The predicate is ours and is described in the
collection's documentation (docs/evidence.md).
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ..errors import InvalidOption
from ..repository import layout
from ..system.text import printable
from ..version import VERSION
from .facts import DatabaseFacts, Facts

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "https://github.com/vya/backupdb/evidence/drills/v1"
PAYLOAD_TYPE = "application/vnd.in-toto+json"
PROVEN, NOT_PROVEN, NO_DRILL, NO_BACKUP = "proven", "not proven", "no drill", "no backup"
RESULTS = (NOT_PROVEN, NO_DRILL, NO_BACKUP, PROVEN)  # as people look at them


@dataclass(frozen=True)
class Source:
    """A host, by its name for whoever asked it, and what it gathered; `facts` None: nothing, and `message` says why."""

    name: str
    facts: Facts | None
    message: str = ""


def make_statement(sources: Sequence[Source], made: str) -> dict[str, Any]:
    """Put together what all hosts have gathered; `made` is the time in the form of `text.iso`.

    Raises `InvalidOption` where there is not one backup: there is nothing that could be attested.
    """
    ordered = sorted(sources, key=lambda source: source.name)
    known = [(source.name, source.facts) for source in ordered if source.facts is not None]
    databases = [
        {"source": name, "place": facts.place, "copy": facts.copy, **_told(one)}
        for name, facts in known
        for one in facts.databases
    ]
    subject = {
        (subject_name(one.folder, manifest.backup_id), manifest.sha256)
        for _name, facts in known
        for one in facts.databases
        for manifest in one.manifests
    }
    if not subject:
        told = "; ".join(f"{source.name}: {source.message}" for source in ordered if source.message)
        raise InvalidOption(
            f"no host has a single backup in the period, so there is nothing to attest{told and ': '}{told}"
        )
    counts = Counter(one["result"] for one in databases)
    statement: dict[str, Any] = printable(
        {
            "_type": STATEMENT_TYPE,
            "subject": [{"name": name, "digest": {"sha256": digest}} for name, digest in sorted(subject)],
            "predicateType": PREDICATE_TYPE,
            "predicate": {
                "made": made,
                "period": {
                    "since": min(facts.since for _name, facts in known),
                    "until": max(facts.until for _name, facts in known),
                },
                "tool": {"name": "vya.backupdb", "version": VERSION},
                "counts": {
                    **{result: counts[result] for result in RESULTS},
                    "databases": len(databases),
                    "drills": sum(len(one["drills"]) for one in databases),
                    "sources": len(ordered),
                    "sources not gathered": len(ordered) - len(known),
                },
                "conflicts": conflicts(subject),
                "sources": [_source(source) for source in ordered],
                "databases": databases,
            },
        }
    )
    return statement


def subject_name(folder: str, backup_id: str) -> str:
    """Return how a manifest is called among the subjects: by its place in a repository."""
    return f"{folder}/{backup_id}/{layout.MANIFEST_FILE}"


def conflicts(subject: set[tuple[str, str]]) -> list[str]:
    """Name the manifests of which several places have different ones: somebody wrote over one of them."""
    counts = Counter(name for name, _digest in subject)
    return sorted(name for name, count in counts.items() if count > 1)


def serialise(statement: Mapping[str, Any]) -> bytes:
    """Write a statement, or an envelope: the same values give the same bytes, all of them ASCII."""
    return (json.dumps(statement, indent=1, sort_keys=True) + "\n").encode("ascii")


def pre_authentication_encoding(payload: bytes) -> bytes:
    """Return what the signature in an envelope is of (PAE of DSSE v1)."""
    kind = PAYLOAD_TYPE.encode("ascii")
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def envelope(payload: bytes, signature: bytes, public: str) -> dict[str, Any]:
    """Return the DSSE envelope of a statement."""
    return {
        "payloadType": PAYLOAD_TYPE,
        "payload": base64.b64encode(payload).decode("ascii"),
        "signatures": [{"keyid": key_id(public), "sig": base64.b64encode(signature).decode("ascii")}],
    }


def key_id(public: str) -> str:
    """Return a name for a public key: the SHA-256 of its DER form."""
    return hashlib.sha256(base64.b64decode(public)).hexdigest()


def _source(source: Source) -> dict[str, Any]:
    facts = source.facts
    if facts is None:
        return {"name": source.name, "status": "not gathered", "message": source.message or "it gave no answer"}
    return {
        "name": source.name,
        "status": "gathered",
        "message": source.message,
        "place": facts.place,
        "copy": facts.copy,
        "since": facts.since,
        "until": facts.until,
        "databases": len(facts.databases),
        "problems": sorted(facts.problems),
    }


def _told(one: DatabaseFacts) -> dict[str, Any]:
    return {
        "folder": one.folder,
        "host": one.host,
        "instance": one.instance,
        "database": one.database,
        "result": result_of(one),
        "backups": one.backups,
        "kept": one.kept,
        "newest": one.newest,
        "drills": [asdict(drill) for drill in one.drills],
    }


def result_of(one: DatabaseFacts) -> str:
    """Return what the newest drill of the period says; drills that were better before it do not make up for it."""
    if one.drills:
        return PROVEN if one.drills[0].proves else NOT_PROVEN
    return NO_DRILL if one.kept else NO_BACKUP
