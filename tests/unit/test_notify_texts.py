# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Texts of notifications: nothing that a name or an error holds breaks out of its place."""

from __future__ import annotations

import json
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
from backupdb.notify.mail import mail_of
from backupdb.notify.message import Event, lines_of, title_of
from backupdb.notify.settings import notification_from
from backupdb.notify.web import ping_url, slack_body, teams_body, webhook_body
from backupdb.system.text import one_line
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

MAIL = {
    "name": "mail",
    "type": "email",
    "smtp_host": "mail.example.org",
    "from": "backup@example.org",
    "to": ["dba@example.org", "boss@example.org"],
}
EVIL = 'x"\r\nBcc: thief@example.org\r\n\r\nNothing failed\u2028\u202edlrow\x1b[2J\x00\udcff; --'
# Any text, also what Python makes of a name that is not UTF-8.
ANY_TEXT = st.text(st.characters(blacklist_categories=()), max_size=300)


def parsed(event: Event) -> EmailMessage:
    raw = mail_of(notification_from(MAIL, {}), event).as_bytes()
    message = message_from_bytes(raw, policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message


def text_of(message: EmailMessage) -> str:
    content: str = message.get_content()
    return content.replace("\r\n", "\n")


def test_a_name_with_line_breaks_adds_no_header_and_no_line() -> None:
    message = parsed(Event("failure", f"Backup of {EVIL}", (f"{EVIL}: lost",)))
    assert sorted(message.keys()) == sorted(
        [
            "Subject",
            "From",
            "To",
            "Date",
            "Message-ID",
            "Auto-Submitted",
            "MIME-Version",
            "Content-Type",
            "Content-Transfer-Encoding",
        ]
    )
    assert message["To"] == "dba@example.org, boss@example.org"
    assert "Bcc: thief@example.org" in message["Subject"]  # as a part of the subject it does no harm
    assert len(text_of(message).splitlines()) == 3


@settings(suppress_health_check=[HealthCheck.too_slow])  # the machine may be busy
@given(title=ANY_TEXT, lines=st.lists(ANY_TEXT, max_size=5))
def test_any_text_is_one_line_in_every_kind_of_message(title: str, lines: list[str]) -> None:
    event = Event("failure", title, tuple(lines))
    assert all(text == one_line(text) and len(text.splitlines()) <= 1 for text in (title_of(event), *lines_of(event)))
    message = parsed(event)
    assert message["To"] == "dba@example.org, boss@example.org"
    assert len(message.keys()) == 9
    assert text_of(message).count("\n") == 2 + len(lines)
    for body in (webhook_body(event), slack_body(event), teams_body(event)):
        json.dumps(body, ensure_ascii=False).encode()
    text = slack_body(event)["text"]
    assert text.count("```") == (2 if lines else 0)
    assert "<" not in text


def test_chat_messages_mention_nobody_and_make_no_links() -> None:
    event = Event("failure", "<!channel> failed", ("```@here <https://evil.example.org|click>", "[a](https://b)"))
    text = slack_body(event)["text"]
    assert "<!channel>" not in text
    assert "@here" not in text
    assert text.count("```") == 2
    card = teams_body(event)["attachments"][0]["content"]
    kinds = {inline["type"] for block in card["body"] for inline in block["inlines"]}
    assert kinds == {"TextRun"}  # a TextBlock would read markdown


def test_a_thousand_databases_fit_every_receiver_and_the_end_says_that_there_are_more() -> None:
    event = Event("failure", "t" * 1000, tuple(f"database {number}: " + "ü" * 2000 for number in range(1000)))
    assert len(title_of(event)) == 200
    lines = lines_of(event)
    assert lines[-1] == f"... and {1000 - len(lines) + 1} more lines"
    for body in (webhook_body(event), slack_body(event), teams_body(event)):
        assert len(json.dumps(body, ensure_ascii=False).encode()) < 28 * 1024


def test_the_webhook_has_everything_as_data() -> None:
    body = webhook_body(Event("success", "All is well", ("one",), "db1", "nightly", {"run_id": "r1", "databases": 3}))
    assert body.pop("time").endswith("Z")
    assert body == {
        "schema": 1,
        "event": "success",
        "title": "All is well",
        "lines": ["one"],
        "host": "db1",
        "job": "nightly",
        "details": {"run_id": "r1", "databases": 3},
    }


@pytest.mark.parametrize(
    ("url", "kind", "wanted"),
    [
        ("https://hc.example.org/ping/uuid", "start", "https://hc.example.org/ping/uuid/start"),
        ("https://hc.example.org/ping/uuid/", "failure", "https://hc.example.org/ping/uuid/fail"),
        ("https://hc.example.org/ping/uuid?create=1", "failure", "https://hc.example.org/ping/uuid/fail?create=1"),
        ("https://hc.example.org/ping/uuid", "success", "https://hc.example.org/ping/uuid"),
    ],
)
def test_a_ping_says_by_its_address_what_happened(url: str, kind: str, wanted: str) -> None:
    assert ping_url(url, kind) == wanted


def test_a_mail_is_not_answered_by_machines_and_carries_its_moment() -> None:
    message: Any = parsed(Event("failure", "Sicherung fehlgeschlagen: Bücher", ("Größe: 5 €",)))
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Subject"] == "Sicherung fehlgeschlagen: Bücher"
    assert "Größe: 5 €" in text_of(message)
    assert message["Message-ID"].endswith("@example.org>")
