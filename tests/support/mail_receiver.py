# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A mail server on this machine, with or without TLS and logins; it answers as told and keeps what it was given."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

USER = "backup"


@dataclass
class MailReceiver:
    """`replies` are given to mails in turn, the last one for ever; `refused` recipients are not taken."""

    password: str = ""
    replies: list[str] = field(default_factory=lambda: ["250 OK"])
    refused: tuple[str, ...] = ()
    port: int = 0
    mails: list[EmailMessage] = field(default_factory=list)
    recipients: list[list[str]] = field(default_factory=list)
    logins: list[bool] = field(default_factory=list)

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any) -> str:
        if address in self.refused:
            return "550 5.1.1 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        if reply.startswith("250"):
            message = message_from_bytes(envelope.content, policy=policy.default)
            self.mails.append(message)
            self.recipients.append(list(envelope.rcpt_tos))
        return reply

    def authenticate(self, _server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
        good = isinstance(data, LoginPassword) and (data.login, data.password) == (
            USER.encode(),
            self.password.encode(),
        )
        self.logins.append(good)
        # As a careless server does, it repeats what it was given.
        return AuthResult(success=good, handled=False, message=None if good else f"535 5.7.8 no: {data.password!r}")


@contextmanager
def mail_receiver(
    *, tls: str = "none", certificate: tuple[Path, Path] | None = None, **options: Any
) -> Iterator[MailReceiver]:
    """Run a mail server while the block lasts. `tls` is as in the options; with a password it wants a login."""
    receiver = MailReceiver(**options)
    server_options: dict[str, Any] = {"hostname": "127.0.0.1", "port": 0, "server_hostname": "mail.example.org"}
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
        if tls == "tls":
            server_options["ssl_context"] = context
        else:
            server_options.update(tls_context=context, require_starttls=True)
    if receiver.password:
        server_options.update(
            authenticator=receiver.authenticate, auth_required=True, auth_require_tls=tls == "starttls"
        )
    controller = _Controller(receiver, **server_options)
    controller.start()
    receiver.port = controller.port
    try:
        yield receiver
    finally:
        controller.stop()


class _Controller(Controller):
    def _trigger_server(self) -> None:
        """Try the server out where it really listens: port 0 means that the system chooses."""
        listening: Any = self.server
        self.port = listening.sockets[0].getsockname()[1]
        super()._trigger_server()


def mail_options(receiver: MailReceiver, **more: Any) -> dict[str, Any]:
    """Options of a notification that this server takes."""
    return {
        "name": "mail",
        "type": "email",
        "smtp_host": "127.0.0.1",
        "smtp_port": receiver.port,
        "smtp_tls": "none",
        "from": "backup@example.org",
        "to": ["dba@example.org"],
        "backoff": "0s",
        **more,
    }
