# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fernet, the encryption of a credential store (https://github.com/fernet/spec), and the two kinds of its key.

A key is 32 bytes in URL-safe base64, here always as the 44 bytes of that text.
"""

from __future__ import annotations

import base64
import hashlib
import os
import socket
from typing import TYPE_CHECKING

from ..errors import CredentialsMissing
from ..system.cryptography_needed import cryptography_needed

if TYPE_CHECKING:
    from cryptography.fernet import Fernet

_KEY_BYTES = 32


def new_key() -> bytes:
    """Return a key from the system's random source."""
    return base64.urlsafe_b64encode(os.urandom(_KEY_BYTES))


def host_name_key(name: str | None = None) -> bytes:
    """Return the key that VYA BackupDB v2 uses: SHA-256 of the host name, by default of this host's.

    Whoever knows the name knows the key: it keeps a password from being read by chance, not from being read.
    """
    return base64.urlsafe_b64encode(hashlib.sha256((name or socket.gethostname()).encode()).digest())


def check_key(key: bytes, *, where: str) -> None:
    """Refuse what is not a key with `CredentialsMissing`, which names `where` and shows nothing of it."""
    try:
        right = len(base64.b64decode(key, altchars=b"-_", validate=True)) == _KEY_BYTES
    except ValueError:
        right = False
    if not right:
        raise CredentialsMissing(
            f"{where} does not hold a key, which is {_KEY_BYTES} bytes in URL-safe base64; bring the right file back, "
            "or remove it together with the store and store the logins again"
        )


def encrypt(key: bytes, text: str) -> str:
    """Encrypt a text; two calls never give the same token."""
    return _fernet(key).encrypt(text.encode("utf-8", "surrogateescape")).decode("ascii")


def decrypt(key: bytes, token: str) -> str | None:
    """Decrypt a token; None when it is damaged or was made with another key, which nobody can tell apart."""
    fernet = _fernet(key)
    from cryptography.fernet import InvalidToken

    try:
        return fernet.decrypt(token.encode("utf-8", "surrogateescape")).decode("utf-8", "surrogateescape")
    except (InvalidToken, ValueError):  # ValueError: a token that is not base64, on older versions
        return None


def _fernet(key: bytes) -> Fernet:
    with cryptography_needed("a credential store needs"):
        from cryptography.fernet import Fernet

    return Fernet(key)
