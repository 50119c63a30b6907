# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Messages by mail."""

from __future__ import annotations

import smtplib
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, make_msgid

from ..errors import NotificationFailed
from ..system.text import one_line
from .message import Event, lines_of, texts_of, title_of
from .settings import Notification
from .tls import reason_of, tls_context

_LONGEST_REPLY = 200  # characters


def send_email(notification: Notification, event: Event) -> None:
    """Hand one mail for all recipients to the server; raises `NotificationFailed`, never with the password in it."""
    try:
        with _connected(notification) as server:
            if notification.smtp_tls == "starttls":
                server.starttls(context=tls_context(notification.ca_cert))
            if notification.smtp_user:
                server.login(notification.smtp_user, notification.smtp_password)
            refused = server.send_message(mail_of(notification, event))
    except (OSError, ValueError, smtplib.SMTPException) as error:
        raise _failed(notification, error) from None
    if refused:
        reasons = "; ".join(f"{address}: {_reply(*answer)}" for address, answer in refused.items())
        raise NotificationFailed(f"{notification.receiver} took the mail, but not for {reasons}")


def mail_of(notification: Notification, event: Event) -> EmailMessage:
    """Return the mail. Its domain is the sender's, because looking up the host's own may take long."""
    mail = EmailMessage(policy=SMTP)
    mail["Subject"] = title_of(event)
    mail["From"] = notification.sender
    mail["To"] = ", ".join(notification.recipients)
    mail["Date"] = format_datetime(event.moment)
    mail["Message-ID"] = make_msgid(domain=notification.sender.rpartition("@")[2])
    mail["Auto-Submitted"] = "auto-generated"  # no answers from people on holiday
    mail.set_content(texts_of([title_of(event), "", *lines_of(event)]))
    return mail


def _connected(notification: Notification) -> smtplib.SMTP:
    place, timeout = (notification.smtp_host, notification.smtp_port), notification.timeout
    if notification.smtp_tls == "tls":
        return smtplib.SMTP_SSL(*place, timeout=timeout, context=tls_context(notification.ca_cert))
    return smtplib.SMTP(*place, timeout=timeout)


def _failed(notification: Notification, error: Exception) -> NotificationFailed:
    where = notification.receiver
    if isinstance(error, smtplib.SMTPAuthenticationError):  # the reply may repeat what was sent
        return NotificationFailed(f"{where} refuses the login of {notification.smtp_user} ({error.smtp_code})")
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        reasons = "; ".join(f"{address}: {_reply(*answer)}" for address, answer in error.recipients.items())
        temporary = all(400 <= answer[0] < 500 for answer in error.recipients.values())
        return NotificationFailed(f"{where} refuses every recipient: {reasons}", temporary=temporary)
    if isinstance(error, smtplib.SMTPServerDisconnected):
        return NotificationFailed(f"{where} ended the connection", temporary=True)
    if isinstance(error, smtplib.SMTPResponseException):
        reason = _reply(error.smtp_code, error.smtp_error)
        return NotificationFailed(f"{where} answered {reason}", temporary=400 <= error.smtp_code < 500)
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return NotificationFailed(f"{where} lacks what is needed: {error}; nothing was sent without it")
    if isinstance(error, OSError) and not isinstance(error, smtplib.SMTPException):
        return reason_of(error, where, notification.timeout)
    return NotificationFailed(f"{where} cannot be given the mail: {type(error).__name__}")


def _reply(code: int, words: bytes | str) -> str:
    text = words.decode(errors="replace") if isinstance(words, bytes) else words
    return f"{code} {one_line(text)[:_LONGEST_REPLY]}"
