# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Notifications over HTTP to real servers: what arrives, what is tried again, and what is told of a failure."""

from __future__ import annotations

import socket
import threading
import time
from typing import Any

import pytest
from backupdb.errors import CredentialsMissing
from backupdb.notify.message import Event
from backupdb.notify.sending import send_all
from support.receivers import WEB_TYPES, receiver_options, sent_names, web_receiver

TOKEN = "T0KEN-canary-7f3a9"
FAILURE = Event("failure", "Backup failed on db1", ("shop/orders: disk full",), "db1", "nightly")


def send(options: dict[str, Any], event: Event = FAILURE) -> dict[str, Any]:
    """What became of one notification; no part of the address is in it."""
    (outcome,) = send_all([options], event)
    assert TOKEN not in str(outcome)
    return outcome


@pytest.mark.parametrize("kind", WEB_TYPES)
def test_a_failure_arrives_with_its_reason(kind: str) -> None:
    with web_receiver() as receiver:
        outcome = send(receiver_options(kind, receiver.url(f"/{TOKEN}")))
    assert outcome == {"name": f"the {kind}", "type": kind, "sent": True, "attempts": 1, "error": None}
    (request,) = receiver.received
    assert request.path == f"/{TOKEN}" + ("/fail" if kind == "ping" else "")
    assert "shop/orders: disk full" in request.body
    assert "Backup failed on db1" in request.body
    assert request.content_type == ("text/plain; charset=utf-8" if kind == "ping" else "application/json")
    if kind != "ping":
        assert request.json()


def test_only_those_who_want_an_event_are_told_of_it() -> None:
    with web_receiver() as receiver:
        notifications = [
            receiver_options("webhook", receiver.url("/failures")),
            receiver_options("slack", receiver.url("/all"), events=["start", "success", "failure"]),
            receiver_options("ping", receiver.url("/check")),
        ]
        for kind in ("start", "success", "failure"):
            told = send_all(notifications, Event(kind, kind))
            assert sent_names(told) == [entry["name"] for entry in told]
    assert sorted(receiver.paths) == sorted(
        ["/failures", "/all", "/all", "/all", "/check/start", "/check", "/check/fail"]
    )


def test_a_server_in_trouble_is_tried_again_after_a_growing_wait() -> None:
    with web_receiver(500, 429, 200) as receiver:
        started = time.monotonic()
        outcome = send(receiver_options("webhook", receiver.url(f"/{TOKEN}"), backoff="0.2s"))
        seconds = time.monotonic() - started
    assert (outcome["sent"], outcome["attempts"], outcome["error"]) == (True, 3, None)
    assert 0.6 <= seconds < 5


def test_trying_ends_after_the_attempts_with_the_last_reason() -> None:
    with web_receiver(503) as receiver:
        outcome = send(receiver_options("slack", receiver.url(f"/{TOKEN}"), attempts=2))
    assert (outcome["sent"], outcome["attempts"], len(receiver.received)) == (False, 2, 2)
    assert outcome["error"] == f"127.0.0.1:{receiver.port} answered 503 Service Unavailable"


@pytest.mark.parametrize("status", [400, 403, 404, 410])
def test_what_will_never_be_taken_is_tried_once(status: int) -> None:
    with web_receiver(status) as receiver:
        outcome = send(receiver_options("teams", receiver.url(f"/{TOKEN}")))
    assert (outcome["sent"], outcome["attempts"]) == (False, 1)
    assert f"answered {status}" in outcome["error"]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed_because_the_message_would_be_lost_or_go_to_someone_else(status: int) -> None:
    with web_receiver() as other, web_receiver(status, location=other.url(f"/{TOKEN}")) as receiver:
        outcome = send(receiver_options("ping", receiver.url(f"/{TOKEN}")))
    assert not outcome["sent"]
    assert f"redirect ({status})" in outcome["error"]
    assert other.received == []
    assert outcome["attempts"] == 1


