# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How archives are wrapped: compressed, then encrypted."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ..age.stream import Encryptor, ScryptRecipient, X25519Recipient, fingerprint
from ..errors import InvalidOption
from ..streams.compression import DEFAULT_LEVELS, SUFFIXES, Compression, compressor
from ..streams.transform import Transform

ENCRYPTION_MODES = ("age", "none")


@dataclass(frozen=True)
class Encryption:
    """How archives are encrypted: for age recipients or with a passphrase. None must be asked for by its name."""

    mode: str = "age"
    recipients: tuple[str, ...] = ()
    passphrase: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        keys = bool(self.recipients) + (self.passphrase is not None)
        if self.mode not in ENCRYPTION_MODES:
            raise InvalidOption(f"encryption {self.mode!r} is not known; use {' or '.join(ENCRYPTION_MODES)}")
        if self.mode == "none" and keys:
            raise InvalidOption("encryption is none, but recipients or a passphrase are given; remove one of them")
        if self.mode == "age" and keys == 0:
            raise InvalidOption(
                "encryption is age, but there are no recipients and no passphrase; give the public keys (age1...) "
                "of those who may read the backups, or set encryption to none"
            )
        if keys == 2:
            raise InvalidOption("an age archive has recipients or a passphrase, not both; remove one of them")
        if self.passphrase == "":
            raise InvalidOption("the passphrase is empty")


@dataclass(frozen=True)
class Envelope:
    """How the archives of a run are wrapped: compressed, then encrypted."""

    compression: Compression
    encryption: Encryption

    def check(self) -> None:
        """Find out now what would fail later: a bad recipient, a missing library, a missing program."""
        for transform in self.transforms():
            transform.finish()

    def transforms(self) -> list[Transform]:
        """Make the stages for one archive."""
        stages: list[Transform | None] = [compressor(self.compression), self._encryptor()]
        return [stage for stage in stages if stage is not None]

    def suffix(self) -> str:
        """Return what the stages add to a file name, such as ".zst.age"."""
        return SUFFIXES[self.compression.method] + (".age" if self.encryption.mode == "age" else "")

    def describe(self) -> dict[str, Any]:
        """Return what a manifest says of it."""
        return {
            "compression": self.compression.method,
            "compression_level": self.compression.level or DEFAULT_LEVELS.get(self.compression.method),
            "encryption": self._encryption_name(),
            "recipients": [fingerprint(recipient) for recipient in self.encryption.recipients],
        }

    def _encryption_name(self) -> str:
        if self.encryption.mode == "none":
            return "none"
        return "age-scrypt" if self.encryption.passphrase is not None else "age-x25519"

    def _encryptor(self) -> Transform | None:
        if self.encryption.mode == "none":
            return None
        if self.encryption.passphrase is not None:
            return Encryptor([ScryptRecipient(self.encryption.passphrase)])
        return Encryptor([X25519Recipient(recipient) for recipient in self.encryption.recipients])
