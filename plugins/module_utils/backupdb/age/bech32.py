# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bech32 text encoding of bytes (BIP 173), without its limit on length, as age keys use it."""

from __future__ import annotations

ALPHABET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
CHECKSUM_LENGTH = 6

_GENERATORS = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_VALUES = {character: value for value, character in enumerate(ALPHABET)}


def encode(prefix: str, data: bytes) -> str:
    """Bech32 text, in lower case, of `data` under a lower-case `prefix`."""
    digits = _regroup(data, from_bits=8, to_bits=5, pad=True)
    remainder = _polymod([*_expanded(prefix), *digits, *([0] * CHECKSUM_LENGTH)]) ^ 1
    checksum = [(remainder >> 5 * (CHECKSUM_LENGTH - 1 - i)) & 31 for i in range(CHECKSUM_LENGTH)]
    return prefix + "1" + "".join(ALPHABET[digit] for digit in [*digits, *checksum])


def decode(text: str) -> tuple[str, bytes]:
    """The prefix, in the case it was written in, and the bytes.

    Raises `Bech32Error`; its text says which part is wrong and never repeats the value, which may be a secret.
    """
    if text.lower() != text and text.upper() != text:
        raise Bech32Error("it mixes capital and small letters")
    prefix, separator, digits_text = text.rpartition("1")
    if not separator or not prefix:
        raise Bech32Error('it has no "1" between a prefix and the data')
    if any(not 33 <= ord(character) <= 126 for character in prefix):
        raise Bech32Error("its prefix has a character that is not allowed there")
    digits = []
    for position, character in enumerate(digits_text.lower(), start=len(prefix) + 2):
        if character not in _VALUES:
            raise Bech32Error(f"character {position} is not one of those that the encoding uses")
        digits.append(_VALUES[character])
    if len(digits) < CHECKSUM_LENGTH:
        raise Bech32Error("it is too short to hold a checksum")
    if _polymod([*_expanded(prefix.lower()), *digits]) != 1:
        raise Bech32Error("its checksum does not fit: a character is wrong, missing or added")
    return prefix, bytes(_regroup(digits[:-CHECKSUM_LENGTH], from_bits=5, to_bits=8, pad=False))


def _expanded(prefix: str) -> list[int]:
    return [ord(c) >> 5 for c in prefix] + [0] + [ord(c) & 31 for c in prefix]


def _polymod(values: list[int]) -> int:
    remainder = 1
    for value in values:
        top = remainder >> 25
        remainder = (remainder & 0x1FFFFFF) << 5 ^ value
        for bit, generator in enumerate(_GENERATORS):
            if top >> bit & 1:
                remainder ^= generator
    return remainder


def _regroup(values: bytes | list[int], *, from_bits: int, to_bits: int, pad: bool) -> list[int]:
    """The same bits in groups of another width; left-over bits are padded, or must be a short run of zeros."""
    accumulator, bits, groups = 0, 0, []
    for value in values:
        accumulator = accumulator << from_bits | value
        bits += from_bits
        while bits >= to_bits:
            bits -= to_bits
            groups.append(accumulator >> bits & (1 << to_bits) - 1)
        accumulator &= (1 << bits) - 1
    if pad:
        if bits:
            groups.append(accumulator << (to_bits - bits))
    elif bits >= from_bits or accumulator:
        raise Bech32Error("its padding is not canonical")
    return groups


class Bech32Error(ValueError):
    """The text is not Bech32."""
