# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The way back without this program: the commands that check, decrypt, unpack and load the archives of a backup."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from ..engines.registry import engine_of
from ..engines.values import ByHand
from ..repository import layout
from ..repository.catalogue import StoredBackup

_UNPACK = {"zstd": "zstd -dc", "gzip": "gzip -dc"}


def commands(backup: StoredBackup, *, folder: str | None = None) -> list[str]:
    """Return the lines of a shell that bring a backup back, for `folder` where it lies elsewhere by then.

    Raises `InvalidOption` for an engine that is not known.
    """
    manifest = backup.manifest
    how = engine_of(str(manifest["engine"])).by_hand(manifest)
    archives = [archive for archive in manifest["archives"] if archive["format"] != "json"]
    accounts = backup.kind == "accounts"
    return [
        f"cd {shlex.quote(folder or str(backup.folder))}",
        f"sha256sum --strict -c {layout.CHECKSUM_FILE}",
        *([] if accounts else ["target=NEW_NAME"]),
        *(["key=FILE_WITH_AN_IDENTITY"] if _with_identity(archives) else []),
        *([] if accounts else [how.create]),
        *(_pipe(archive, how.accounts if accounts else how.load) for archive in _in_order(archives, how)),
    ]


def _in_order(archives: Sequence[Mapping[str, Any]], how: ByHand) -> list[Mapping[str, Any]]:
    return sorted(archives, key=lambda archive: _stage(str(archive.get("part")), how))


def _stage(part: str, how: ByHand) -> tuple[int, str]:
    """Return when a part is loaded: as the order says, and what it does not know at the end."""
    for number, name in enumerate(how.order):
        if part == name or (name.endswith("-") and part.startswith(name)):
            return number, part
    return len(how.order), part


def _pipe(archive: Mapping[str, Any], load: str) -> str:
    """Return one pipeline; a passphrase is asked for by age."""
    name, encryption = shlex.quote(str(archive["name"])), archive["encryption"]
    unpack = _UNPACK.get(str(archive["compression"]))
    decrypt = {"age-x25519": 'age -d -i "$key"', "age-scrypt": "age -d"}.get(str(encryption))
    stages = [stage for stage in (decrypt, unpack) if stage is not None]
    if not stages:
        return f"{load} < {name}"
    first, *rest = stages
    return " | ".join([f"{first} {name}", *rest, load])


def _with_identity(archives: Sequence[Mapping[str, Any]]) -> bool:
    return any(archive["encryption"] == "age-x25519" for archive in archives)
