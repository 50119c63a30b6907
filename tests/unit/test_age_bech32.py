# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bech32: the examples of BIP 173 that its decoders must take and refuse, and the sizes that age uses."""

from __future__ import annotations

import os

import pytest
from backupdb.age.bech32 import Bech32Error, decode, encode


@pytest.mark.parametrize("size", [0, 1, 2, 3, 4, 5, 20, 31, 32, 33, 1249])
def test_bytes_of_any_size_come_back(size: int) -> None:
    data = os.urandom(size)
    assert decode(encode("age", data)) == ("age", data)
    assert decode(encode("age", data).upper()) == ("AGE", data)


def test_known_text_is_written_and_read() -> None:
    recipient = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj"
    prefix, data = decode(recipient)
    assert (prefix, len(data)) == ("age", 32)
    assert encode(prefix, data) == recipient
    assert decode("AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX") == (
        "AGE-SECRET-KEY-",
        b"\x42" * 32,
    )


@pytest.mark.parametrize(
    "text",
    [
        "A12UEL5L",
        "a12uel5l",
        "an83characterlonghumanreadablepartthatcontainsthenumber1andtheexcludedcharactersbio1tt5tgs",
    ],
)
def test_valid_texts_of_the_standard_are_read(text: str) -> None:
    decode(text)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("\x201nwldj5", "prefix"),
        ("\x7f1axkwrx", "prefix"),
        ("pzry9x0s0muk", 'no "1"'),
        ("1pzry9x0s0muk", 'no "1"'),
        ("x1b4n0q5v", "character 3 "),
        ("li1dgmt3", "too short"),
        ("A1G7SGD8", "checksum"),
        ("10a06t8", 'no "1"'),
        ("a12UEL5L", "mixes"),
        ("age1é", "character 5 "),
    ],
)
def test_invalid_texts_are_refused_with_the_part_that_is_wrong(text: str, reason: str) -> None:
    with pytest.raises(Bech32Error, match=reason):
        decode(text)


def test_every_single_wrong_character_is_found() -> None:
    text = encode("age", bytes(range(32)))
    for position in range(4, len(text)):
        wrong = "q" if text[position] != "q" else "p"
        with pytest.raises(Bech32Error, match="checksum"):
            decode(text[:position] + wrong + text[position + 1 :])


@pytest.mark.parametrize("digits", [[1], [0, 1], [0]])
def test_padding_that_is_not_canonical_is_refused(digits: list[int]) -> None:
    from backupdb.age import bech32

    remainder = bech32._polymod([*bech32._expanded("age"), *digits, *([0] * 6)]) ^ 1
    letters = [bech32.ALPHABET[d] for d in [*digits, *((remainder >> 5 * (5 - i)) & 31 for i in range(6))]]
    with pytest.raises(Bech32Error, match="padding"):
        decode("age1" + "".join(letters))
