# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the keys that were given open anything, found out before backups are read one by one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from typing import Any

from ..age.recipients import Identity, X25519Identity, fingerprint
from ..age.stream import Decryptor
from ..errors import ArchiveDamaged, RepositoryError, WrongKey
from ..repository.catalogue import StoredBackup

_HEADER = 1 << 16  # bytes read at a time; a header is rarely longer
_NAMED = 3


def require_fitting_keys(backups: Iterable[StoredBackup], identities: Sequence[Identity]) -> None:
    """Raise `WrongKey` when none of these backups can be opened; one that can is enough, and ends the search.

    By the fingerprints in the manifests, which cost no reading, and then by the header of the first archive: a
    manifest can be wrong. A header that is damaged or cannot be read says nothing about a key.
    """
    ours = {fingerprint(one.recipient) for one in identities if isinstance(one, X25519Identity)}
    misfits: list[tuple[StoredBackup, Mapping[str, Any]]] = []
    for backup in backups:
        archive = next((one for one in backup.manifest["archives"] if one["encryption"] != "none"), None)
        if archive is None or ours & set(archive.get("recipients") or ()):
            return
        is_unknown = not misfits or not archive.get("recipients")
        if is_unknown and _opens(backup, archive, identities):
            return
        misfits.append((backup, archive))
    if misfits:
        raise WrongKey(_message(misfits, bool(identities)))


def _opens(backup: StoredBackup, archive: Mapping[str, Any], identities: Sequence[Identity]) -> bool:
    """Tell whether a key fits, or nothing can be said."""
    if not identities:
        return False
    decryptor = Decryptor(identities)
    try:
        with closing(backup.files.open(archive["name"])) as reader:
            block = reader.read(_HEADER)
            while block and not decryptor.is_open():
                decryptor.update(block)
                block = reader.read(_HEADER)
    except WrongKey:
        return False
    except (ArchiveDamaged, RepositoryError):
        return True
    return True


def _message(misfits: Sequence[tuple[StoredBackup, Mapping[str, Any]]], is_given: bool) -> str:
    closed_for = {name: None for _backup, archive in misfits for name in archive.get("recipients") or ["a passphrase"]}
    names = [*closed_for][:_NAMED] + ([f"{len(closed_for) - _NAMED} more"] if len(closed_for) > _NAMED else [])
    first = misfits[0][0].where
    which = f"the backup {first}" if len(misfits) == 1 else f"any of {len(misfits)} backups, such as {first}"
    why = f"the keys that were given do not open {which}" if is_given else f"no key was given to open {which}"
    return f"{why}; encrypted for {', '.join(names)}: give the identity file of one of them, or the passphrase"
