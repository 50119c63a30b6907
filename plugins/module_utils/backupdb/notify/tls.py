# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is trusted to be the receiver, and what went wrong on the way there."""

from __future__ import annotations

import socket
import ssl

from ..errors import NotificationFailed


def tls_context(ca_cert: str | None) -> ssl.SSLContext:
    """Return a context that verifies certificate and host name, against `ca_cert` alone where it is given."""
    try:
        return ssl.create_default_context(cafile=ca_cert)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "it holds no certificates"
        raise NotificationFailed(f"the certificates in {ca_cert} cannot be read: {reason}") from error


def reason_of(error: object, where: str, timeout: float) -> NotificationFailed:
    """Return what it means that the way to `where` ended with this error; its text has no part of what was sent."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return NotificationFailed(
            f"the certificate of {where} is not trusted: {error.verify_message}; "
            "set ca_cert to the certificate of its authority"
        )
    if isinstance(error, (TimeoutError, socket.timeout)):  # one and the same only since Python 3.10
        return NotificationFailed(f"{where} did not answer in {timeout:.0f} s", temporary=True)
    reason = error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
    return NotificationFailed(f"{where} cannot be reached: {reason}", temporary=True)
