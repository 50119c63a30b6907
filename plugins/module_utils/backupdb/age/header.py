# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The header of an age v1 file: the version line, the recipient stanzas and the MAC line, then the payload's nonce.

Writing and strict reading, without any cryptography. Source: C2SP age.md, section "Header".
"""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass

from ..errors import ArchiveDamaged
from ..streams.transform import BytesLike

VERSION_LINE = b"age-encryption.org/v1"
STANZA_MARK = b"->"
MAC_MARK = b"---"
ARMOR_LINE = b"-----BEGIN AGE ENCRYPTED FILE-----"
COLUMNS = 64
MAC_SIZE = 32
NONCE_SIZE = 16
# More than 500 recipients' worth; without a limit a hostile file could fill the memory.
MAX_HEADER_SIZE = 64 * 1024

_BASE64 = re.compile(rb"[A-Za-z0-9+/]*")
_ARGUMENT = re.compile(rb"[\x21-\x7e]+")


def encode_base64(data: bytes) -> str:
    """Standard base64 without padding."""
    return base64.b64encode(data).decode("ascii").rstrip("=")


def decode_base64(text: bytes | str) -> bytes | None:
    """The bytes of canonical base64 without padding; None for anything else."""
    raw = text.encode("ascii", "replace") if isinstance(text, str) else text
    if not _BASE64.fullmatch(raw) or len(raw) % 4 == 1:
        return None
    data = base64.b64decode(raw + b"=" * (-len(raw) % 4))
    return data if encode_base64(data).encode("ascii") == raw else None


def malformed(what: str) -> ArchiveDamaged:
    """The error for a header that does not follow the format."""
    return ArchiveDamaged(f"The age header is malformed: {what}. Use another copy of this file, or another backup.")


@dataclass(frozen=True)
class Stanza:
    """The file key wrapped for one recipient: `arguments` (the first is the type) and the wrapped bytes."""

    arguments: tuple[str, ...]
    body: bytes

    def lines(self) -> list[bytes]:
        """The stanza's lines: arguments, then the body in base64, ended by a line shorter than 64 columns."""
        text = encode_base64(self.body).encode("ascii")
        body = [text[start : start + COLUMNS] for start in range(0, len(text) + 1, COLUMNS)]
        return [STANZA_MARK + b" " + " ".join(self.arguments).encode("ascii"), *body]


def write_stanzas(stanzas: Sequence[Stanza]) -> bytes:
    """All of the header that the MAC covers: everything up to and with the mark of the MAC line."""
    return b"\n".join([VERSION_LINE, *(line for stanza in stanzas for line in stanza.lines()), MAC_MARK])


def write_mac(mac: bytes) -> bytes:
    """What follows `write_stanzas` to end the header."""
    return b" " + encode_base64(mac).encode("ascii") + b"\n"


@dataclass(frozen=True)
class Header:
    """A header that was read whole. `covered` is what `mac` covers; `rest` is the beginning of the payload."""

    stanzas: tuple[Stanza, ...]
    covered: bytes
    mac: bytes
    nonce: bytes
    rest: bytes


class HeaderReader:
    """Collects input until the header and the nonce are there. Memory is bounded by one call's input and 64 KiB."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._line_start = 0
        self._searched = 0
        self._arguments: tuple[str, ...] | None = None
        self._body_lines: list[bytes] = []
        self._stanzas: list[Stanza] = []
        self._covered = b""
        self._mac: bytes | None = None

    def feed(self, data: BytesLike) -> Header | None:
        """The header once it is complete, else None. Raises `ArchiveDamaged` as soon as it cannot be one."""
        self._buffer += data
        self._check_beginning()
        while self._mac is None:
            end = self._buffer.find(b"\n", self._searched, MAX_HEADER_SIZE)
            if end < 0:
                if len(self._buffer) >= MAX_HEADER_SIZE:
                    raise malformed(f"it does not end within {MAX_HEADER_SIZE} bytes")
                self._searched = len(self._buffer)
                return None
            line, start = bytes(self._buffer[self._line_start : end]), self._line_start
            self._line_start = self._searched = end + 1
            if start:
                self._read_line(line, start)
        if len(self._buffer) < self._line_start + NONCE_SIZE:
            return None
        payload = self._line_start + NONCE_SIZE
        return Header(
            stanzas=tuple(self._stanzas),
            covered=self._covered,
            mac=self._mac,
            nonce=bytes(self._buffer[self._line_start : payload]),
            rest=bytes(self._buffer[payload:]),
        )

    def cut_short(self) -> ArchiveDamaged:
        """The error for input that ended before the header did."""
        if not self._buffer:
            return ArchiveDamaged("The file is empty, without an age header. Use another copy, or another backup.")
        return ArchiveDamaged(
            f"The file ends after {len(self._buffer)} bytes, within its age header: it was cut short."
            " Use another copy of this file, or another backup."
        )

    def _check_beginning(self) -> None:
        expected = VERSION_LINE + b"\n"
        if expected.startswith(self._buffer[: len(expected)]):
            return
        if self._buffer.startswith(ARMOR_LINE[: len(self._buffer)]):
            raise malformed("the file is in text form (ASCII armor), which is not read here; decrypt it with `age -d`")
        if self._buffer.startswith(b"age-encryption.org/"):
            raise malformed("the first line does not name version v1, the only one that is read here")
        raise ArchiveDamaged(
            "The file does not begin with an age header: it is not encrypted with age, or it was overwritten."
            " Check that it is the file you mean, or use another copy."
        )

    def _read_line(self, line: bytes, start: int) -> None:
        if self._arguments is not None:
            self._read_body_line(line)
        elif line.startswith(STANZA_MARK):
            self._arguments = _stanza_arguments(line)
        elif line.startswith(MAC_MARK):
            self._read_mac_line(line, start)
        else:
            raise malformed("a line is neither a recipient nor the MAC")

    def _read_body_line(self, line: bytes) -> None:
        if len(line) > COLUMNS or not _BASE64.fullmatch(line):
            raise malformed("the body of a recipient is not base64 in lines of at most 64 columns")
        self._body_lines.append(line)
        if len(line) == COLUMNS:
            return
        body = decode_base64(b"".join(self._body_lines))
        if body is None:
            raise malformed("the body of a recipient is not canonical base64")
        self._stanzas.append(Stanza(arguments=self._arguments or (), body=body))
        self._arguments, self._body_lines = None, []

    def _read_mac_line(self, line: bytes, start: int) -> None:
        mac = decode_base64(line[len(MAC_MARK) + 1 :])
        if line[: len(MAC_MARK) + 1] != MAC_MARK + b" " or mac is None or len(mac) != MAC_SIZE:
            raise malformed("the MAC line is not a space and the canonical base64 of 32 bytes")
        if not self._stanzas:
            raise malformed("it has no recipient")
        self._covered = bytes(self._buffer[: start + len(MAC_MARK)])
        self._mac = mac


def _stanza_arguments(line: bytes) -> tuple[str, ...]:
    mark, *arguments = line.split(b" ")
    if mark != STANZA_MARK or not arguments or not all(_ARGUMENT.fullmatch(argument) for argument in arguments):
        raise malformed("a recipient's first line is not a mark and arguments parted by single spaces")
    return tuple(argument.decode("ascii") for argument in arguments)
