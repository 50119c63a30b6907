# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who opens the archives: age secret keys from a file on this host or from text in memory, or a passphrase.

A secret that was handed over for one call stays in memory; it is never written anywhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..age.identity_file import parse_identities, read_identity_file
from ..age.recipients import Identity, ScryptIdentity


@dataclass(frozen=True)
class Keys:
    """Where the identities come from; all that are given are tried. None of them: only plain archives can be read."""

    identity_file: str | None = None
    identity: str | None = field(default=None, repr=False)  # text of an identity file
    passphrase: str | None = field(default=None, repr=False)


def load_identities(keys: Keys) -> tuple[Identity, ...]:
    """Return the identities, in the order of the fields.

    Raises `InvalidOption` (a file that is missing or open to others, a text without a key, an empty passphrase),
    which never repeats a secret, and `RequirementMissing`.
    """
    found: list[Identity] = []
    if keys.identity_file is not None:
        found += read_identity_file(keys.identity_file).identities
    if keys.identity is not None:
        found += parse_identities(keys.identity, where="the option identity")
    if keys.passphrase is not None:
        found.append(ScryptIdentity(keys.passphrase))
    return tuple(found)


def keys_from(options: Mapping[str, Any]) -> Keys:
    """Make the library's keys; they are read when they are needed."""
    return Keys(identity_file=options["identity_file"], identity=options["identity"], passphrase=options["passphrase"])
