# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Messages through the library Apprise, which knows a hundred services by the schemes of their addresses.

It is not required: only who has such a notification needs it. Its addresses hold the tokens of the services, in any of
their parts, so nothing but the scheme of one is ever shown, and what the library itself logs goes nowhere.
"""

from __future__ import annotations

import logging

from ..errors import NotificationFailed, RequirementMissing
from .message import TEST, Event, lines_of, texts_of, title_of
from .settings import Notification

_KINDS = {"start": "info", "success": "success", "failure": "failure", TEST: "info"}  # of Apprise
_MISSING = (
    "notifications of the type apprise need the Python library apprise; install apprise (Debian, Ubuntu), "
    "python3-apprise (Enterprise Linux, from EPEL) or apprise (PyPI)"
)
_UNKNOWN = "Apprise does not know such an address; see its documentation for how one is written"
_NOT_SENT = "was not sent, and Apprise does not say why; try the address with its program apprise -vv"


def require_library() -> None:
    """Raise `RequirementMissing`, which names the packages, where the library is not installed."""
    try:
        import apprise  # noqa: F401
    except ImportError:
        raise RequirementMissing(_MISSING, library="apprise") from None


def send_apprise(notification: Notification, event: Event) -> None:
    """Hand the message to the library; raises `NotificationFailed`, never with the address in it."""
    try:
        require_library()
    except RequirementMissing as error:
        raise NotificationFailed(f"{notification.receiver}: {error}") from None
    from apprise import Apprise, AppriseAsset

    logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)
    # No files and no plugins of somebody else's, and in this thread, which has a time limit.
    asset = AppriseAsset(app_id="vya.backupdb", plugin_paths=[], async_mode=False, secure_logging=True)
    services = Apprise(asset=asset)
    if not services.add(notification.url):
        raise NotificationFailed(f"{notification.receiver}: {_UNKNOWN}")
    for service in services:
        service.socket_connect_timeout = service.socket_read_timeout = notification.timeout
    body = _harmless(texts_of(lines_of(event)))
    if not services.notify(body, title=_harmless(title_of(event)), notify_type=_KINDS[event.kind], body_format="text"):
        raise NotificationFailed(f"{notification.receiver} {_NOT_SENT}", temporary=True)


def _harmless(text: str) -> str:
    """Return a text in which no name mentions people."""
    return text.replace("@", "@\N{ZERO WIDTH SPACE}")
