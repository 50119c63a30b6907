# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Identity files: where age secret keys rest. The format is the one of `age-keygen`, comments included."""

from __future__ import annotations

import errno
from dataclasses import dataclass
from datetime import datetime, timezone

from ..errors import InvalidOption
from ..system.files import OTHERS
from ..system.key_files import publish_key_file, read_key_file
from .recipients import X25519Identity

CREATED_COMMENT = "# created: "
PUBLIC_KEY_COMMENT = "# public key: "
MAX_FILE_SIZE = 1024 * 1024


@dataclass(frozen=True)
class IdentityFile:
    """What an identity file holds. `created` is the text of its comment, if it has one."""

    path: str
    identities: tuple[X25519Identity, ...]
    created: str | None
    mode: int

    @property
    def open_to_others(self) -> bool:
        """Whether somebody other than the owner has any right on the file."""
        return bool(self.mode & OTHERS)


def generate_identity() -> X25519Identity:
    """A new secret key from the system's random source."""
    return X25519Identity.generate()


def parse_identities(text: str, *, where: str) -> tuple[X25519Identity, ...]:
    """The identities in a text of the identity file format: one a line, blank lines and `#` comments left out.

    Raises `InvalidOption`, which names `where` and the line's number, never the line.
    """
    if text.startswith(("age-encryption.org/", "-----BEGIN AGE ENCRYPTED FILE")):
        raise InvalidOption(
            f"The identities in {where} are encrypted themselves."
            " Decrypt them first (`age -d`) into a file of mode 0600."
        )
    identities = []
    for number, line in enumerate(text.splitlines(), start=1):
        content = line.strip()
        if content and not content.startswith("#"):
            try:
                identities.append(X25519Identity(content))
            except InvalidOption as error:
                raise InvalidOption(f"{where}, line {number}: {error}") from error
    if not identities:
        raise InvalidOption(f"There is no identity (AGE-SECRET-KEY-1…) in {where}. Make one with `age-keygen`.")
    return tuple(identities)


def read_identity_file(path: str, *, must_be_private: bool = True) -> IdentityFile:
    """The identities of a file. Raises `InvalidOption`, also when others have rights on it and `must_be_private`."""
    try:
        content, mode = read_key_file(path, MAX_FILE_SIZE, "identity file", must_be_private=must_be_private)
    except OSError as error:
        raise InvalidOption(_unreadable(path, error)) from error
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidOption(f"The identity file {path} is not a text file. Check the path.") from error
    identities = parse_identities(text, where=f"the identity file {path}")
    return IdentityFile(path=path, identities=identities, created=_created(text), mode=mode)


def write_identity_file(path: str, identity: X25519Identity) -> IdentityFile:
    """Publish `identity` as a new file of mode 0600; a file that is there already is never replaced.

    The file appears whole or not at all. Raises `InvalidOption`.
    """
    text = identity_text(identity)
    publish_key_file(path, text.encode("ascii"), "identity file")
    return IdentityFile(path=path, identities=(identity,), created=_created(text), mode=0o600)


def identity_text(identity: X25519Identity) -> str:
    """The content of an identity file, as `age-keygen` writes it now. It holds the secret."""
    created = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    return f"{CREATED_COMMENT}{created}\n{PUBLIC_KEY_COMMENT}{identity.recipient}\n{identity.reveal()}\n"


def _created(text: str) -> str | None:
    lines = [line for line in text.splitlines() if line.startswith(CREATED_COMMENT)]
    return lines[0][len(CREATED_COMMENT) :].strip() if lines else None


def _unreadable(path: str, error: OSError) -> str:
    if error.errno == errno.ENOENT:
        return f"The identity file {path} does not exist. Check the path."
    if error.errno == errno.EINVAL:
        return f"The identity file {path} is not a regular file. Give the path of a file."
    if error.errno == errno.EFBIG:
        return f"The identity file {path} is larger than {MAX_FILE_SIZE} bytes. Check the path."
    return f"The identity file {path} cannot be read: {error.strerror}. Check the path and its owner and mode."
