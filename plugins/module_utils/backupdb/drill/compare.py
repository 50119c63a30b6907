# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Comparing a restored backup with what the backup says of itself: counts, content, dump, rights.

What cannot be compared is told with the reason; it is never taken for equal in silence.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Callable

from ..accounts.compare import difference
from ..accounts.restore import export
from ..engines.accounts_document import full_name
from ..engines.sequences import matches_range
from ..engines.values import DumpOptions, SnapshotDetails
from ..repository.left_out import names_left_out
from ..restore.compare import inspect
from ..restore.missing import missing_kind, missing_name
from .compare_sets import compare_in_any_order
from .compare_streams import Comparison
from .dump import dumped
from .restore import RestoredServer

KEPT = 50  # differences in a record
_SHOWN = 200  # characters of a value


@dataclass
class Findings:
    """What was compared and what differs. `rewritten` are lines of definitions that only were written otherwise."""

    differences: list[dict[str, Any]] = field(default_factory=list)
    compared: list[str] = field(default_factory=list)
    not_compared: list[dict[str, str]] = field(default_factory=list)
    rewritten: list[dict[str, Any]] = field(default_factory=list)
    by_fingerprints: bool = False

    def differs(self, what: str, expected: Any, found: Any) -> None:
        """Keep a difference; long values are cut short."""
        if len(self.differences) < KEPT:
            self.differences.append({"what": what, "expected": _short(expected), "found": _short(found)})

    def leaves_out(self, what: str, why: str) -> None:
        """Keep that something was not compared, and why."""
        self.not_compared.append({"what": what, "why": why})


@dataclass(frozen=True)
class StreamDifferences:
    """What differs between the two dumps."""

    differences: list[dict[str, Any]]
    rewritten: bool  # all of them may be the same definitions, written otherwise


def compare(state: RestoredServer) -> tuple[Findings, StreamDifferences]:
    """Compare everything that can be compared."""
    findings = Findings()
    manifest = state.context.manifest
    for line in state.errors:
        findings.differs("restore", None, line)
    details = inspect(
        state.engine,
        state.dump_client,
        state.name,
        DumpOptions(
            row_counts=manifest.get("row_counts") is not None,
            fingerprints=manifest.get("fingerprints") is not None and state.same_series,
            older_inventory=True,
        ),
    )
    _inventory(findings, manifest, details)
    _row_counts(findings, manifest, details)
    _fingerprints(findings, state, details)
    _properties(findings, state, details)
    stream = _stream(findings, state)
    _grants(findings, state)
    return findings, stream


def compare_streams(
    state: RestoredServer, expected: Callable[[], Iterator[bytes]], found: Callable[[], Iterator[bytes]]
) -> Comparison:
    """Compare two archives, whose plain streams can be opened several times, by their texts."""
    with ExitStack() as opened:

        def text(blocks: Callable[[], Iterator[bytes]]) -> Iterator[bytes]:
            made: Iterator[bytes] = opened.enter_context(closing(_text(state, blocks)))
            return made

        return compare_in_any_order(
            lambda: text(expected), lambda: text(found), state.support.reader, left_out=state.not_loaded
        )


def _text(state: RestoredServer, blocks: Callable[[], Iterator[bytes]]) -> Any:
    """Return a generator over the text, so that it can be closed before its end."""
    yield from state.support.text(state.dump_client, blocks())


def _inventory(findings: Findings, manifest: Mapping[str, Any], details: SnapshotDetails) -> None:
    findings.compared.append("inventory")
    if not manifest.get("inventory_trusted", True):
        findings.leaves_out("inventory", "the login of the backup did not see every object, so its counts may be short")
    for kind, expected in sorted(manifest["inventory"].items()):
        found = details.inventory_as_in(manifest).get(kind, 0)
        named = missing_kind(manifest, kind)
        if found < expected and named is not None:
            findings.leaves_out(f"inventory: {kind}", f"the backup does not hold all of them: {named}")
        elif found != expected:
            findings.differs(f"inventory: {kind}", expected, found)


def _row_counts(findings: Findings, manifest: Mapping[str, Any], details: SnapshotDetails) -> None:
    expected = manifest.get("row_counts")
    if expected is None:
        findings.leaves_out("row_counts", "the backup was made without row_counts")
        return
    findings.compared.append("row_counts")
    # Materialized views are filled anew by a restore; the original may have been filled long before.
    anew = set((manifest.get("engine_details") or {}).get("materialized_views", ()))
    for table, count in sorted(expected.items()):
        found = (details.row_counts or {}).get(table)
        if table in anew or found == count:
            continue
        named = missing_name(manifest, table)
        if named is not None:
            findings.leaves_out(f"rows of {table}", f"the backup does not hold them: {named}")
        else:
            findings.differs(f"rows of {table}", count, found)


