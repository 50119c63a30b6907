# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who can open an age file: recipients wrap its file key, identities unwrap it. X25519 keys and scrypt passphrases.

Source: C2SP age.md, sections "The X25519 recipient type" and "The scrypt recipient type".
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
from typing import Protocol

from ..errors import InvalidOption
from . import bech32
from .header import Stanza, decode_base64, encode_base64, malformed
from .primitives import (
    KEY_SIZE,
    TAG_SIZE,
    Cipher,
    derive_key,
    scrypt_key,
    x25519_public_key,
    x25519_shared_secret,
)

FILE_KEY_SIZE = 16
SALT_SIZE = 16
RECIPIENT_PREFIX = "age"
IDENTITY_PREFIX = "AGE-SECRET-KEY-"
X25519 = "X25519"
SCRYPT = "scrypt"
X25519_LABEL = "age-encryption.org/v1/X25519"
SCRYPT_LABEL = b"age-encryption.org/v1/scrypt"
# 2 ** 30 KiB is a TiB of memory: more is a typing error.
HIGHEST_WORK_FACTOR = 30

_WRAP_NONCE = bytes(12)
_DECIMAL = re.compile(r"[1-9][0-9]*")


class Recipient(Protocol):
    """Someone to encrypt to. `alone`: age forbids any other recipient beside this one."""

    alone: bool

    def wrap(self, file_key: bytes) -> Stanza: ...


class Identity(Protocol):
    """Something to decrypt with."""

    def unwrap(self, stanza: Stanza) -> bytes | None:
        """The file key, or None when the stanza is not for this identity; `ArchiveDamaged` when it is malformed."""


def fingerprint(recipient: str) -> str:
    """A short public name of a recipient for manifests.

    "SHA256:" and the SHA-256 of the recipient's text (`age1…`, ASCII) in base64 without padding. By hand:
    `printf %s RECIPIENT | openssl dgst -sha256 -binary | base64 | tr -d =`
    """
    digest = hashlib.sha256(recipient.encode("utf-8")).digest()
    return "SHA256:" + base64.b64encode(digest).decode("ascii").rstrip("=")


class X25519Recipient:
    """An age public key, `age1…`. Raises `InvalidOption`, which shows the value only if it looks public."""

    alone = False

    def __init__(self, recipient: str) -> None:
        self.text = recipient
        self._public = _public_key_of(recipient)

    def __repr__(self) -> str:
        return f"X25519Recipient({self.text!r})"

    def wrap(self, file_key: bytes) -> Stanza:
        ephemeral = os.urandom(KEY_SIZE)
        share = x25519_public_key(ephemeral)
        shared = x25519_shared_secret(ephemeral, self._public)
        if shared is None:
            raise _bad_recipient(self.text, "it is a weak point of the curve, which no age program makes as a key")
        wrap_key = derive_key(shared, salt=share + self._public, info=X25519_LABEL)
        return Stanza((X25519, encode_base64(share)), Cipher(wrap_key).seal(_WRAP_NONCE, file_key))


class X25519Identity:
    """An age secret key, `AGE-SECRET-KEY-1…`. Raises `InvalidOption`, which never repeats the value."""

    def __init__(self, identity: str) -> None:
        self._secret = _secret_key_of(identity)
        self._public = x25519_public_key(self._secret)

    @classmethod
    def generate(cls) -> X25519Identity:
        return cls(bech32.encode(IDENTITY_PREFIX.lower(), os.urandom(KEY_SIZE)).upper())

    def __repr__(self) -> str:
        return f"X25519Identity(recipient={self.recipient!r})"

    @property
    def recipient(self) -> str:
        """The public key that belongs to it, `age1…`."""
        return bech32.encode(RECIPIENT_PREFIX, self._public)

    def reveal(self) -> str:
        """The secret key's text, for writing it to its file."""
        return bech32.encode(IDENTITY_PREFIX.lower(), self._secret).upper()

    def unwrap(self, stanza: Stanza) -> bytes | None:
        if stanza.arguments[0] != X25519:
            return None
        share = decode_base64(stanza.arguments[1]) if len(stanza.arguments) == 2 else None
        if share is None or len(share) != KEY_SIZE:
            raise malformed("an X25519 recipient has not exactly one share of 32 bytes in canonical base64")
        _check_body(stanza)
        shared = x25519_shared_secret(self._secret, share)
        if shared is None:
            raise malformed("the share of an X25519 recipient is a point of low order")
        wrap_key = derive_key(shared, salt=share + self._public, info=X25519_LABEL)
        return Cipher(wrap_key).open(_WRAP_NONCE, stanza.body)


