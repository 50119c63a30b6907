# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cryptographic primitives that age v1 needs, from the `cryptography` package (3.4.8 or newer).

The package is imported only when a function is called; each raises `RequirementMissing` when it is not installed.
"""

from __future__ import annotations

from ..errors import BackupDbError, InvalidOption
from ..system.cryptography_needed import cryptography_needed

KEY_SIZE = 32
TAG_SIZE = 16
_NEEDED_BY = "age encryption needs"


def derive_key(key_material: bytes, *, salt: bytes, info: str) -> bytes:
    """HKDF-SHA-256 (RFC 5869), 32 bytes; an empty salt is the one of hash-length zeros."""
    with cryptography_needed(_NEEDED_BY):
        from cryptography.hazmat.primitives.hashes import SHA256
        from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    return HKDF(algorithm=SHA256(), length=KEY_SIZE, salt=salt, info=info.encode()).derive(key_material)


def scrypt_key(passphrase: str, *, salt: bytes, work_factor: int) -> bytes:
    """scrypt (RFC 7914) with N = 2 ** work_factor, r = 8, p = 1, 32 bytes. Needs 2 ** work_factor KiB of memory."""
    with cryptography_needed(_NEEDED_BY):
        from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

    # Not hashlib.scrypt: its maxmem ends at 2 GiB, less than work factor 21 needs.
    try:
        return Scrypt(salt=salt, length=KEY_SIZE, n=2**work_factor, r=8, p=1).derive(
            passphrase.encode("utf-8", "surrogateescape")
        )
    except MemoryError as error:
        raise BackupDbError(
            f"scrypt with work factor {work_factor} needs {2**work_factor // 1024} MiB of memory, which this host"
            " refused. Run it on a host with more memory."
        ) from error


def x25519_public_key(secret: bytes) -> bytes:
    """The public key, 32 bytes, of a secret scalar (RFC 7748)."""
    with cryptography_needed(_NEEDED_BY):
        from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    return X25519PrivateKey.from_private_bytes(secret).public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def x25519_shared_secret(secret: bytes, public: bytes) -> bytes | None:
    """The shared secret, 32 bytes; None when it is all zeros, because `public` is a point of low order."""
    with cryptography_needed(_NEEDED_BY):
        from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

    try:
        shared = X25519PrivateKey.from_private_bytes(secret).exchange(X25519PublicKey.from_public_bytes(public))
    except ValueError:
        return None
    return shared if any(shared) else None


class Cipher:
    """ChaCha20-Poly1305 (RFC 8439) without associated data under one 32-byte key; nonces have 12 bytes."""

    def __init__(self, key: bytes) -> None:
        with cryptography_needed(_NEEDED_BY):
            from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm
            from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

        try:
            self._aead = ChaCha20Poly1305(key)
        except UnsupportedAlgorithm as error:
            raise InvalidOption(
                "This host's OpenSSL refuses ChaCha20-Poly1305, which age encryption rests on (FIPS mode does so)."
                " Use a host without FIPS mode, or choose no encryption."
            ) from error
        self._invalid_tag = InvalidTag

    def seal(self, nonce: bytes, plain: bytes) -> bytes:
        return self._aead.encrypt(nonce, plain, None)

    def open(self, nonce: bytes, sealed: bytes) -> bytes | None:
        """The plain bytes, or None when they are not what was sealed under this key and nonce."""
        try:
            return self._aead.decrypt(nonce, sealed, None)
        except self._invalid_tag:
            return None
