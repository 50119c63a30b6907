# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a backup was made by a host whose public key is known, found out before anything of it is used.

The signature covers the manifest, and the manifest names the digests of the archives and the place of the backup. A
signature that is not demanded is not looked at: what a backup says of its key then counts for nothing.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..archives.read import stored_blocks
from ..errors import Interrupted, InvalidOption, SignatureRefused
from ..repository import layout
from ..repository.catalogue import LARGEST_MANIFEST, StoredBackup
from ..repository.manifest import parse
from ..system.files import read_small_file
from .keys import SIGNATURE_SIZE, public_key, verifies

UNSIGNED = "unsigned"
UNCHECKED = "unchecked"
VERIFIED = "verified"


def claimed(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a manifest says of its signature, as results have it; nothing of it is checked."""
    key = manifest.get("signing_key")
    return {"status": UNSIGNED if key is None else UNCHECKED, "key": key}


def check_manifest(backup: StoredBackup, signed_by: Sequence[str] | None) -> dict[str, Any]:
    """Return the status and key of the signature, as results have them; None as `signed_by` demands nothing.

    Raises `SignatureRefused` for a backup without a signature, with one that does not match its manifest or is by
    another key, and for one that lies elsewhere than its manifest says.
    """
    if signed_by is None:
        return claimed(backup.manifest)
    signature = _signature(backup.folder)
    content = _manifest(backup)
    key = next((key for key in signed_by if verifies(key, signature, content)), None)
    if key is None:
        raise SignatureRefused(_why(backup, signature, content))
    # The folder of a path that is not absolute has names that are not in it.
    folders = Path(os.path.abspath(backup.folder)).parts[-4:]  # noqa: PTH100  a link is not to be followed
    if folders != backup.place():
        raise SignatureRefused(
            f"{backup.folder} is signed, but belongs in {'/'.join(backup.place())} of a repository; a copy needs these "
            "four folders too"
        )
    return {"status": VERIFIED, "key": key}


def check_backup(
    backup: StoredBackup, signed_by: Sequence[str] | None, cancel: threading.Event | None = None
) -> dict[str, Any]:
    """Do what `check_manifest` does, and compare the stored bytes of every archive with the manifest.

    Raises `ArchiveDamaged`, and `Interrupted` once `cancel` is set.
    """
    found = check_manifest(backup, signed_by)
    if signed_by is not None:
        for archive in backup.manifest["archives"]:
            for _block in stored_blocks(backup.files, archive):
                if cancel is not None and cancel.is_set():
                    raise Interrupted("stopped while the archives were compared with the signed manifest")
    return found


def _signature(folder: Path) -> bytes:
    path = folder / layout.SIGNATURE_FILE
    try:
        return read_small_file(path, SIGNATURE_SIZE)
    except FileNotFoundError as error:
        raise SignatureRefused(
            f"{folder} is unsigned, and signed_by demands a signature: there is no {path.name}"
        ) from error
    except OSError as error:
        raise SignatureRefused(f"the signature {path} cannot be read: {error.strerror or error}") from error


def _manifest(backup: StoredBackup) -> bytes:
    """Return the bytes of the manifest, which must still say what was read of it before."""
    path = backup.folder / layout.MANIFEST_FILE
    try:
        content = read_small_file(path, LARGEST_MANIFEST)
    except OSError as error:
        raise SignatureRefused(f"{path} cannot be read: {error.strerror or error}") from error
    if parse(content, str(path)) != dict(backup.manifest):
        raise SignatureRefused(f"{path} was changed while it was looked at")
    return content


def _why(backup: StoredBackup, signature: bytes, content: bytes) -> str:
    key = backup.manifest.get("signing_key")
    try:
        own = None if key is None else public_key(key)
    except InvalidOption:
        own = None
    if own is not None and verifies(own, signature, content):
        return f"{backup.folder} is signed by another key than signed_by names: {own}"
    return f"the signature of {backup.folder} does not match its manifest for any of the keys that signed_by names"
