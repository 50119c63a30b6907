# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""age streams: what is encrypted comes back whole, and nothing that was altered or cut short does."""

from __future__ import annotations

import os
import random
from collections.abc import Iterable

import pytest
from backupdb.age.header import MAX_HEADER_SIZE
from backupdb.age.stream import (
    Decryptor,
    Encryptor,
    Identity,
    Recipient,
    ScryptIdentity,
    ScryptRecipient,
    X25519Recipient,
)
from backupdb.age.stream import X25519Identity as Key
from backupdb.errors import ArchiveDamaged, InvalidOption, WrongKey
from backupdb.streams.transform import Transform

CHUNK = 64 * 1024
SEALED = CHUNK + 16
KEY = Key.generate()
SIZES = [0, 1, 15, 16, 17, CHUNK - 17, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK - 1, 2 * CHUNK, 2 * CHUNK + 1, 5 * CHUNK]


def through(transform: Transform, pieces: Iterable[bytes | memoryview]) -> bytes:
    return b"".join([transform.update(piece) for piece in pieces]) + transform.finish()


def encrypt(plain: bytes, *recipients: Recipient) -> bytes:
    return through(Encryptor(recipients or [X25519Recipient(KEY.recipient)]), [plain])


def decrypt(sealed: bytes, *identities: Identity) -> bytes:
    return through(Decryptor(identities or [KEY]), [sealed])


def payload_start(sealed: bytes) -> int:
    """Where the first chunk begins: behind the MAC line and the nonce."""
    return sealed.index(b"\n", sealed.index(b"\n---") + 1) + 1 + 16


def random_pieces(data: bytes, seed: int) -> list[memoryview]:
    source, pieces, start = random.Random(seed), [], 0  # noqa: S311 - repeatable on purpose
    while start < len(data):
        size = source.choice([0, 1, 15, 16, 17, 100, CHUNK - 1, CHUNK, CHUNK + 1, SEALED, 3 * CHUNK])
        pieces.append(memoryview(data)[start : start + size])
        start += size
    return pieces


