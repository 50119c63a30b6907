# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make the age test vectors in this folder with the `age` and `age-keygen` programs: `python make.py`.

Needs both programs (package `age`) and, for the scrypt vectors only, the Python package `cryptography`: `age` itself
always takes work factor 18, so these are written by this project and accepted only after `age -d` has opened them.
Each file has the format of the published vectors (C2SP CCTV): `key: value` lines, an empty line, the age file.
Every vector is new after a run, because keys and nonces are; the names and what they show stay the same.
The files end in .bin so that tools which look at text leave them alone.
"""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parents[2] / "plugins" / "module_utils"), str(HERE.parents[1])]

from backupdb.age.stream import Encryptor, ScryptRecipient  # noqa: E402 - the path is set above
from support.age_program import age, age_keygen, age_on_terminal  # noqa: E402

CHUNK = 64 * 1024
SEALED = CHUNK + 16
NONCE = 16


def keygen() -> tuple[str, str]:
    """A new identity and its recipient."""
    text, recipient = age_keygen()
    return text.splitlines()[-1], recipient


def encrypt(plain: bytes, recipients: list[str]) -> bytes:
    return age(*(argument for recipient in recipients for argument in ("-r", recipient)), data=plain)


def encrypt_with_passphrase(plain: bytes, passphrase: str, work_factor: int) -> bytes:
    encryptor = Encryptor([ScryptRecipient(passphrase, work_factor=work_factor)])
    sealed = encryptor.update(plain) + encryptor.finish()
    if opened_by_age(sealed, passphrase) != plain:
        raise SystemExit("`age -d` does not read what was written with the passphrase")
    return sealed


def opened_by_age(sealed: bytes, passphrase: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "sealed"), Path(folder, "plain")
        source.write_bytes(sealed)
        if age_on_terminal(["-d", "-o", str(target), str(source)], [passphrase]) != 0:
            raise SystemExit("`age -d` refused the passphrase")
        # `age -o` makes no file when there is nothing to write.
        return target.read_bytes() if target.exists() else b""


def write(name: str, expect: str, sealed: bytes, released: bytes | None, comment: str, **keys: str | list[str]) -> None:
    """One vector. `released` is all the plain text that may come out, also before an error."""
    lines = [f"expect: {expect}", f"comment: {comment}"]
    if released is not None:
        lines.append(f"payload: {hashlib.sha256(released).hexdigest()}")
    for key, value in keys.items():
        lines += [f"{key}: {one}" for one in ([value] if isinstance(value, str) else value)]
    (HERE / f"{name}.bin").write_bytes("\n".join(lines).encode() + b"\n\n" + sealed)


def flipped(sealed: bytes, position: int) -> bytes:
    return sealed[:position] + bytes([sealed[position] ^ 1]) + sealed[position + 1 :]


def main() -> None:
    for old in HERE.glob("*.bin"):
        old.unlink()
    identity, recipient = keygen()
    other_identity, other_recipient = keygen()
    stranger, _recipient = keygen()
    for size in (0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK):
        plain = os.urandom(size)
        write(f"x25519_{size}", "success", encrypt(plain, [recipient]), plain, f"{size} bytes", identity=identity)

    plain = b"a few bytes of plain text"
    both = encrypt(plain, [recipient, other_recipient])
    write("x25519_two_recipients_first", "success", both, plain, "opened by the first of two", identity=identity)
    write("x25519_two_recipients_second", "success", both, plain, "opened by the second", identity=other_identity)
    write("x25519_two_identities", "success", both, plain, "one of two fits", identity=[stranger, other_identity])
    write("x25519_stranger", "no match", both, None, "no identity fits", identity=stranger)

    secret = "correct horse battery staple"
    sealed = encrypt_with_passphrase(plain, secret, work_factor=10)
    write("scrypt_10", "success", sealed, plain, "read by `age -d` as well", passphrase=secret)
    write("scrypt_wrong", "no match", sealed, None, "another passphrase", passphrase="correct horse")
    write("scrypt_not_a_key", "no match", sealed, None, "a key for a passphrase", identity=identity)
    sealed = encrypt_with_passphrase(b"", "ä€ passphrase", work_factor=12)
    write("scrypt_12_empty", "success", sealed, b"", "letters beyond ASCII", passphrase="ä€ passphrase")

    good = encrypt(plain, [recipient])
    mac, payload = good.index(b"\n--- ") + 5, len(good) - len(plain) - 16
    for name, expect, damaged, released, comment in (
        ("damaged_version", "header failure", flipped(good, 20), None, "version v0"),
        ("damaged_stanza_type", "no match", flipped(good, good.index(b"X25519")), None, "an unknown recipient type"),
        ("damaged_file_key", "no match", flipped(good, mac - 20), None, "one bit in the wrapped file key"),
        ("damaged_mac", "HMAC failure", flipped(good, mac), None, "one bit in the MAC"),
        ("damaged_nonce", "payload failure", flipped(good, payload - 1), b"", "one bit in the nonce"),
        ("damaged_payload", "payload failure", flipped(good, payload), b"", "one bit in the payload"),
        ("damaged_tag", "payload failure", flipped(good, len(good) - 1), b"", "one bit in the tag"),
        ("cut_in_header", "header failure", good[:100], None, "ends within the header"),
        ("cut_before_payload", "payload failure", good[:payload], b"", "ends behind the nonce"),
        ("cut_in_payload", "payload failure", good[:-1], b"", "the last byte is missing"),
        ("trailing_byte", "payload failure", good + b"\n", b"", "a byte too many"),
        ("not_age", "header failure", plain, None, "not an age file at all"),
    ):
        write(name, expect, damaged, released, comment, identity=identity)

    plain = os.urandom(CHUNK) + b"+"
    long = encrypt(plain, [recipient])
    cut = long[: -(1 + 16)]
    write("cut_at_chunk_border", "payload failure", cut, plain[:CHUNK], "the last chunk is missing", identity=identity)
    damaged = flipped(long, len(long) - 1)
    write("damaged_last_chunk", "payload failure", damaged, plain[:CHUNK], "the first chunk is good", identity=identity)


if __name__ == "__main__":
    main()