def test_a_refused_connection_is_told_with_host_and_port() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    outcome = send(receiver_options("webhook", f"http://127.0.0.1:{port}/{TOKEN}", attempts=2))
    assert outcome["attempts"] == 2
    assert outcome["error"] == f"127.0.0.1:{port} cannot be reached: Connection refused"


def test_an_unknown_host_is_told() -> None:
    outcome = send(receiver_options("webhook", f"http://no-such-host.invalid/{TOKEN}", attempts=1))
    assert "no-such-host.invalid cannot be reached" in outcome["error"]


def test_a_server_that_never_answers_costs_no_more_than_the_timeouts() -> None:
    with web_receiver(0) as receiver:
        started = time.monotonic()
        outcome = send(receiver_options("webhook", receiver.url(f"/{TOKEN}"), timeout="1s", attempts=2))
        seconds = time.monotonic() - started
    assert not outcome["sent"]
    assert "did not answer in 1 s" in outcome["error"]
    assert seconds < 4


def test_a_server_that_answers_a_byte_at_a_time_does_not_hold_up_the_run() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        options = receiver_options("webhook", f"http://127.0.0.1:{server.getsockname()[1]}/", timeout="1s", attempts=1)
        server.settimeout(5)

        def drip() -> None:
            connection, _address = server.accept()
            with connection:
                connection.settimeout(5)
                for _number in range(40):
                    try:
                        connection.sendall(b"H")
                    except OSError:
                        return
                    time.sleep(0.2)

        threading.Thread(target=drip, daemon=True).start()
        started = time.monotonic()
        outcome = send(options)
        assert time.monotonic() - started < 4
    assert outcome["error"] == "it had not ended after 1 s"


def test_what_is_no_web_server_gives_a_reason_and_no_traceback(capfd: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def greet() -> None:
            connection, _address = server.accept()
            with connection:
                connection.sendall(f"SSH-2.0-{TOKEN}\r\n".encode())

        threading.Thread(target=greet, daemon=True).start()
        outcome = send(receiver_options("webhook", f"http://127.0.0.1:{server.getsockname()[1]}/{TOKEN}", attempts=1))
    assert "cannot be reached" in outcome["error"]
    assert capfd.readouterr() == ("", "")


def test_a_start_is_announced_once_so_that_it_does_not_hold_up_what_begins() -> None:
    with web_receiver(500) as receiver:
        outcome = send(receiver_options("ping", receiver.url("/check")), Event("start", "It begins"))
    assert (outcome["sent"], outcome["attempts"]) == (False, 1)


def test_one_bad_notification_keeps_no_other_from_being_sent() -> None:
    with web_receiver() as receiver:
        outcomes = send_all(
            [
                {"name": "broken", "type": "webhook"},
                receiver_options("webhook", "http://127.0.0.1:1/", attempts=1),
                receiver_options("slack", receiver.url("/")),
            ],
            FAILURE,
        )
    assert sent_names(outcomes) == ["the slack"]
    assert "url" in outcomes[0]["error"]
    assert len(outcomes) == 3


def test_secrets_that_cannot_be_had_are_a_reason_and_no_error() -> None:
    class NoSecrets:
        def notification(self, name: str) -> dict[str, str]:
            raise CredentialsMissing(f"the secrets of {name} are not there")

    (outcome,) = send_all([{"name": "hook", "type": "webhook"}], FAILURE, NoSecrets())
    assert outcome["error"] == "the secrets of hook are not there"


def test_check_mode_sends_nothing_and_tells_who_would_be_told() -> None:
    with web_receiver() as receiver:
        outcomes = send_all([receiver_options("webhook", receiver.url("/"))], FAILURE, check_mode=True)
    assert outcomes == [{"name": "the webhook", "type": "webhook", "sent": False, "attempts": 0, "error": None}]
    assert receiver.received == []
