# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Making evidence where the secret key is: the statement, its signatures, its envelope and its page, as new files.

Nothing leaves this process but signatures; hosts are given neither the key nor its name.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from ..errors import InvalidOption
from ..outcome import Outcome
from ..repository import layout
from ..signatures.keys import SigningKey, read_signing_key
from ..system.files import is_folder, link_new_file, remove_file
from ..system.text import iso, parse_iso
from .facts import facts_from
from .page import page_of
from .statement import Source, envelope, key_id, make_statement, pre_authentication_encoding, serialise

STATEMENT, ENVELOPE, PAGE, SIGNATURE = ".json", ".dsse.json", ".html", ".sig"


def sources_from(entries: Sequence[Mapping[str, Any]]) -> list[Source]:
    """Read what hosts have gathered; one whose facts cannot be used is a source that nothing was gathered from."""
    found = []
    for entry in entries:
        facts, message = None, str(entry.get("reason") or "")
        if entry.get("facts"):
            try:
                facts = facts_from(entry["facts"], str(entry["name"]))
            except InvalidOption as error:
                message = str(error)
        found.append(Source(str(entry["name"]), facts, message))
    return found


def make(
    sources: Sequence[Source], *, key: str, directory: str, now: datetime, check_mode: bool = False
) -> dict[str, Any]:
    """Sign what was gathered and return where it is; `partial` where a host or a place is missing in it.

    In check mode nothing is written. Raises `InvalidOption` for a key or a directory that cannot be used, and where
    there is nothing to attest.
    """
    folder = Path(directory)
    if not is_folder(folder):
        raise InvalidOption(f"directory {directory} is not there, or is no directory; make it, with mode 0700")
    secret = read_signing_key(key)
    statement = make_statement(sources, iso(now.replace(microsecond=0)))
    predicate = statement["predicate"]
    files = files_of(statement, secret)
    stem = folder / f"evidence-{layout.stamp(parse_iso(predicate['made']))}"
    if not check_mode:
        _write(stem, files)
    gaps = [f"{one['name']}: {one['message']}" for one in predicate["sources"] if one["status"] != "gathered"]
    gaps += [f"{name} differs between places" for name in predicate["conflicts"]]
    counts = predicate["counts"]
    told = ", ".join(f"{counts[result]} {result}" for result in ("proven", "not proven", "no drill", "no backup"))
    missing = f"; nothing is in it of {'; '.join(gaps)}" if gaps else ""
    return Outcome(
        status="partial" if gaps else "ok",
        changed=True,
        message=f"{counts['databases']} databases, {told}: {stem}{STATEMENT}{missing}",
        warnings=[line for one in predicate["sources"] for line in one.get("problems", ())],
        facts={
            "statement": f"{stem}{STATEMENT}",
            "files": [f"{stem}{ending}" for ending in files],
            "sha256": hashlib.sha256(files[STATEMENT]).hexdigest(),
            "public_key": secret.public,
            "key_id": key_id(secret.public),
            "counts": counts,
        },
    ).to_dict()


def files_of(statement: Mapping[str, Any], secret: SigningKey) -> dict[str, bytes]:
    """Return the contents of the files by the endings of their names, the statement last: it makes the rest exist."""
    content = serialise(statement)
    page = page_of(statement, hashlib.sha256(content).hexdigest())
    dsse = envelope(content, secret.sign(pre_authentication_encoding(content)), secret.public)
    return {
        ENVELOPE: serialise(dsse),
        PAGE: page,
        PAGE + SIGNATURE: secret.sign(page),
        STATEMENT + SIGNATURE: secret.sign(content),
        STATEMENT: content,
    }


def _write(stem: Path, files: Mapping[str, bytes]) -> None:
    written: list[Path] = []
    try:
        for ending, content in files.items():
            path = stem.with_name(stem.name + ending)
            link_new_file(path, content)
            written.append(path)
    except FileExistsError as error:
        for path in written:
            remove_file(path)
        raise InvalidOption(f"{stem}: evidence of the same second is there already; make it again") from error
    except OSError as error:
        for path in written:
            with suppress(OSError):
                remove_file(path)
        raise InvalidOption(f"{stem} cannot be written: {error.strerror or error}") from error
