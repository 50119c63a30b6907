# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is notified, of what, and how: one notification, read from its options."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from ..errors import InvalidOption
from ..system.options import defaults_of, duration_from
from ..system.text import one_line
from .message import KINDS
from .options import OPTIONS, TLS_MODES, TYPES

_KEPT_APART = {"url": "https://kept.apart/", "smtp_password": "kept apart"}
_PORTS = {"starttls": 587, "tls": 465, "none": 25}
_MOST_ATTEMPTS = 10
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{0,40}://.")
_LONGEST_NUMBER = 12  # digits
_LONGEST_WAIT = 300.0  # seconds


@dataclass(frozen=True)
class Notification:
    """One receiver. The secrets are in no representation of it."""

    name: str
    type: str
    events: tuple[str, ...]
    url: str = field(repr=False)
    smtp_host: str
    smtp_port: int
    smtp_tls: str
    smtp_user: str
    smtp_password: str = field(repr=False)
    sender: str
    recipients: tuple[str, ...]
    ca_cert: str | None
    timeout: float  # seconds, of one attempt
    attempts: int
    backoff: float  # seconds before the second attempt; doubles with each further one

    @property
    def receiver(self) -> str:
        """Where it goes, as far as that may be shown: the rest of an address is often a secret."""
        if self.type == "email":
            return f"{self.smtp_host}:{self.smtp_port}"
        if self.type == "apprise":  # any part of its address may be a token
            return f"{urlsplit(self.url).scheme}:// (Apprise)"
        return urlsplit(self.url).netloc

    @property
    def longest(self) -> float:
        """Seconds within which all attempts have ended."""
        waits = sum(self.backoff * 2.0**attempt for attempt in range(self.attempts - 1))
        return self.attempts * self.timeout + waits


def notification_from(options: Mapping[str, Any], secret: Mapping[str, Any]) -> Notification:
    """Read one notification; `secret` has the options kept apart, and wins. Raises `InvalidOption`, free of secrets."""
    name = str(options.get("name") or "")
    given = {**options, **{option: value for option, value in secret.items() if value}}
    unknown = sorted(set(given) - set(OPTIONS))
    if unknown:
        raise _wrong(name, f"has no option {', '.join(unknown)}")
    chosen = {**defaults_of(OPTIONS), **{option: value for option, value in given.items() if value is not None}}
    if not name or name != one_line(name):
        raise InvalidOption("every notification needs a name of one line, by which results and secrets refer to it")
    kind = _one_of(name, "type", chosen["type"], TYPES)
    tls = _one_of(name, "smtp_tls", chosen["smtp_tls"], TLS_MODES)
    is_mail = kind == "email"
    return Notification(
        name=name,
        type=kind,
        events=_events(name, kind, chosen["events"]),
        url="" if is_mail else _url(name, kind, chosen["url"]),
        smtp_host=_header(name, "smtp_host", chosen["smtp_host"]) if is_mail else "",
        smtp_port=_whole(name, "smtp_port", chosen["smtp_port"] or _PORTS[tls], 65535),
        smtp_tls=tls,
        smtp_user=str(chosen["smtp_user"] or ""),
        smtp_password=_password(name, chosen, tls),
        sender=_address(name, "from", chosen["from"]) if is_mail else "",
        recipients=_addresses(name, chosen["to"]) if is_mail else (),
        ca_cert=_ca_cert(name, kind, chosen["ca_cert"]),
        timeout=_seconds(name, chosen, "timeout", 1.0),
        attempts=_whole(name, "attempts", chosen["attempts"], _MOST_ATTEMPTS),
        backoff=_seconds(name, chosen, "backoff", 0.0),
    )


def check_notifications(notifications: Sequence[Mapping[str, Any]]) -> None:
    """Refuse what can never be sent, before anything is run; raises `InvalidOption`.

    Secrets are not known here, so an address that is missing counts as kept apart.
    """
    names = [options.get("name") for options in notifications]
    for name in names:
        if names.count(name) > 1:
            raise InvalidOption(f"notification {name!r} is there more than once; give each one a name of its own")
    for options in notifications:
        notification_from({**_KEPT_APART, **{option: value for option, value in options.items() if value}}, {})


