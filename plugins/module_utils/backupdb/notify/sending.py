# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Send the notifications of an event, and report those that could not be sent.

A message that does not arrive must not cost a backup, nor much of its time: everything that can go wrong with one
becomes words in a result, all receivers are tried at the same time, and none longer than its options say.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Callable, Protocol

from ..errors import BackupDbError, NotificationFailed
from .apprise import require_library, send_apprise
from .mail import send_email
from .message import TEST, Event
from .settings import Notification, notification_from
from .web import send_ping, send_slack, send_teams, send_webhook

_SENDERS: Mapping[str, Callable[[Notification, Event], None]] = {
    "email": send_email,
    "webhook": send_webhook,
    "slack": send_slack,
    "teams": send_teams,
    "ping": send_ping,
    "apprise": send_apprise,
}
_GRACE = 1.0  # seconds


class NotificationSecrets(Protocol):
    """Where the secret options of a notification come from."""

    def notification(self, name: str) -> Mapping[str, Any]:
        """Return them; may raise a `BackupDbError`."""


def send_all(
    notifications: Sequence[Mapping[str, Any]],
    event: Event,
    secrets: NotificationSecrets | None = None,
    *,
    check_mode: bool = False,
) -> list[dict[str, Any]]:
    """Send the event to all that want it, and return one `{name, type, sent, attempts, error}` for each; never raises.

    Options of a notification that cannot be read are reported in the same way. In check mode nothing is sent.
    """
    outcomes: list[dict[str, Any]] = []
    deliveries: list[tuple[threading.Thread, float, dict[str, Any]]] = []
    started = time.monotonic()
    for options in notifications:
        outcome = {
            "name": options.get("name"),
            "type": options.get("type"),
            "sent": False,
            "attempts": 0,
            "error": None,
        }
        try:
            notification = _read(options, secrets)
        except BackupDbError as error:
            outcomes.append({**outcome, "error": str(error)})
            continue
        if event.kind not in (TEST, *notification.events):
            continue
        if event.kind in ("start", TEST):  # neither what is about to begin nor a person waits long for a receiver
            notification = replace(notification, attempts=1)
        outcomes.append(outcome)
        if check_mode:
            continue
        thread = threading.Thread(target=_deliver, args=(notification, event, outcome), name="notify", daemon=True)
        deliveries.append((thread, notification.longest, outcome))
        thread.start()
    for thread, longest, outcome in deliveries:
        thread.join(max(0.0, started + longest + _GRACE - time.monotonic()))
        if not outcome["sent"] and outcome["error"] is None:
            outcome["error"] = f"it had not ended after {longest:.0f} s"
    return [dict(outcome) for outcome in outcomes]


def require_libraries(notification: Notification) -> None:
    """Raise `RequirementMissing` where a library is not installed that a notification needs."""
    if notification.type == "apprise":
        require_library()


def _read(options: Mapping[str, Any], secrets: NotificationSecrets | None) -> Notification:
    name = str(options.get("name") or "")
    return notification_from(options, secrets.notification(name) if secrets is not None else {})


def _deliver(notification: Notification, event: Event, outcome: dict[str, Any]) -> None:
    """Try until it is sent, until trying again is of no use, or as often as the options say."""
    for attempt in range(1, notification.attempts + 1):
        outcome["attempts"] = attempt
        try:
            _SENDERS[notification.type](notification, event)
        except NotificationFailed as error:
            outcome["error"] = str(error)
            if not error.temporary or attempt == notification.attempts:
                return
        else:
            outcome.update(sent=True, error=None)
            return
        time.sleep(notification.backoff * 2 ** (attempt - 1))
