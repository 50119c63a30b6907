# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Messages over HTTP: what each kind of receiver wants to read, and one POST that brings it there."""

from __future__ import annotations

import http.client
import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from ..errors import NotificationFailed
from ..system.text import iso
from ..version import VERSION
from .message import TEST, Event, lines_of, texts_of, title_of
from .settings import Notification
from .tls import reason_of, tls_context

_SYMBOLS = {"start": "▶", "success": "✔", "failure": "✖", TEST: "•"}
_COLOURS = {"start": "default", "success": "good", "failure": "attention", TEST: "default"}
_PING_PATHS = {"start": "/start", "success": "", "failure": "/fail", TEST: "/log"}  # what is logged changes no state
_TEMPORARY = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS)


def send_webhook(notification: Notification, event: Event) -> None:
    """POST the event as JSON; docs/notifications.md describes its keys."""
    _post_json(notification, webhook_body(event))


def send_slack(notification: Notification, event: Event) -> None:
    """POST to an incoming webhook of Slack, Mattermost or Rocket.Chat."""
    _post_json(notification, slack_body(event))


def send_teams(notification: Notification, event: Event) -> None:
    """POST to an incoming webhook or workflow of Microsoft Teams."""
    _post_json(notification, teams_body(event))


def send_ping(notification: Notification, event: Event) -> None:
    """POST to the address of a Healthchecks-style check, or its `/start`, `/fail` or `/log`; the lines are its log."""
    body = texts_of([title_of(event), *lines_of(event)])
    _post(notification, ping_url(notification.url, event.kind), body.encode(), "text/plain; charset=utf-8")


def webhook_body(event: Event) -> dict[str, Any]:
    """Return the event for programs."""
    return {
        "schema": 1,
        "event": event.kind,
        "title": title_of(event),
        "lines": lines_of(event),
        "host": event.host,
        "job": event.job,
        "time": iso(event.moment),
        "details": dict(event.details),
    }


def slack_body(event: Event) -> dict[str, Any]:
    """Return the event as text in which no name can mention people, make a link or leave the block it is in."""
    lines = lines_of(event)
    text = f"{_SYMBOLS[event.kind]} {_harmless(title_of(event))}"
    return {"text": f"{text}\n```\n{_harmless(texts_of(lines))}```" if lines else text}


def teams_body(event: Event) -> dict[str, Any]:
    """Return the event as an adaptive card of text runs, which unlike text blocks know no markup."""
    title = {"type": "TextRun", "text": title_of(event), "weight": "bolder", "color": _COLOURS[event.kind]}
    lines = [{"type": "TextRun", "text": line, "fontType": "monospace"} for line in lines_of(event)]
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.2",
        "body": [{"type": "RichTextBlock", "inlines": [run]} for run in (title, *lines)],
    }
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return {"type": "message", "attachments": [attachment]}


def ping_url(url: str, kind: str) -> str:
    """Return the address that says so, with the query, where there is one, kept behind it."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(path=parts.path.rstrip("/") + _PING_PATHS[kind]))


def _harmless(text: str) -> str:
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return escaped.replace("`", "'").replace("@", "@\N{ZERO WIDTH SPACE}")


def _post_json(notification: Notification, body: Mapping[str, Any]) -> None:
    text = json.dumps(body, ensure_ascii=False, default=str)
    _post(notification, notification.url, text.encode("utf-8", "replace"), "application/json")


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect would turn the POST into a GET, and could carry what is in the address to someone else."""

    def redirect_request(self, *_arguments: Any) -> None:
        """Follow nothing: urllib then raises the answer as an `HTTPError`."""


def _post(notification: Notification, url: str, body: bytes, content_type: str) -> None:
    """Send the body; raises `NotificationFailed` whose text has of the address no more than host and port.

    The words of the answer are not repeated either: they may repeat the address.
    """
    where = notification.receiver
    headers = {"Content-Type": content_type, "User-Agent": f"vya.backupdb/{VERSION}"}
    request = urllib.request.Request(url, data=body, headers=headers, method="POST")  # noqa: S310  checked: http or https
    tls = urllib.request.HTTPSHandler(context=tls_context(notification.ca_cert))
    try:
        with urllib.request.build_opener(tls, _NoRedirect).open(request, timeout=notification.timeout):
            pass
    except urllib.error.HTTPError as error:
        error.close()
        raise _refused(where, error.code) from None
    except urllib.error.URLError as error:
        raise reason_of(error.reason, where, notification.timeout) from None
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise reason_of(error, where, notification.timeout) from None


def _refused(where: str, status: int) -> NotificationFailed:
    if 300 <= status < 400:
        return NotificationFailed(f"{where} answered with a redirect ({status}); set url to where it leads")
    known = {item.value: item.phrase for item in HTTPStatus}
    temporary = status >= 500 or status in _TEMPORARY
    return NotificationFailed(f"{where} answered {status} {known.get(status, '')}".rstrip(), temporary=temporary)