def _events(name: str, kind: str, events: Any) -> tuple[str, ...]:
    # Who waits for pings must hear of every run, or silence means nothing.
    listed = [events] if isinstance(events, str) else events
    chosen = tuple(listed) if listed is not None else KINDS if kind == "ping" else ("failure",)
    for event in chosen:
        _one_of(name, "events", event, KINDS)
    return chosen


def _ca_cert(name: str, kind: str, path: Any) -> str | None:
    if path and kind == "apprise":
        raise _wrong(name, "has ca_cert, which Apprise does not take; let the system trust the certificate")
    return str(path) if path else None


def _url(name: str, kind: str, url: Any) -> str:
    text = str(url or "")
    example = "tgram://TOKEN/CHAT" if kind == "apprise" else "https://hooks.example.org/services/x"
    wanted = f"option url must be an address such as {example}"
    if not text:
        raise _wrong(name, f"{wanted}, and is not given")
    if not text.isascii() or any(character <= " " or character == "\x7f" for character in text):
        raise _wrong(name, f"{wanted}; encode spaces and other characters outside of ASCII as %XX")
    if kind == "apprise":  # what it means is known to the library alone
        if not _SCHEME.match(text):
            raise _wrong(name, wanted)
        return text
    try:
        parts = urlsplit(text)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:  # its text would quote the address
        usable = False
    if not usable:
        raise _wrong(name, wanted)
    if "@" in parts.netloc:
        raise _wrong(name, f"{wanted}; a login before the host name is not supported")
    return text


def _password(name: str, chosen: Mapping[str, Any], tls: str) -> str:
    user, password = chosen["smtp_user"], str(chosen["smtp_password"] or "")
    if user and not password:
        raise _wrong(name, "has smtp_user, but no smtp_password")
    if user and tls == "none":
        raise _wrong(name, "would send its password unencrypted; set smtp_tls to starttls or tls, or remove smtp_user")
    return password


def _addresses(name: str, addresses: Any) -> tuple[str, ...]:
    listed = list(addresses or ()) if isinstance(addresses, (list, tuple)) else [addresses] if addresses else []
    if not listed:
        raise _wrong(name, "needs option to, a list of mail addresses")
    return tuple(_address(name, "to", address) for address in listed)


def _address(name: str, option: str, address: Any) -> str:
    text = _header(name, option, address)
    local, at, domain = text.rpartition("@")
    if not (local and at and domain) or any(character in text for character in ' ,;<>"()'):
        raise _wrong(name, f"option {option}: {text!r} is not a bare mail address such as dba@example.org")
    return text


def _header(name: str, option: str, value: Any) -> str:
    text = str(value or "")
    if not text or text != one_line(text):
        raise _wrong(name, f"needs option {option}, a text of one line")
    return text


def _whole(name: str, option: str, value: Any, most: int) -> int:
    # Where a variable holds it, Ansible makes it a text.
    text = str(value)
    if not (text.isascii() and text.isdecimal() and len(text) <= _LONGEST_NUMBER and 1 <= int(text) <= most):
        raise _wrong(name, f"option {option} must be a whole number from 1 to {most}, not {value!r}")
    return int(value)


def _seconds(name: str, chosen: Mapping[str, Any], option: str, least: float) -> float:
    try:
        seconds = duration_from(chosen, option) or 0.0
    except InvalidOption as error:
        raise _wrong(name, str(error)) from error
    if not least <= seconds <= _LONGEST_WAIT:
        raise _wrong(name, f"option {option} must be from {least:.0f} to {_LONGEST_WAIT:.0f} seconds")
    return seconds


def _one_of(name: str, option: str, value: Any, choices: Sequence[str]) -> str:
    if value not in choices:
        raise _wrong(name, f"option {option} must be one of {', '.join(choices)}, not {value!r}")
    return str(value)


def _wrong(name: str, what: str) -> InvalidOption:
    return InvalidOption(f"notification {name!r} {what}")
