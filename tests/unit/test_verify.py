# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Verifying: what is good, what is not, and that one bad backup never stops the others."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from backupdb.age.stream import X25519Identity
from backupdb.archives.envelope import Encryption, Envelope
from backupdb.archives.keys import Keys, load_identities
from backupdb.errors import BackupNotFound, InvalidOption
from backupdb.repository.catalogue import Filter, StoredBackup
from backupdb.streams.compression import Compression
from backupdb.verify import one_backup as verify
from backupdb.verify import run as verify_run
from support.library import LIBRARY
from support.stored import DUMP, IDENTITY, PLAIN, SEALED, flip_bit, rewrite_manifest, store

STRANGER = X25519Identity.generate()


def verdict(backup: StoredBackup, level: str = "decrypt", *identities: Any) -> tuple[str, str]:
    result = verify.verify(backup, level=level, identities=identities or (IDENTITY,))
    assert {archive["verdict"] for archive in result["archives"]} <= set(verify.VERDICTS)
    return result["verdict"], " ".join(result["problems"])


def archive_of(backup: StoredBackup) -> Path:
    return backup.folder / backup.manifest["archives"][0]["name"]


@pytest.mark.parametrize("method", ["zstd", "gzip", "none"])
@pytest.mark.parametrize("mode", ["age", "none"])
def test_a_good_backup_is_good_at_every_level(tmp_path: Path, method: str, mode: str) -> None:
    encryption = Encryption(mode=mode, recipients=(IDENTITY.recipient,) if mode == "age" else ())
    backup = store(tmp_path, content=DUMP, envelope=Envelope(Compression(method), encryption))
    for level in verify.LEVELS:
        result = verify.verify(backup, level=level, identities=[IDENTITY])
        assert (result["verdict"], result["problems"], result["warnings"]) == ("good", [], [])
        assert result["bytes"] == backup.manifest["stored_bytes"] > 0


@pytest.mark.parametrize("envelope", [PLAIN, SEALED], ids=["plain", "sealed"])
@pytest.mark.parametrize("position", [0, 25, 60, 150, 190, 300, -30, -1])
def test_a_flipped_bit_anywhere_is_damage_at_both_levels_and_never_a_wrong_key(
    tmp_path: Path, envelope: Envelope, position: int
) -> None:
    backup = store(tmp_path, content=DUMP, envelope=envelope)
    flip_bit(archive_of(backup), position)
    for level in verify.LEVELS:
        found, problem = verdict(backup, level)
        assert found == "damaged", (level, problem)
        assert str(archive_of(backup)) in problem