def _fingerprints(findings: Findings, state: RestoredServer, details: SnapshotDetails) -> None:
    expected = state.context.manifest.get("fingerprints")
    if expected is None:
        findings.leaves_out("fingerprints", "the backup was made without fingerprints")
        return
    if not state.same_series:
        findings.leaves_out("fingerprints", _other_version(state))
        return
    findings.compared.append("fingerprints")
    findings.by_fingerprints = True
    for name, value in sorted(expected.items()):
        found = (details.fingerprints or {}).get(name)
        if matches_range(value, found):
            continue
        named = missing_name(state.context.manifest, name)
        if named is not None:
            findings.leaves_out(f"content of {name}", f"the backup does not hold it: {named}")
        else:
            findings.differs(f"content of {name}", value, found)


def _properties(findings: Findings, state: RestoredServer, details: SnapshotDetails) -> None:
    findings.compared.append("properties")
    for key, expected in sorted((state.context.manifest.get("properties") or {}).items()):
        found = details.properties.get(key)
        if key not in state.support.UNCOMPARED_PROPERTIES and _ordered(found) != _ordered(expected):
            findings.differs(f"property {key}", expected, found)


def _stream(findings: Findings, state: RestoredServer) -> StreamDifferences:
    why = None
    manifest = state.context.manifest
    if not state.same_series:
        why = _other_version(state)
    elif state.support.series(state.dump_client.version) != state.support.series(manifest["client"]["version"]):
        why = (
            f"the backup was dumped by version {manifest['client']['version']} of the client, here is "
            f"{state.dump_client.version}"
        )
    if why is not None:
        findings.leaves_out("stream", why)
        return StreamDifferences([], rewritten=False)
    findings.compared.append("stream")
    for place, why in state.not_loaded.items():
        findings.leaves_out(place, why)
    differences: list[dict[str, Any]] = []
    rewritten = True
    for source, part in zip(state.sources, state.support.dump_again(state.engine.server, state.dump_client, manifest)):
        result = compare_streams(state, source.open, partial(dumped, part, state.context.limits))
        rewritten = rewritten and result.rewritten
        differences += [
            {"what": f"dump, {one.place}", "expected": one.expected, "found": one.found} for one in result.differences
        ]
    return StreamDifferences(differences[:KEPT], rewritten)


def _grants(findings: Findings, state: RestoredServer) -> None:
    document = state.accounts.document
    if document is None:
        findings.leaves_out("grants", state.accounts.note)
        return
    findings.compared.append("grants")
    for name, reason in state.skipped_accounts.items():
        findings.leaves_out(f"account {name}", reason)
    here = {
        **document,
        "accounts": [
            _without_left_out(findings, state, one)
            for one in document["accounts"]
            if full_name(one) not in state.skipped_accounts
        ],
    }
    fresh = export(state.engine)
    for line in difference(here, fresh, database=state.name):
        findings.differs("grants", None, line)


def _without_left_out(findings: Findings, state: RestoredServer, account: Mapping[str, Any]) -> dict[str, Any]:
    """Return the account without its rights on tables that the backup leaves out on purpose: nobody can have them."""
    names = set(names_left_out(state.context.manifest, "tables"))
    rules, kept = state.engine.ACCOUNTS, []
    for statement in account["statements"]:
        name = rules.object_of(statement) if statement.get("database") == state.name else None
        if name is None or name not in names:
            kept.append(statement)
        else:
            findings.leaves_out(f"rights of {full_name(account)} on {name}", "it is left out of the backup on purpose")
    return {**account, "statements": kept}


def _other_version(state: RestoredServer) -> str:
    source = state.context.manifest["server"]["version"]
    return (
        f"the source is {state.engine.facts.vendor} {source}, the drill ran on {state.engine.facts.version}; "
        "inventory and row counts stand for it"
    )


def _ordered(value: Any) -> Any:
    """Make lists comparable where their order means nothing."""
    return sorted(value, key=str) if isinstance(value, list) else value


def _short(value: Any) -> Any:
    if value is None or isinstance(value, int):
        return value
    text = str(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
