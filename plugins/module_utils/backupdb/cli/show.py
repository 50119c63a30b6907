# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Show one backup: what it is, what it holds and lacks, whether it is proven, and how to restore it by hand."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ..repository.beside import NotesReader
from ..repository.catalogue import StoredBackup, read_backup
from ..repository.left_out import names_left_out
from ..repository.listing import entry_of
from ..repository.place import open_place
from ..repository.problems import Problems
from ..repository.subject import Subject
from ..restore import by_hand
from ..system.parallel import result_of
from ..system.table import table
from ..system.text import human_age, human_duration, human_size, parse_iso, utc_now
from . import exit_status
from .common_options import add_backup, add_config_dir, add_copy, backup_folder, copy_source
from .output import add_json, complain, write_json, write_lines

_DEPTH = 4  # host, instance, database, backup
_LONG = 12  # lines of what is missing, and of warnings


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the command's options."""
    add_backup(parser)
    add_copy(parser)
    add_config_dir(parser)
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Show it and return the exit status: partial when something of it could not be read."""
    copy = copy_source(options)
    if copy is None:
        return _show(read_backup(backup_folder(options.backup, options)), options)
    with open_place(None, copy) as place:
        folder = place.root.joinpath(*Path(options.backup).parts[-_DEPTH:])
        return _show(place.adopt(read_backup(folder)), options)


def _show(backup: StoredBackup, options: argparse.Namespace) -> int:
    problems = Problems()
    entry = entry_of(backup, utc_now(), NotesReader(problems))
    folder = "FOLDER_OF_THE_DOWNLOADED_BACKUP" if options.copy else None
    known = result_of(lambda: by_hand.commands(backup, folder=folder))
    hand = known.value if known.value is not None else [str(known.error)]
    if options.json:
        write_json({**entry, "manifest": dict(backup.manifest), "by_hand": hand, "warnings": problems.lines})
    else:
        write_lines(_lines(backup, entry, hand))
        for line in problems.lines:
            complain(line)
    return exit_status.PARTIAL if problems.lines else exit_status.OK


def _lines(backup: StoredBackup, entry: Mapping[str, Any], hand: list[str]) -> Iterator[str]:
    yield f"Backup {entry['backup_id']} of {Subject(entry['database']).text}"
    yield from (f"  {line}" for line in table([(f"{name}:", said) for name, said in _facts(backup.manifest, entry)]))
    told = (
        ("Left out on purpose", names_left_out(backup.manifest, "tables")),
        ("Left out on purpose, their rows", names_left_out(backup.manifest, "table_data")),
        ("Missing", entry["missing"]),
        ("Warnings", entry["warnings"]),
    )
    for title, said in told:
        if said:
            yield f"{title}:"
            yield from (f"  {line}" for line in said[:_LONG])
            yield from [f"  ... and {len(said) - _LONG} more, see --json"] if len(said) > _LONG else []
    yield "Archives:"
    titles = ("NAME", "SIZE", "UNPACKED", "WRAPPED")
    rows = [
        (one["name"], human_size(one["stored_bytes"]), human_size(one["plain_bytes"]), _wrapping(one))
        for one in backup.manifest["archives"]
    ]
    yield from (f"  {line}" for line in table([titles, *rows], right=(1, 2)))
    yield "By hand, without this program (docs/recovery.md says more):"
    yield from (f"  {line}" for line in hand)


def _facts(manifest: Mapping[str, Any], entry: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    client = manifest.get("client") or {}
    lacking = f"{len(entry['missing'])} missing" if entry["missing"] else "nothing is missing"
    yield "state", ", ".join(filter(None, [entry["status"], entry["without"], lacking]))
    yield "from", f"instance {entry['instance']} of host {entry['host']}, {entry['engine']} {entry['server_version']}"
    if client.get("version"):
        yield "dumped by", f"{client.get('path')} {client['version']}"
    took = manifest.get("duration_seconds")
    yield (
        "when",
        (
            f"{parse_iso(entry['started']):%Y-%m-%d %H:%M:%S} UTC, {human_age(entry['age_seconds'])} ago"
            + (f", it took {human_duration(took)}" if isinstance(took, (int, float)) else "")
        ),
    )
    size = manifest.get("size_bytes")
    yield (
        "size",
        (
            f"{human_size(entry['stored_bytes'])} stored, {human_size(entry['plain_bytes'])} unpacked"
            + (f", {human_size(size)} in the server" if size else "")
        ),
    )
    counts = {kind: count for kind, count in (entry["inventory"] or {}).items() if count}
    if counts:
        yield "holds", ", ".join(f"{kind.replace('_', ' ')} {count}" for kind, count in counts.items())
    yield "proof", _proof(entry)
    yield "signed by", entry["signing_key"] or "nobody"
    others = "a passphrase" if "age-scrypt" in entry["encryption"] else "anybody"
    yield "opened by", ", ".join(entry["recipients"]) or others
    if entry["pinned"]:
        yield "pinned", entry["pin_reason"] or "yes"
    yield "place", entry["path"]


def _proof(entry: Mapping[str, Any]) -> str:
    drill = entry["drill"]
    if entry["kind"] == "accounts":
        return "accounts are drilled with each database of their instance"
    if drill is None:
        return "never drilled"
    return f"{drill['verdict']}, drilled {str(drill['finished'])[:10]}, content {drill['content']}"


def _wrapping(archive: Mapping[str, Any]) -> str:
    return " ".join(word for word in (archive["compression"], archive["encryption"]) if word != "none") or "plain"
