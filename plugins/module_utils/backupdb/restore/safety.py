# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The safety backup: how the backup of an existing database is encrypted before the database is changed."""

from __future__ import annotations

from ..age.stream import X25519Identity
from ..archives.envelope import Encryption
from ..archives.keys import load_identities
from .request import RestoreRequest


def safety_encryption(request: RestoreRequest) -> Encryption:
    """Return how that backup is encrypted: nobody new can read it, and whoever restores can.

    Reads the identity file where the request does not say how; raises as `load_identities` does.
    """
    if request.safety.encryption is not None:
        return request.safety.encryption
    identities = load_identities(request.keys)
    recipients = tuple(one.recipient for one in identities if isinstance(one, X25519Identity))
    if recipients:
        return Encryption(recipients=recipients)
    if request.keys.passphrase is not None:
        return Encryption(passphrase=request.keys.passphrase)
    return Encryption(mode="none")
