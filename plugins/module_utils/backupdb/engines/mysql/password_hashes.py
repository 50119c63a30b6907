# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The hashes that MariaDB and MySQL keep instead of a password.

A server takes one in place of the password, so the password itself never reaches the server or its log.
Sources: MariaDB documentation "Authentication Plugin - mysql_native_password"; MySQL manual "Caching SHA-2 Pluggable
Authentication"; "Unix crypt using SHA-256 and SHA-512" (U. Drepper), which the latter uses in a frame of its own.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets

NATIVE_PLUGIN = "mysql_native_password"
CACHING_SHA2_PLUGIN = "caching_sha2_password"

_ROUNDS_UNIT = 1000  # "005" stands for 5000 rounds, in hexadecimal
_ROUNDS = 5
_SALT_BYTES = 20
_ALPHABET = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_HEAD = b"$A$"


def native_hash(password: str) -> str:
    """Hash a password for mysql_native_password: SHA-1 twice, no salt."""
    twice = hashlib.sha1(hashlib.sha1(password.encode()).digest()).hexdigest()  # noqa: S324  the server's own method
    return f"*{twice.upper()}"


def caching_sha2_hash(password: str) -> bytes:
    """Hash a password for caching_sha2_password, with a salt of its own."""
    salt = "".join(secrets.choice(_ALPHABET) for _number in range(_SALT_BYTES)).encode()
    return _caching_sha2(password, salt, _ROUNDS)


def caching_sha2_fits(password: str, stored: bytes) -> bool:
    """Tell whether the stored hash is one of this password."""
    rounds, mark, rest = stored[len(_HEAD) :].partition(b"$")
    if not stored.startswith(_HEAD) or not mark or len(rest) <= _SALT_BYTES:
        return False
    try:
        same = _caching_sha2(password, rest[:_SALT_BYTES], int(rounds, 16))
    except ValueError:
        return False
    return hmac.compare_digest(same, stored)


def _caching_sha2(password: str, salt: bytes, units: int) -> bytes:
    digest = sha256_crypt(password.encode(), salt, units * _ROUNDS_UNIT)
    return b"$A$%03X$%s%s" % (units, salt, digest.encode())


def sha256_crypt(password: bytes, salt: bytes, rounds: int) -> str:
    """Return the digest part of SHA-crypt with SHA-256; the salt is taken whole."""
    other = hashlib.sha256(password + salt + password).digest()
    first = hashlib.sha256(password + salt + _repeated(other, len(password)))
    length = len(password)
    while length:
        first.update(other if length & 1 else password)
        length >>= 1
    digest = first.digest()
    word = _repeated(hashlib.sha256(password * len(password)).digest(), len(password))
    grain = _repeated(hashlib.sha256(salt * (16 + digest[0])).digest(), len(salt))
    for number in range(rounds):
        mixed = hashlib.sha256(word if number & 1 else digest)
        mixed.update(grain if number % 3 else b"")
        mixed.update(word if number % 7 else b"")
        mixed.update(digest if number & 1 else word)
        digest = mixed.digest()
    return _encoded(digest)


def _repeated(value: bytes, length: int) -> bytes:
    return (value * (length // len(value) + 1))[:length]


def _encoded(digest: bytes) -> str:
    """Write the digest in crypt's own order and alphabet: three bytes, whose places turn, make four characters."""
    text = ""
    a, b, c = 0, 10, 20
    for _number in range(10):
        text += _four(digest[a] << 16 | digest[b] << 8 | digest[c], 4)
        a, b, c = c + 1, a + 1, b + 1
    return text + _four(digest[31] << 8 | digest[30], 3)


def _four(value: int, count: int) -> str:
    return "".join(_ALPHABET[value >> 6 * place & 0x3F] for place in range(count))
