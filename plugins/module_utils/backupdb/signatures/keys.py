# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys of signatures: Ed25519 (RFC 8032), in the files that OpenSSL reads and writes.

A secret key is a PEM file (PKCS #8) that only its owner can read. A public key is written as one line, the base64 of
its DER form: that is the line in the middle of its PEM form.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import Any

from ..errors import InvalidOption
from ..system.cryptography_needed import cryptography_needed
from ..system.key_files import publish_key_file, read_key_file

SIGNATURE_SIZE = 64
_NEEDED_BY = "signatures need"
_DER_PREFIX = bytes.fromhex("302a300506032b6570032100")  # SubjectPublicKeyInfo of every Ed25519 key, before its bytes
_RAW_SIZE = 32
_PEM_BEGIN, _PEM_END = "-----BEGIN PUBLIC KEY-----", "-----END PUBLIC KEY-----"
_LARGEST_FILE = 64 << 10  # bytes
# Never with what was given, which may be a secret key in the wrong place.
_WANTED = "give the line that the module signing_key returns (MCow...), or what openssl pkey -pubout writes"


@dataclass(frozen=True)
class SigningKey:
    """The secret key of a host. `public` is its public key as one line; `mode` that of its file."""

    public: str
    mode: int
    _secret: Any

    def __repr__(self) -> str:
        return f"SigningKey(public={self.public!r})"

    def sign(self, content: bytes) -> bytes:
        """Return the signature of these bytes, `SIGNATURE_SIZE` bytes."""
        signature: bytes = self._secret.sign(content)
        return signature


def public_key(text: str) -> str:
    """Return a public key, given as one line or as a whole PEM text, as one line; raises `InvalidOption`."""
    body = text.strip()
    if body.startswith("-----BEGIN") and "PRIVATE" in body.splitlines()[0]:
        raise InvalidOption("a secret key is given where a public key belongs; make a new pair, this one is no secret")
    if body.startswith(_PEM_BEGIN) and body.endswith(_PEM_END):
        body = body[len(_PEM_BEGIN) : -len(_PEM_END)]
    try:
        der = base64.b64decode("".join(body.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidOption(f"what is given as a public key is none: it is not base64; {_WANTED}") from error
    if not der.startswith(_DER_PREFIX) or len(der) != len(_DER_PREFIX) + _RAW_SIZE:
        raise InvalidOption(f"what is given as a public key is none of Ed25519; {_WANTED}")
    return base64.b64encode(der).decode("ascii")


def verifies(public: str, signature: bytes, content: bytes) -> bool:
    """Tell whether the signature of these bytes was made with the secret key of this public one."""
    with cryptography_needed(_NEEDED_BY):
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    raw = base64.b64decode(public_key(public))[len(_DER_PREFIX) :]
    try:
        Ed25519PublicKey.from_public_bytes(raw).verify(signature, content)
    except (InvalidSignature, ValueError):
        return False
    return True


def read_signing_key(path: str, *, must_be_private: bool = True) -> SigningKey:
    """Read a secret key. Raises `InvalidOption`, also when others have rights on its file and `must_be_private`."""
    try:
        content, mode = read_key_file(path, _LARGEST_FILE, "signing key", must_be_private=must_be_private)
    except OSError as error:
        raise InvalidOption(
            f"the signing key {path} cannot be read: {error.strerror or error}; it must be a file of the user who "
            "makes the backups, of mode 0600"
        ) from error
    return _parse(content, path, mode)


def write_signing_key(path: str) -> SigningKey:
    """Make a new secret key and publish it as a file of mode 0600; what is there already is never replaced.

    The file appears whole or not at all. Raises `InvalidOption`.
    """
    with cryptography_needed(_NEEDED_BY):
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
        from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    secret = Ed25519PrivateKey.generate()
    content = secret.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    publish_key_file(path, content, "signing key")
    return SigningKey(_public_of(secret), 0o600, secret)


def _parse(content: bytes, path: str, mode: int) -> SigningKey:
    with cryptography_needed(_NEEDED_BY):
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
        from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        secret = load_pem_private_key(content, None)
    except TypeError as error:
        raise InvalidOption(f"the signing key {path} is encrypted; a run has nobody to ask for its password") from error
    except (ValueError, UnsupportedAlgorithm):
        # The library's own words may quote what it read.
        raise InvalidOption(
            f"the signing key {path} holds no secret key in PEM form; make one with the module signing_key"
        ) from None
    if not isinstance(secret, Ed25519PrivateKey):
        raise InvalidOption(
            f"the signing key {path} is of another kind than Ed25519; make one with the module signing_key"
        )
    return SigningKey(_public_of(secret), mode, secret)


def _public_of(secret: Any) -> str:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    raw: bytes = secret.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return base64.b64encode(_DER_PREFIX + raw).decode("ascii")