def test_a_truncated_a_longer_and_a_missing_archive_are_damage(tmp_path: Path) -> None:
    backup = store(tmp_path, content=DUMP, envelope=SEALED)
    path = archive_of(backup)
    whole = path.read_bytes()
    for content in (whole[:-1], whole + b"x", b"", whole[: len(whole) // 2]):
        path.write_bytes(content)
        assert verdict(backup, "digest")[0] == "damaged"
        assert verdict(backup, "decrypt")[0] == "damaged"
    path.unlink()
    assert "is missing" in verdict(backup, "digest")[1]
    assert verdict(backup)[0] == "damaged"


def test_a_wrong_key_is_told_from_damage_and_names_the_right_one(tmp_path: Path) -> None:
    backup = store(tmp_path, content=DUMP, envelope=SEALED)
    found, problem = verdict(backup, "decrypt", STRANGER)
    assert found == "wrong_key"
    assert backup.manifest["archives"][0]["recipients"][0] in problem
    assert verdict(backup, "digest", STRANGER)[0] == "good"
    assert verdict(backup, "decrypt", STRANGER, IDENTITY)[0] == "good"
    without = verify.verify(backup, level="decrypt", identities=())
    assert without["verdict"] == "wrong_key"


def test_a_plain_digest_that_differs_is_damage(tmp_path: Path) -> None:
    backup = store(tmp_path, content=DUMP, envelope=SEALED)
    archive = {**backup.manifest["archives"][0], "plain_sha256": "0" * 64}
    rewrite_manifest(backup.folder, archives=[archive])
    result = verify.verify_path(backup.folder, level="decrypt", identities=[IDENTITY])
    assert result["verdict"] == "damaged"
    assert "plain stream" in result["problems"][0]
    assert verify.verify_path(backup.folder, level="digest", identities=())["verdict"] == "good"


@pytest.mark.parametrize(("form", "content"), [("sql", DUMP[:-100]), ("json", b'{\n  "accounts": [\n')])
def test_what_was_not_whole_when_it_was_stored_is_found_by_its_missing_end(
    tmp_path: Path, form: str, content: bytes
) -> None:
    backup = store(tmp_path, content=content, form=form)
    assert verdict(backup, "digest")[0] == "good"
    found, problem = verdict(backup)
    assert found == "damaged"
    assert "was not whole" in problem


def test_an_altered_manifest_is_found_by_its_own_digest(tmp_path: Path) -> None:
    backup = store(tmp_path, content=DUMP)
    path = backup.folder / "manifest.json"
    path.write_bytes(path.read_bytes().replace(b'"complete"', b'"partial"'))
    assert "manifest.json is not as it was written" in verdict(backup, "digest")[1]
    (backup.folder / "manifest.json.sha256").unlink()
    assert "manifest.json.sha256" in verdict(backup, "digest")[1]


def test_storage_that_gives_no_answer_is_unreadable_and_not_damage(tmp_path: Path) -> None:
    backup = store(tmp_path, content=DUMP)
    path = archive_of(backup)
    path.unlink()
    path.mkdir()
    for level in verify.LEVELS:
        assert verdict(backup, level)[0] == "unreadable"
    shutil.rmtree(backup.folder)
    found, problem = verdict(backup)
    assert found == "unreadable"
    assert "is gone" in problem


def request(root: Path, **values: Any) -> verify_run.VerifyRequest:
    values = {"level": "decrypt", "keys": Keys(identity=IDENTITY.reveal()), **values}
    return verify_run.VerifyRequest(**({"repository": str(root)} if "paths" not in values else {}), **values)


def test_many_backups_get_a_verdict_each_in_one_call(tmp_path: Path) -> None:
    backups = [store(tmp_path, f"d{number}", content=DUMP, envelope=SEALED) for number in range(5)]
    flip_bit(archive_of(backups[1]), -1)
    archive_of(backups[2]).unlink()
    (backups[3].folder / "manifest.json").write_text("{")
    strangers = Envelope(Compression(), Encryption(recipients=(STRANGER.recipient,)))
    store(tmp_path, "other", content=DUMP, envelope=strangers)
    result = verify_run.run(request(tmp_path))
    assert (result["status"], result["changed"]) == ("failed", False)
    assert result["counts"] == {"good": 2, "unreadable": 0, "wrong_key": 1, "damaged": 3}
    verdicts = {Path(entry["folder"]).parent.name: entry["verdict"] for entry in result["backups"]}
    assert verdicts == {
        "d0": "good",
        "d1": "damaged",
        "d2": "damaged",
        "d3": "damaged",
        "d4": "good",
        "other": "wrong_key",
    }
    assert result["message"].startswith("2 of 6 backups are good at level decrypt")
    paths = tuple(str(backup.folder) for backup in backups)
    assert verify_run.run(request(tmp_path, paths=paths))["counts"]["damaged"] == 3
    good = verify_run.run(request(tmp_path, paths=(paths[0], paths[4])))
    assert (good["status"], good["counts"]["good"]) == ("ok", 2)


def test_nothing_to_verify_is_an_error(tmp_path: Path) -> None:
    store(tmp_path)
    with pytest.raises(BackupNotFound, match="widen"):
        verify_run.run(request(tmp_path, wanted=Filter(database="nothing")))
    with pytest.raises(InvalidOption, match="one of them only"):
        verify_run.VerifyRequest(level="digest")
    with pytest.raises(InvalidOption, match="level"):
        verify_run.VerifyRequest(level="deep", repository="/x")


@pytest.mark.unmeasured
def test_verifying_takes_the_same_memory_however_large_the_archive(tmp_path: Path) -> None:
    block = os.urandom(1 << 20)
    peaks = []
    for megabytes in (16, 256):
        backup = store(tmp_path, f"d{megabytes}", content=block * megabytes + DUMP, envelope=SEALED)
        script = (
            "import sys; from pathlib import Path; from backupdb.verify import one_backup as verify;"
            "from backupdb.archives.keys import Keys, load_identities;"
            "identities = load_identities(Keys(identity=sys.stdin.read()));"
            "result = verify.verify_path(Path(sys.argv[1]), level='decrypt', identities=identities);"
            "assert result['verdict'] == 'good', result;"
            "status = Path('/proc/self/status').read_text();"
            "sys.stdout.write(status.partition('VmHWM:')[2].split()[0])"
        )
        done = subprocess.run(
            [sys.executable, "-c", script, str(backup.folder)],
            input=IDENTITY.reveal(),
            env={**os.environ, "PYTHONPATH": str(LIBRARY)},
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        )
        peaks.append(int(done.stdout))
    assert peaks[1] - peaks[0] < 8 * 1024, peaks  # KiB


def test_identities_come_from_a_file_from_text_and_from_a_passphrase(tmp_path: Path) -> None:
    file = tmp_path / "key.txt"
    file.touch(mode=0o600)
    file.write_text(f"# a comment\n{IDENTITY.reveal()}\n")
    keys = Keys(identity_file=str(file), identity=STRANGER.reveal(), passphrase="correct horse")
    assert len(load_identities(keys)) == 3
    assert load_identities(Keys()) == ()
    assert IDENTITY.reveal() not in repr(keys)
    assert STRANGER.reveal() not in repr(keys)
    file.chmod(0o644)
    with pytest.raises(InvalidOption, match="chmod 0600"):
        load_identities(keys)
    with pytest.raises(InvalidOption, match="option identity") as caught:
        load_identities(Keys(identity="AGE-SECRET-KEY-1NONSENSE"))
    assert "NONSENSE" not in str(caught.value)


def test_a_passphrase_opens_what_it_closed(tmp_path: Path) -> None:
    sealed = Envelope(Compression(), Encryption(passphrase="correct horse battery"))
    backup = store(tmp_path, content=DUMP, envelope=sealed)
    right = load_identities(Keys(passphrase="correct horse battery"))
    assert verdict(backup, "decrypt", *right)[0] == "good"
    assert verdict(backup, "decrypt", *load_identities(Keys(passphrase="wrong")))[0] == "wrong_key"
