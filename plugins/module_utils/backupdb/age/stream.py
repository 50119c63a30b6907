# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""age v1 encryption and decryption of a stream (age-encryption.org/v1), in constant memory.

Files are read and written as the `age` program does: `age -d -i IDENTITY_FILE` opens what `Encryptor` makes.
Text armor, plugins and post-quantum keys are not supported. Source: C2SP age.md.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Sequence

from ..errors import ArchiveDamaged, InvalidOption, WrongKey
from ..streams.transform import BytesLike
from .header import NONCE_SIZE, Header, HeaderReader, malformed, write_mac, write_stanzas
from .payload import StreamOpener, StreamSealer
from .primitives import derive_key
from .recipients import (
    FILE_KEY_SIZE,
    SCRYPT,
    Identity,
    Recipient,
    ScryptIdentity,
    ScryptRecipient,
    X25519Identity,
    X25519Recipient,
    fingerprint,
)

__all__ = [
    "Decryptor",
    "Encryptor",
    "Identity",
    "Recipient",
    "ScryptIdentity",
    "ScryptRecipient",
    "X25519Identity",
    "X25519Recipient",
    "fingerprint",
]


def _header_mac(file_key: bytes, covered: bytes) -> bytes:
    return hmac.new(derive_key(file_key, salt=b"", info="header"), covered, hashlib.sha256).digest()


def _payload_key(file_key: bytes, nonce: bytes) -> bytes:
    return derive_key(file_key, salt=nonce, info="payload")


class Encryptor:
    """Plain bytes to an age file that each of the recipients can open; a `Transform`.

    The header is made, and so every recipient checked, when it is constructed. Raises `InvalidOption` without a
    recipient, or with a passphrase beside another recipient (the format forbids it).
    """

    def __init__(self, recipients: Sequence[Recipient]) -> None:
        if not recipients:
            raise InvalidOption("There is no recipient to encrypt to. Give at least one public key, or a passphrase.")
        if len(recipients) > 1 and any(recipient.alone for recipient in recipients):
            raise InvalidOption("A passphrase must be the only recipient of an age file. Give it alone, or only keys.")
        file_key, nonce = os.urandom(FILE_KEY_SIZE), os.urandom(NONCE_SIZE)
        covered = write_stanzas([recipient.wrap(file_key) for recipient in recipients])
        self._beginning = covered + write_mac(_header_mac(file_key, covered)) + nonce
        self._payload = StreamSealer(_payload_key(file_key, nonce))

    def update(self, data: BytesLike) -> bytes:
        return self._with_beginning(self._payload.update(data))

    def finish(self) -> bytes:
        return self._with_beginning(self._payload.finish())

    def _with_beginning(self, sealed: bytes) -> bytes:
        if not self._beginning:
            return sealed
        beginning, self._beginning = self._beginning, b""
        return beginning + sealed


class Decryptor:
    """An age file to its plain bytes; a `Transform` that returns authenticated bytes only.

    `update` and `finish` raise `WrongKey` when no identity opens the file, and `ArchiveDamaged` when it is not an
    age file or was altered or cut short. Only after `finish` are the bytes known to be all of the file.
    """

    def __init__(self, identities: Sequence[Identity]) -> None:
        if not identities:
            raise InvalidOption("There is no identity to decrypt with. Give an identity file, or the passphrase.")
        self._identities = tuple(identities)
        self._header = HeaderReader()
        self._payload: StreamOpener | None = None

    def update(self, data: BytesLike) -> bytes:
        if self._payload is not None:
            return self._payload.update(data)
        header = self._header.feed(data)
        if header is None:
            return b""
        self._payload = StreamOpener(_payload_key(self._file_key(header), header.nonce))
        return self._payload.update(header.rest)

    def is_open(self) -> bool:
        """Tell whether an identity has opened the file, which the header alone decides."""
        return self._payload is not None

    def finish(self) -> bytes:
        if self._payload is None:
            raise self._header.cut_short()
        return self._payload.finish()

    def _file_key(self, header: Header) -> bytes:
        kinds = [stanza.arguments[0] for stanza in header.stanzas]
        if SCRYPT in kinds and len(kinds) > 1:
            raise malformed("a passphrase is not the only recipient")
        for stanza in header.stanzas:
            for identity in self._identities:
                file_key = identity.unwrap(stanza)
                if file_key is not None:
                    _check_mac(file_key, header)
                    return file_key
        raise self._wrong_key(kinds)

    def _wrong_key(self, kinds: list[str]) -> WrongKey:
        passphrases = sum(isinstance(identity, ScryptIdentity) for identity in self._identities)
        given = [
            *_counted(len(self._identities) - passphrases, "identity", "identities"),
            *_counted(passphrases, "passphrase", "passphrases"),
        ]
        made_for = "a passphrase" if SCRYPT in kinds else " and ".join(_counted(len(kinds), "recipient", "recipients"))
        fits = "and no key was given" if not given else f"and what was given does not fit: {' and '.join(given)}"
        return WrongKey(
            f"The file cannot be opened: it is encrypted to {made_for}, {fits}. The manifest names the fingerprints of"
            " the recipients; give the identity file of one of them, or the passphrase."
        )


def _counted(count: int, one: str, many: str) -> list[str]:
    return [f"{count} {one if count == 1 else many}"] if count else []


def _check_mac(file_key: bytes, header: Header) -> None:
    if not hmac.compare_digest(_header_mac(file_key, header.covered), header.mac):
        raise ArchiveDamaged(
            "The age header was altered: its MAC does not fit. Use another copy of this file, or another backup."
        )
