# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every age test vector of a folder: our own beside this file, or a published set named by AGE_TESTKIT_DIR.

The format is the one of the published set (C2SP CCTV, folder age): `key: value` lines, an empty line, the file.
"""

from __future__ import annotations

import hashlib
import os
import zlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest
from backupdb.age.stream import Decryptor, ScryptIdentity, X25519Identity
from backupdb.errors import ArchiveDamaged, InvalidOption, WrongKey

OWN_VECTORS = Path(__file__).parent / "age_vectors"
FOLDER = Path(os.environ.get("AGE_TESTKIT_DIR") or OWN_VECTORS)
KNOWN_KEYS = {"expect", "payload", "file key", "identity", "passphrase", "armored", "comment", "compressed"}
ARMORED, OTHER_KEY, UNKNOWN = "text armor", "plugin or post-quantum identity", "unknown header line"

passed: Counter[str] = Counter()


@dataclass(frozen=True)
class Vector:
    name: str
    keys: dict[str, list[str]]
    sealed: bytes

    def one(self, key: str) -> str | None:
        return self.keys[key][0] if key in self.keys else None

    @property
    def unsupported(self) -> str | None:
        if set(self.keys) - KNOWN_KEYS:
            return UNKNOWN
        if self.one("armored"):
            return ARMORED
        if not all(identity.startswith("AGE-SECRET-KEY-1") for identity in self.keys.get("identity", [])):
            return OTHER_KEY
        return None


def read_vector(path: Path) -> Vector:
    head, _separator, sealed = path.read_bytes().partition(b"\n\n")
    keys: dict[str, list[str]] = {}
    for line in head.decode().splitlines():
        key, _separator, value = line.partition(": ")
        keys.setdefault(key, []).append(value)
    return Vector(path.stem, keys, zlib.decompress(sealed) if keys.get("compressed") == ["zlib"] else sealed)


VECTORS = [read_vector(path) for path in sorted(FOLDER.iterdir()) if path.is_file() and path.suffix != ".py"]
SUPPORTED = [vector for vector in VECTORS if not vector.unsupported]
UNSUPPORTED = [vector for vector in VECTORS if vector.unsupported]


def decrypt(vector: Vector, step: int) -> tuple[str, bytes]:
    """The outcome in the words of the vectors, and all bytes that were released."""
    identities = [
        *(X25519Identity(identity) for identity in vector.keys.get("identity", [])),
        *(ScryptIdentity(passphrase) for passphrase in vector.keys.get("passphrase", [])),
    ]
    # The vector "empty" brings no identity, and we refuse to start without one.
    decryptor = Decryptor(identities or [X25519Identity.generate()])
    released = b""
    try:
        for start in range(0, len(vector.sealed), step):
            released += decryptor.update(vector.sealed[start : start + step])
        released += decryptor.finish()
    except WrongKey:
        return "no match", released
    except ArchiveDamaged as error:
        if "MAC does not fit" in str(error):
            return "HMAC failure", released
        return "header failure" if "age header" in str(error) else "payload failure", released
    return "success", released


@pytest.mark.parametrize("vector", SUPPORTED, ids=lambda vector: vector.name)
def test_a_vector_ends_as_it_says(vector: Vector) -> None:
    for step in (len(vector.sealed) or 1, 4093, 1 if len(vector.sealed) < 4096 else 65536):
        outcome, released = decrypt(vector, step)
        assert outcome == vector.one("expect")
        if "payload" in vector.keys:
            assert hashlib.sha256(released).hexdigest() == vector.one("payload")
        else:
            assert released == b""
    passed[str(vector.one("expect"))] += 1


def test_each_unsupported_vector_is_refused_and_not_misread() -> None:
    for vector in UNSUPPORTED:
        if vector.unsupported == ARMORED:
            with pytest.raises(ArchiveDamaged):
                decryptor = Decryptor([X25519Identity.generate()])
                decryptor.update(vector.sealed)
                decryptor.finish()
        elif vector.unsupported == OTHER_KEY:
            with pytest.raises(InvalidOption, match="not supported"):
                for identity in vector.keys["identity"]:
                    X25519Identity(identity)
        else:
            pytest.fail(f"{vector.name} has a header line that this test does not know: {sorted(vector.keys)}")


def test_the_vectors_are_counted(capsys: pytest.CaptureFixture[str], request: pytest.FixtureRequest) -> None:
    ran = sum(item.name.startswith("test_a_vector_ends_as_it_says[") for item in request.session.items)
    kinds = Counter(vector.unsupported for vector in UNSUPPORTED)
    with capsys.disabled():
        print(
            f"\nage vectors in {FOLDER.name}: {sum(passed.values())} passed {dict(sorted(passed.items()))},"
            f" {ran - sum(passed.values())} failed, {len(UNSUPPORTED)} unsupported {dict(kinds)}, {len(VECTORS)} in all"
        )
    assert VECTORS, f"there is no vector in {FOLDER}"
    assert sum(passed.values()) == ran
