# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys that open nothing are found before anything is read, and told once."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from backupdb.age.recipients import ScryptIdentity, X25519Identity
from backupdb.archives.envelope import Encryption, Envelope
from backupdb.archives.opening import require_fitting_keys
from backupdb.errors import WrongKey
from backupdb.repository.catalogue import StoredBackup, read_backup
from backupdb.streams.compression import Compression
from backupdb.verify.run import VerifyRequest, run
from support.library import IDENTITY
from support.stored import DUMP, PLAIN, SEALED, flip_bit, store

STRANGER = X25519Identity.generate()


def sealed(root: Path, count: int) -> list[StoredBackup]:
    return [store(root, f"shop{number}", content=DUMP, envelope=SEALED) for number in range(count)]


def test_keys_that_open_none_of_many_are_told_once_with_whom_these_are_for(tmp_path: Path) -> None:
    backups = sealed(tmp_path, 12)
    with pytest.raises(WrongKey) as caught:
        require_fitting_keys(backups, [STRANGER])
    (recipient,) = backups[0].manifest["archives"][0]["recipients"]
    assert str(caught.value) == (
        f"the keys that were given do not open any of 12 backups, such as {backups[0].where}; encrypted for "
        f"{recipient}: give the identity file of one of them, or the passphrase"
    )
    with pytest.raises(WrongKey, match="no key was given to open any of 12 backups"):
        require_fitting_keys(backups, [])
    with pytest.raises(WrongKey, match=r"do not open the backup .*shop0"):
        require_fitting_keys(backups[:1], [STRANGER])


def test_one_that_opens_or_needs_no_key_is_enough(tmp_path: Path) -> None:
    other = Envelope(Compression(), Encryption(recipients=(STRANGER.recipient,)))
    backups = [*sealed(tmp_path, 2), store(tmp_path, "other", content=DUMP, envelope=other)]
    require_fitting_keys(backups, [STRANGER])
    require_fitting_keys([*backups[:2], store(tmp_path, "plain", content=DUMP, envelope=PLAIN)], [STRANGER])
    require_fitting_keys([], [STRANGER])


def test_a_passphrase_is_tried_on_the_header(tmp_path: Path) -> None:
    closed = Envelope(Compression(), Encryption(passphrase="correct horse"))
    backup = store(tmp_path, content=DUMP, envelope=closed)
    with pytest.raises(WrongKey, match="encrypted for a passphrase"):
        require_fitting_keys([backup], [ScryptIdentity("wrong")])


def test_a_wrong_manifest_and_a_damaged_header_say_nothing_about_the_key(tmp_path: Path) -> None:
    (backup,) = sealed(tmp_path, 1)
    manifest = json.loads((backup.folder / "manifest.json").read_text())
    manifest["archives"][0]["recipients"] = ["SHA256:somebody"]
    (backup.folder / "manifest.json").write_text(json.dumps(manifest))
    require_fitting_keys([read_backup(backup.folder)], [IDENTITY])
    flip_bit(backup.folder / backup.manifest["archives"][0]["name"], 3)
    require_fitting_keys([backup], [STRANGER])


def test_nothing_is_verified_with_keys_that_open_nothing(tmp_path: Path) -> None:
    sealed(tmp_path, 3)
    with pytest.raises(WrongKey, match="no key was given to open any of 3 backups"):
        run(VerifyRequest(level="decrypt", repository=str(tmp_path)))
    assert run(VerifyRequest(level="digest", repository=str(tmp_path)))["status"] == "ok"
