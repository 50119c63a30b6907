# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verifier that PostgreSQL keeps instead of a password (RFC 5802, RFC 7677; PostgreSQL manual 53.8 "pg_authid").

A server takes it in place of the password, so the password itself never reaches the server or its log.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import stringprep
import unicodedata
from collections.abc import Callable, Sequence

_METHOD = "SCRAM-SHA-256"
_ITERATIONS = 4096  # the server's own default
_SALT_BYTES = 16

# Tables of RFC 4013, section 2.3: with any of these, PostgreSQL takes the password's bytes as they are.
_PROHIBITED: Sequence[Callable[[str], bool]] = (
    stringprep.in_table_c12,
    stringprep.in_table_c21_c22,
    stringprep.in_table_c3,
    stringprep.in_table_c4,
    stringprep.in_table_c5,
    stringprep.in_table_c6,
    stringprep.in_table_c7,
    stringprep.in_table_c8,
    stringprep.in_table_c9,
    stringprep.in_table_a1,
)


def make_verifier(password: str) -> str:
    """Return a new verifier, with a salt of its own."""
    return _verifier(password, os.urandom(_SALT_BYTES), _ITERATIONS)


def verifies(password: str, verifier: str) -> bool:
    """Tell whether the verifier is one of this password; one of another method never is."""
    method, _mark, rest = verifier.partition("$")
    iterations, _mark, salted = rest.partition(":")
    salt = salted.partition("$")[0]
    if method != _METHOD or not iterations.isdigit():
        return False
    try:
        same = _verifier(password, base64.b64decode(salt, validate=True), int(iterations))
    except (binascii.Error, ValueError):
        return False
    return hmac.compare_digest(same.encode(), verifier.encode())


def _verifier(password: str, salt: bytes, iterations: int) -> str:
    salted = hashlib.pbkdf2_hmac("sha256", _prepared(password), salt, iterations)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    return f"{_METHOD}${iterations}:{_text(salt)}${_text(stored)}:{_text(server)}"


def _text(value: bytes) -> str:
    return base64.b64encode(value).decode("ascii")


def _prepared(password: str) -> bytes:
    """Bring the password into the form of RFC 4013, as server and clients do; ASCII stays as it is."""
    if password.isascii():
        return password.encode()
    mapped = "".join(
        " " if stringprep.in_table_c12(one) else one for one in password if not stringprep.in_table_b1(one)
    )
    normal = unicodedata.normalize("NFKC", mapped)
    if not normal or any(refuses(one) for one in normal for refuses in _PROHIBITED) or _is_mixed(normal):
        return password.encode()
    return normal.encode()


def _is_mixed(text: str) -> bool:
    """Tell whether the text breaks the rule for writing from right to left (RFC 3454, section 6)."""
    if not any(stringprep.in_table_d1(one) for one in text):
        return False
    outside = not (stringprep.in_table_d1(text[0]) and stringprep.in_table_d1(text[-1]))
    return outside or any(stringprep.in_table_d2(one) for one in text)
