# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Notifications through the library Apprise, to a receiver on this machine."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from backupdb.notify.message import TEST, Event
from backupdb.notify.sending import send_all
from support.receivers import web_receiver

TOKEN = "token-in-the-address-9271"
EVENT = Event("failure", "Backup job nightly on db1 failed", ("shop: disk full", "@here\nforged: line"), host="db1")


def options(url: str, **more: Any) -> dict[str, Any]:
    return {"name": "other", "type": "apprise", "url": url, "attempts": 1, "timeout": "2s", **more}


@pytest.mark.parametrize(("kind", "theirs"), [("failure", "failure"), (TEST, "info")])
def test_a_message_arrives_with_its_title_and_lines(kind: str, theirs: str) -> None:
    with web_receiver(200) as receiver:
        url = f"json://user:{TOKEN}@127.0.0.1:{receiver.port}/{TOKEN}?method=POST"
        event = Event(kind, EVENT.title, EVENT.lines, host="db1")
        (outcome,) = send_all([options(url)], event)
    assert (outcome["sent"], outcome["error"]) == (True, None)
    (request,) = receiver.received
    body = request.json()
    assert (body["title"], body["type"]) == (EVENT.title, theirs)
    assert "shop: disk full" in body["message"]
    assert "@here" not in body["message"]
    assert "\nforged" not in body["message"]


def test_what_did_not_arrive_shows_nothing_of_the_address(
    capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    with web_receiver(500) as receiver, caplog.at_level(logging.INFO):
        url = f"json://user:{TOKEN}@127.0.0.1:{receiver.port}/{TOKEN}"
        (outcome,) = send_all([options(url, attempts=2, backoff="0s")], EVENT)
        assert (outcome["sent"], outcome["attempts"], len(receiver.received)) == (False, 2, 2)
    (closed,) = send_all([options(url)], EVENT)
    (unknown,) = send_all([options(f"no-such-service://{TOKEN}")], EVENT)
    assert outcome["error"].startswith("json:// (Apprise) was not sent")
    assert not closed["sent"]
    assert unknown["error"].startswith("no-such-service:// (Apprise): Apprise does not know such an address")
    said = capfd.readouterr()
    assert TOKEN not in "".join([str([outcome, closed, unknown]), said.out, said.err, caplog.text])


def test_one_that_is_silent_delays_nobody_beyond_its_limit() -> None:
    with web_receiver(0) as receiver:
        (outcome,) = send_all([options(f"json://127.0.0.1:{receiver.port}/", timeout="1s")], EVENT)
    assert not outcome["sent"]