@pytest.mark.parametrize("size", SIZES)
def test_plain_bytes_of_any_size_come_back(size: int) -> None:
    plain = os.urandom(size)
    sealed = encrypt(plain)
    assert decrypt(sealed) == plain
    assert len(sealed) - payload_start(sealed) == size + 16 * max(1, -(-size // CHUNK))


@pytest.mark.parametrize("seed", range(12))
def test_the_sizes_of_the_calls_change_nothing(seed: int) -> None:
    plain = os.urandom(7 * CHUNK + 12345 * (seed % 3))
    sealed = through(Encryptor([X25519Recipient(KEY.recipient)]), random_pieces(plain, seed))
    assert len(sealed) == len(encrypt(plain))
    assert through(Decryptor([KEY]), random_pieces(sealed, seed + 1)) == plain


def test_one_byte_at_a_time_works_in_both_directions() -> None:
    plain = os.urandom(700)
    sealed = through(Encryptor([X25519Recipient(KEY.recipient)]), [plain[i : i + 1] for i in range(len(plain))])
    assert through(Decryptor([KEY]), [sealed[i : i + 1] for i in range(len(sealed))]) == plain


def test_a_buffer_may_be_reused_after_each_call() -> None:
    plain, buffer = os.urandom(3 * CHUNK), bytearray(1000)
    encryptor, sealed = Encryptor([X25519Recipient(KEY.recipient)]), b""
    for start in range(0, len(plain), len(buffer)):
        part = plain[start : start + len(buffer)]
        buffer[: len(part)] = part
        sealed += encryptor.update(memoryview(buffer)[: len(part)])
        buffer[:] = bytes(len(buffer))
    assert decrypt(sealed + encryptor.finish()) == plain


def test_two_encryptions_of_the_same_bytes_share_nothing_but_the_version_line() -> None:
    one, two = encrypt(b"same"), encrypt(b"same")
    assert one.splitlines()[0] == two.splitlines()[0]
    assert one.splitlines()[1:3] != two.splitlines()[1:3]
    assert one[payload_start(one) - 16 :] != two[payload_start(two) - 16 :]


def test_each_of_several_recipients_opens_the_file() -> None:
    keys = [Key.generate() for _number in range(5)]
    sealed = encrypt(b"for five", *(X25519Recipient(key.recipient) for key in keys))
    assert [decrypt(sealed, key) for key in keys] == [b"for five"] * 5
    assert decrypt(sealed, Key.generate(), ScryptIdentity("no"), keys[4]) == b"for five"


def test_a_foreign_identity_is_a_wrong_key() -> None:
    with pytest.raises(WrongKey, match="1 recipient, and what was given does not fit: 1 identity"):
        decrypt(encrypt(b"secret"), Key.generate())


def test_a_passphrase_opens_what_it_closed_and_another_does_not() -> None:
    sealed = encrypt(b"by word", ScryptRecipient("pass ä€ phrase", work_factor=8))
    assert decrypt(sealed, ScryptIdentity("pass ä€ phrase")) == b"by word"
    with pytest.raises(WrongKey, match="encrypted to a passphrase"):
        decrypt(sealed, ScryptIdentity("pass phrase"))
    with pytest.raises(WrongKey, match="encrypted to a passphrase"):
        decrypt(sealed, KEY)


def test_a_work_factor_above_the_limit_is_refused_before_any_work() -> None:
    sealed = encrypt(b"by word", ScryptRecipient("word", work_factor=8))
    with pytest.raises(ArchiveDamaged, match="work factor above 7"):
        decrypt(sealed, ScryptIdentity("word", max_work_factor=7))


def test_a_passphrase_beside_another_recipient_is_refused() -> None:
    with pytest.raises(InvalidOption, match="only recipient"):
        Encryptor([ScryptRecipient("word", work_factor=8), X25519Recipient(KEY.recipient)])


def test_no_recipient_and_no_identity_are_refused() -> None:
    with pytest.raises(InvalidOption, match="no recipient"):
        Encryptor([])
    with pytest.raises(InvalidOption, match="no identity"):
        Decryptor([])


def test_every_cut_within_the_header_and_nonce_is_refused() -> None:
    sealed = encrypt(b"plain")
    for end in range(payload_start(sealed)):
        with pytest.raises(ArchiveDamaged, match="empty" if end == 0 else "cut short"):
            decrypt(sealed[:end])


def test_every_cut_around_a_chunk_border_is_refused() -> None:
    plain = os.urandom(4 * CHUNK)
    sealed = encrypt(plain)
    start = payload_start(sealed)
    for number in range(4):
        for end in (start + number * SEALED + around for around in (-1, 0, 1, 15, 16, 17)):
            released = bytearray()
            decryptor = Decryptor([KEY])
            with pytest.raises(ArchiveDamaged, match=r"cut short"):
                released += decryptor.update(sealed[:end])
                decryptor.finish()
            assert plain.startswith(released)
    with pytest.raises(ArchiveDamaged, match="cut short"):
        decrypt(sealed[:-1])


def test_every_flipped_bit_of_header_mac_and_nonce_is_refused() -> None:
    sealed = encrypt(b"plain")
    for position in range(payload_start(sealed)):
        for bit in range(8):
            with pytest.raises((ArchiveDamaged, WrongKey)):
                decrypt(sealed[:position] + bytes([sealed[position] ^ 1 << bit]) + sealed[position + 1 :])


def test_a_flipped_bit_in_any_chunk_is_refused_and_releases_only_chunks_before_it() -> None:
    plain = os.urandom(3 * CHUNK + 5)
    sealed = encrypt(plain)
    start = payload_start(sealed)
    for position in (start, start + SEALED - 1, start + SEALED, start + 2 * SEALED + 7, len(sealed) - 1):
        damaged = sealed[:position] + bytes([sealed[position] ^ 0x10]) + sealed[position + 1 :]
        decryptor = Decryptor([KEY])
        released = b""
        with pytest.raises(ArchiveDamaged, match=f"chunk {(position - start) // SEALED + 1} "):
            for piece in random_pieces(damaged, seed=position):
                released += decryptor.update(piece)
            decryptor.finish()
        assert released == plain[: (position - start) // SEALED * CHUNK]


def test_a_damaged_stream_stays_refused_when_the_error_is_ignored() -> None:
    sealed = bytearray(encrypt(os.urandom(3 * CHUNK)))
    sealed[payload_start(sealed) + 5] ^= 1
    decryptor = Decryptor([KEY])
    for _attempt in range(3):
        with pytest.raises(ArchiveDamaged):
            decryptor.update(bytes(sealed))
    with pytest.raises(ArchiveDamaged):
        decryptor.finish()


@pytest.mark.parametrize("size", [0, 5, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK])
@pytest.mark.parametrize("extra", [1, 16, 17, SEALED, 2 * SEALED])
def test_trailing_data_is_refused(size: int, extra: int) -> None:
    sealed = encrypt(os.urandom(size)) + os.urandom(extra)
    with pytest.raises(ArchiveDamaged, match="payload is damaged"):
        decrypt(sealed)


def test_swapped_doubled_and_dropped_chunks_are_refused() -> None:
    sealed = encrypt(os.urandom(4 * CHUNK))
    start = payload_start(sealed)
    head, chunks = sealed[:start], [sealed[start + n * SEALED : start + (n + 1) * SEALED] for n in range(4)]
    for order in ([1, 0, 2, 3], [0, 2, 1, 3], [0, 1, 3, 2], [0, 0, 1, 2, 3], [0, 2, 3], [1, 2, 3], [0, 1, 2, 3, 3]):
        with pytest.raises(ArchiveDamaged, match="payload is damaged"):
            decrypt(head + b"".join(chunks[number] for number in order))


def test_a_payload_under_another_header_is_refused() -> None:
    one, two = encrypt(b"one"), encrypt(b"two")
    with pytest.raises(ArchiveDamaged, match="payload is damaged"):
        decrypt(one[: payload_start(one)] + two[payload_start(two) :])


def test_a_header_without_an_end_is_refused_within_its_limit() -> None:
    decryptor, fed = Decryptor([KEY]), 0
    with pytest.raises(ArchiveDamaged, match=f"within {MAX_HEADER_SIZE} bytes"):
        for piece in [b"age-encryption.org/v1\n", *([b"-> other argument\n\n"] * MAX_HEADER_SIZE)]:
            fed += len(piece)
            decryptor.update(piece)
    assert fed <= MAX_HEADER_SIZE + 100
    with pytest.raises(ArchiveDamaged, match=f"within {MAX_HEADER_SIZE} bytes"):
        Decryptor([KEY]).update(b"age-encryption.org/v1\n-> " + b"x" * MAX_HEADER_SIZE)


@pytest.mark.parametrize(
    ("beginning", "reason"),
    [
        (b"\x28\xb5\x2f\xfd", "not encrypted with age"),
        (b"PGDMP", "not encrypted with age"),
        (b"age-encryption.org/v2\n", "version v1"),
        (b"-----BEGIN AGE ENCRYPTED FILE-----\n", "ASCII armor"),
    ],
)
def test_other_files_are_told_apart_at_once(beginning: bytes, reason: str) -> None:
    with pytest.raises(ArchiveDamaged, match=reason):
        Decryptor([KEY]).update(beginning)
