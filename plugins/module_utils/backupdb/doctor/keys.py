# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The keys of a job's backups: who can open the archives, who signs them, and the libraries and programs for both."""

from __future__ import annotations

from collections.abc import Iterator

from ..archives.envelope import Encryption, Envelope
from ..backup.request import BackupRequest
from ..engines.registry import require_driver
from ..signatures.keys import read_signing_key
from ..system.text import counted
from .finding import OK, WARNING, Finding, tried


def look_at_keys(request: BackupRequest) -> Iterator[Finding]:
    """Yield how the archives are wrapped and signed, and whether the driver of the server is there."""
    about = request.instance.id
    yield from tried("encryption", lambda: _encryption(request), about)
    if request.signing_key is not None:
        yield from tried("signing key", lambda: _signing_key(request), about)
    yield from tried("driver", lambda: _driver(request), about)


def _encryption(request: BackupRequest) -> Iterator[Finding]:
    Envelope(request.compression, request.encryption).check()
    if request.encryption.mode == "none":
        what = "archives are not encrypted: whoever can read the repository can read the data"
        yield Finding("encryption", WARNING, what, "name the public keys of those who may", request.instance.id)
    else:
        yield Finding("encryption", OK, _for_whom(request.encryption), subject=request.instance.id)


def _for_whom(encryption: Encryption) -> str:
    if encryption.passphrase is not None:
        return "for a passphrase"
    return f"for {counted(len(encryption.recipients), 'recipient')}: {', '.join(encryption.recipients)}"


def _signing_key(request: BackupRequest) -> Iterator[Finding]:
    key = read_signing_key(str(request.signing_key))
    yield Finding("signing key", OK, f"{request.signing_key}, public key {key.public}", subject=request.instance.id)


def _driver(request: BackupRequest) -> Iterator[Finding]:
    require_driver(request.instance)
    yield from ()  # that it works is seen by the login
