# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Verifying evidence with the public key alone: what was tampered with, and whether manifests are still as attested."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..errors import InvalidOption
from ..outcome import Outcome
from ..repository import layout
from ..repository.catalogue import LARGEST_MANIFEST
from ..signatures.keys import SIGNATURE_SIZE, public_key, verifies
from ..system.files import is_folder, read_small_file
from ..system.json_text import read_json
from .facts import check_folder
from .make import ENVELOPE, PAGE, SIGNATURE, STATEMENT
from .statement import PAYLOAD_TYPE, PREDICATE_TYPE, STATEMENT_TYPE, pre_authentication_encoding

GOOD, CHANGED, MISSING = "good", "changed", "missing"
_LARGEST = 1 << 30  # bytes of a statement
_SHOWN = 10


@dataclass(frozen=True)
class Finding:
    """What came of one thing that was looked at."""

    what: str  # statement, envelope, page or manifest
    name: str
    state: str
    message: str = ""


def verify(statement: str, key: str, repositories: Sequence[str] = ()) -> dict[str, Any]:
    """Verify the statement in a file, its envelope and its page, and the manifests that are in `repositories`.

    `failed` when something was changed, `partial` when a manifest or a file beside the statement is missing. Nothing
    that the statement says is used before its signature is found to be right. Raises `InvalidOption` for what cannot
    be looked at.
    """
    path, public = Path(statement), public_key(key)
    for root in repositories:
        if not is_folder(Path(root)):
            raise InvalidOption(f"repository {root} is not there, or is no folder; mount it, or check the path")
    if not path.name.endswith(STATEMENT) or path.name.endswith(ENVELOPE):
        raise InvalidOption(f"{statement} is not called like a statement; give evidence-TIME{STATEMENT}")
    content = _read(path)
    if content is None:
        raise InvalidOption(f"{statement} is not there, or cannot be read")
    findings = [_signed("statement", path, content, public)]
    subject: Sequence[tuple[str, str]] = ()
    if findings[0].state == GOOD:
        stem = path.with_name(path.name[: -len(STATEMENT)])
        findings += [_envelope(stem, content, public), _page(stem, public)]
        subject = _subject(content, path)
        findings += _manifests(subject, repositories)
    return _outcome(path, findings, len(subject), repositories)


def _signed(what: str, path: Path, content: bytes, public: str) -> Finding:
    signature = _read(path.with_name(path.name + SIGNATURE), SIGNATURE_SIZE)
    if signature is None:
        state = CHANGED if what == "statement" else MISSING
        return Finding(what, str(path), state, f"there is no signature {path.name}{SIGNATURE} beside it")
    if verifies(public, signature, content):
        return Finding(what, str(path), GOOD)
    return Finding(what, str(path), CHANGED, "it was changed since it was signed, or signed with another key")


def _page(stem: Path, public: str) -> Finding:
    path = stem.with_name(stem.name + PAGE)
    content = _read(path)
    if content is None:
        return Finding("page", str(path), MISSING, "it is not there; the statement says all that it shows")
    return _signed("page", path, content, public)


def _envelope(stem: Path, content: bytes, public: str) -> Finding:
    path = stem.with_name(stem.name + ENVELOPE)
    raw = _read(path)
    if raw is None:
        return Finding("envelope", str(path), MISSING, "it is not there; the signature beside the statement is enough")
    try:
        values = read_json(raw)
        payload = base64.b64decode(values["payload"], validate=True)
        signatures = [base64.b64decode(one["sig"], validate=True) for one in values["signatures"]]
        kind = values["payloadType"]
    except (ValueError, KeyError, TypeError, binascii.Error):
        return Finding("envelope", str(path), CHANGED, "it is no envelope any more")
    if payload != content or kind != PAYLOAD_TYPE:
        return Finding("envelope", str(path), CHANGED, "it holds another statement")
    if not any(verifies(public, one, pre_authentication_encoding(payload)) for one in signatures):
        return Finding("envelope", str(path), CHANGED, "none of its signatures is right for this key")
    return Finding("envelope", str(path), GOOD)


def _subject(content: bytes, path: Path) -> list[tuple[str, str]]:
    """Return names and digests of the manifests; raises `InvalidOption` for a statement that is none of ours."""
    try:
        values = read_json(content)
        if (values["_type"], values["predicateType"]) != (STATEMENT_TYPE, PREDICATE_TYPE):
            raise ValueError("it is of another kind")
        return [(_name(one["name"]), str(one["digest"]["sha256"])) for one in values["subject"]]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InvalidOption(f"{path} is signed, and no statement about drills of this version: {error}") from error


def _name(text: str) -> str:
    folder, _slash, rest = text.rpartition("/")[0].rpartition("/")
    check_folder(folder)
    if layout.parse_backup_folder(rest) is None or not text.endswith(f"/{layout.MANIFEST_FILE}"):
        raise ValueError(f"{text[:100]!r} is no place of a manifest")
    return text


def _manifests(subject: Sequence[tuple[str, str]], repositories: Sequence[str]) -> Iterator[Finding]:
    wanted: dict[str, set[str]] = {}
    for name, digest in subject:
        wanted.setdefault(name, set()).add(digest)
    for name in sorted(wanted) if repositories else ():
        found = {digest for root in repositories for digest in [_digest(Path(root) / name)] if digest is not None}
        if not found:
            yield Finding("manifest", name, MISSING, "it is in none of the repositories: pruned since, or removed")
        elif not found <= wanted[name]:
            yield Finding("manifest", name, CHANGED, "it has another digest than was attested: somebody wrote over it")
        else:
            yield Finding("manifest", name, GOOD)


def _digest(path: Path) -> str | None:
    content = _read(path, LARGEST_MANIFEST)
    return None if content is None else hashlib.sha256(content).hexdigest()


def _read(path: Path, limit: int = _LARGEST) -> bytes | None:
    try:
        return read_small_file(path, limit)
    except OSError:
        return None


def _outcome(path: Path, findings: Sequence[Finding], subjects: int, repositories: Sequence[str]) -> dict[str, Any]:
    changed = [one for one in findings if one.state == CHANGED]
    missing = [one for one in findings if one.state == MISSING]
    good = sum(one.what == "manifest" and one.state == GOOD for one in findings)
    lines = [f"{one.what} {one.name}: {one.message}" for one in (*changed, *missing)]
    if changed:
        message = f"{path} does not hold: {'; '.join(lines[:_SHOWN])}"
    else:
        compared = f"{good} of {subjects} manifests are as attested"
        if not repositories:
            compared = f"its {subjects} manifests were not looked at, as no repository was named"
        message = f"{path} was signed with this key, and {compared}"
        message += f"; {'; '.join(lines[:_SHOWN])}" if missing else ""
    if len(lines) > _SHOWN:
        message += f" (and {len(lines) - _SHOWN} more)"
    return Outcome(
        status="failed" if changed else "partial" if missing else "ok",
        changed=False,
        message=message,
        facts={"statement": str(path), "findings": [_plain(one) for one in findings], "lines": lines},
    ).to_dict()


def _plain(finding: Finding) -> Mapping[str, Any]:
    return asdict(finding)
