# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`manifest.json`: what a backup is, in one self-describing file. Its presence makes the backup exist.

The form is fixed by the JSON Schema in the collection's documentation (docs/manifest.schema.json). Hosts need no
schema library: reading checks here what later code relies on.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from ..errors import ManifestDamaged
from ..system.json_text import LARGEST_COUNT, read_json
from ..system.text import parse_iso
from .left_out import FILTERS

SCHEMA = 1
KINDS = ("database", "accounts")
STATUSES = ("complete", "partial")
_FILE_NAME = re.compile(r"(?!\.{1,2}$)[^/\0]+", re.DOTALL)
_REQUIRED: Mapping[str, type] = {
    "schema": int,
    "kind": str,
    "backup_id": str,
    "run_id": str,
    "host": str,
    "instance": str,
    "status": str,
    "engine": str,
    "server": dict,
    "started": str,
    "finished": str,
    "archives": list,
    "plain_bytes": int,
    "stored_bytes": int,
    "missing": list,
    "warnings": list,
}
_ARCHIVE_REQUIRED: Mapping[str, type] = {
    "name": str,
    "format": str,
    "compression": str,
    "encryption": str,
    "plain_bytes": int,
    "plain_sha256": str,
    "stored_bytes": int,
    "sha256": str,
}
# What a manifest need not have, but when it does, then of this kind (or null): later code relies on it.
_OPTIONAL: Mapping[str, type] = {
    "tool": dict,
    "client": dict,
    "size_bytes": int,
    "snapshot": dict,
    "properties": dict,
    "inventory": dict,
    "row_counts": dict,
    "fingerprints": dict,
    "engine_details": dict,
    FILTERS: dict,
    "accounts": int,
    "signing_key": str,
}
_ARCHIVE_OPTIONAL: Mapping[str, type] = {"part": str, "argv": list, "recipients": list, "longest_statement_bytes": int}
_FILTERS_OPTIONAL: Mapping[str, type] = {
    "include_tables": list,
    "exclude_tables": list,
    "exclude_table_data": list,
    "exclude_schemas": list,
    "left_out": dict,
}
_LEFT_OUT_OPTIONAL: Mapping[str, type] = {"count": int, "names": list}
_SERVER_OPTIONAL: Mapping[str, type] = {"version": str, "settings": dict}
_CLIENT_OPTIONAL: Mapping[str, type] = {"path": str, "vendor": str, "version": str}


def serialise(manifest: Mapping[str, Any]) -> bytes:
    """Write a manifest as stable, readable JSON; names that are not UTF-8 stay exact as escaped surrogates."""
    return (json.dumps(manifest, indent=2, sort_keys=True) + "\n").encode("ascii")


def parse(content: bytes, where: str) -> dict[str, Any]:
    """Read a manifest; raises `ManifestDamaged` which says what is wrong with the file `where`."""
    try:
        manifest = read_json(content)
    except ValueError as error:
        raise ManifestDamaged(f"{where} is not JSON: {error}") from error
    if not isinstance(manifest, dict):
        raise ManifestDamaged(f"{where} is not a manifest: it holds no object")
    _check_keys(manifest, _REQUIRED, where)
    _check_keys(manifest, _OPTIONAL, where, optional=True)
    _check_keys(manifest["server"], _SERVER_OPTIONAL, where, optional=True)
    _check_keys(manifest.get("client") or {}, _CLIENT_OPTIONAL, where, optional=True)
    _check_filters(manifest.get(FILTERS) or {}, where)
    if manifest["schema"] != SCHEMA:
        raise ManifestDamaged(
            f"{where} has schema {manifest['schema']}, this version of vya.backupdb reads {SCHEMA}; use a newer one"
        )
    if manifest["kind"] not in KINDS or manifest["status"] not in STATUSES:
        raise ManifestDamaged(f"{where} has an unknown kind or status")
    if manifest["kind"] == "database" and not isinstance(manifest.get("database"), str):
        raise ManifestDamaged(f"{where} names no database")
    if "" in (manifest["host"], manifest["instance"], manifest.get("database")):
        raise ManifestDamaged(f"{where} has an empty name of a host, instance or database")
    for archive in manifest["archives"]:
        if not isinstance(archive, dict):
            raise ManifestDamaged(f"{where} lists an archive that is no object")
        _check_keys(archive, _ARCHIVE_REQUIRED, where)
        _check_keys(archive, _ARCHIVE_OPTIONAL, where, optional=True)
        if not _FILE_NAME.fullmatch(archive["name"]):
            raise ManifestDamaged(f"{where} lists an archive outside its folder: {archive['name']!r}")
    started(manifest, where)
    return manifest


def started(manifest: Mapping[str, Any], where: str) -> datetime:
    """Return when the backup was begun, which is the time of its snapshot."""
    try:
        return parse_iso(manifest["started"])
    except ValueError as error:
        raise ManifestDamaged(f"{where} has no readable start time: {error}") from error


def _check_filters(filters: Mapping[str, Any], where: str) -> None:
    _check_keys(filters, _FILTERS_OPTIONAL, where, optional=True)
    for kind, found in (filters.get("left_out") or {}).items():
        if not isinstance(found, dict):
            raise ManifestDamaged(f"{where} is not a whole manifest: left_out {kind} is not a dict")
        _check_keys(found, _LEFT_OUT_OPTIONAL, where, optional=True)


def _check_keys(found: Mapping[str, Any], kinds: Mapping[str, type], where: str, *, optional: bool = False) -> None:
    for key, kind in kinds.items():
        value = found.get(key)
        if optional and value is None:
            continue
        if not isinstance(value, kind) or (kind is int and not _is_count(value)):
            raise ManifestDamaged(f"{where} is not a whole manifest: {key} is missing or not a {kind.__name__}")


def _is_count(value: Any) -> bool:
    return not isinstance(value, bool) and 0 <= value <= LARGEST_COUNT