class ScryptRecipient:
    """A passphrase to encrypt with. Deriving the key takes 2 ** work_factor KiB of memory (18: 256 MiB, about 1 s)."""

    alone = True

    def __init__(self, passphrase: str, work_factor: int = 18) -> None:
        _check_passphrase(passphrase)
        if not 1 <= work_factor <= HIGHEST_WORK_FACTOR:
            raise InvalidOption(f"The scrypt work factor {work_factor} is not between 1 and {HIGHEST_WORK_FACTOR}.")
        self._passphrase = passphrase
        self._work_factor = work_factor

    def __repr__(self) -> str:
        return f"ScryptRecipient(work_factor={self._work_factor})"

    def wrap(self, file_key: bytes) -> Stanza:
        salt = os.urandom(SALT_SIZE)
        wrap_key = scrypt_key(self._passphrase, salt=SCRYPT_LABEL + salt, work_factor=self._work_factor)
        arguments = (SCRYPT, encode_base64(salt), str(self._work_factor))
        return Stanza(arguments, Cipher(wrap_key).seal(_WRAP_NONCE, file_key))


class ScryptIdentity:
    """A passphrase to decrypt with. Files that ask for more work than `max_work_factor` are refused."""

    def __init__(self, passphrase: str, max_work_factor: int = 22) -> None:
        _check_passphrase(passphrase)
        self._passphrase = passphrase
        self._max_work_factor = max_work_factor
        # Deriving a key is slow on purpose, and a restore opens the same archive several times.
        self._keys: dict[tuple[bytes, int], bytes] = {}

    def __repr__(self) -> str:
        return f"ScryptIdentity(max_work_factor={self._max_work_factor})"

    def unwrap(self, stanza: Stanza) -> bytes | None:
        if stanza.arguments[0] != SCRYPT:
            return None
        if len(stanza.arguments) != 3:
            raise malformed("a scrypt recipient has not exactly a salt and a work factor")
        salt, work_factor = decode_base64(stanza.arguments[1]), stanza.arguments[2]
        if salt is None or len(salt) != SALT_SIZE:
            raise malformed("the salt of a scrypt recipient is not 16 bytes in canonical base64")
        if not _DECIMAL.fullmatch(work_factor):
            raise malformed("the work factor of a scrypt recipient is not a decimal number")
        # The length comes first: Python refuses to convert very long numbers.
        if len(work_factor) > 2 or int(work_factor) > self._max_work_factor:
            raise malformed(f"a scrypt recipient asks for a work factor above {self._max_work_factor}, the limit here")
        _check_body(stanza)
        return Cipher(self._key(salt, int(work_factor))).open(_WRAP_NONCE, stanza.body)

    def _key(self, salt: bytes, work_factor: int) -> bytes:
        key = self._keys.get((salt, work_factor))
        if key is None:
            key = scrypt_key(self._passphrase, salt=SCRYPT_LABEL + salt, work_factor=work_factor)
            self._keys[salt, work_factor] = key
        return key


def _check_body(stanza: Stanza) -> None:
    # Before any decryption: other lengths would let one body fit several keys.
    if len(stanza.body) != FILE_KEY_SIZE + TAG_SIZE:
        raise malformed("the wrapped file key of a recipient has not 32 bytes")


def _check_passphrase(passphrase: str) -> None:
    if not passphrase:
        raise InvalidOption("The passphrase is empty. Give one, or recipients (public keys).")


def _public_key_of(text: str) -> bytes:
    if "SECRET-KEY" in text.upper():
        raise InvalidOption(
            "A secret key (AGE-SECRET-KEY-…) was given where a recipient, the public key, belongs (not shown)."
            " `age-keygen -y FILE` prints the recipient (age1…). A key that was stored in a place for public ones"
            " should be replaced."
        )
    if not text.startswith("age1"):
        raise _bad_recipient(text, 'it does not begin with "age1"')
    try:
        prefix, public = bech32.decode(text)
    except bech32.Bech32Error as error:
        raise _bad_recipient(text, str(error)) from error
    if prefix != RECIPIENT_PREFIX:
        raise _bad_recipient(
            text, f'its type "{prefix}" (a plugin or post-quantum key) is not supported, only plain age1… keys are'
        )
    if len(public) != KEY_SIZE:
        raise _bad_recipient(text, f"it holds {len(public)} bytes instead of {KEY_SIZE}")
    return public


def _bad_recipient(text: str, reason: str) -> InvalidOption:
    # Only what begins like a public key is shown: anything else may be a secret in the wrong place.
    is_public = text.lower().startswith(("age1", "ssh-"))
    shown = f'"{text[:80]}{"…" if len(text) > 80 else ""}"' if is_public else f"of {len(text)} characters (not shown)"
    return InvalidOption(
        f"The recipient {shown} cannot be used: {reason}. Give the public key that `age-keygen` prints (age1…)."
    )


def _secret_key_of(text: str) -> bytes:
    try:
        prefix, secret = bech32.decode(text)
    except bech32.Bech32Error as error:
        raise _bad_identity(str(error)) from error
    if prefix != IDENTITY_PREFIX:
        raise _bad_identity("it does not begin with AGE-SECRET-KEY-1 (plugin and post-quantum keys are not supported)")
    if len(secret) != KEY_SIZE:
        raise _bad_identity(f"it holds {len(secret)} bytes instead of {KEY_SIZE}")
    return secret


def _bad_identity(reason: str) -> InvalidOption:
    return InvalidOption(
        f"The identity (secret key, not shown) cannot be used: {reason}."
        " Give one as `age-keygen` writes it (AGE-SECRET-KEY-1…), unchanged."
    )
