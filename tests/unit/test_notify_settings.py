# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of notifications: what cannot be sent is refused with its reason, and never with a secret."""

from __future__ import annotations

import importlib
import sys
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ModuleArgumentSpecValidator
from backupdb.errors import InvalidOption
from backupdb.notify.message import KINDS, Event
from backupdb.notify.options import OPTIONS, SECRET_OPTIONS, TYPES
from backupdb.notify.sending import send_all
from backupdb.notify.settings import check_notifications, notification_from
from support.ansible import ROOT

CANARY = "T0KEN-canary-7f3a9"
MAIL = {"name": "mail", "type": "email", "smtp_host": "mail.example.org", "from": "a@example.org", "to": ["b@c.org"]}
HOOK = {"name": "hook", "type": "webhook"}
MODULE_UTILS = "ansible_collections.vya.backupdb.plugins.module_utils"
job_arguments = importlib.import_module(f"{MODULE_UTILS}.module_support.argument_specs.jobs")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({**HOOK, "url": f"ftp://example.org/{CANARY}"}, "https://hooks.example.org"),
        ({**HOOK, "url": f"https://example.org/{CANARY} x"}, "%XX"),
        ({**HOOK, "url": f"https://example.org/{CANARY}\r\nX: y"}, "%XX"),
        ({**HOOK, "url": f"https://exämple.org/{CANARY}"}, "%XX"),
        ({**HOOK, "url": f"https://me:{CANARY}@example.org/"}, "login before the host name"),
        ({**HOOK, "url": f"https://example.org:99999/{CANARY}"}, "https://hooks.example.org"),
        ({**HOOK, "url": f"https://[{CANARY}/"}, "https://hooks.example.org"),
        ({**HOOK, "url": None}, "not given"),
        ({**HOOK, "name": ""}, "needs a name"),
        ({**HOOK, "name": "a\nb"}, "one line"),
        ({**HOOK, "type": "pager"}, f"must be one of {', '.join(TYPES)}"),
        ({**HOOK, "url": "https://x.org", "events": ["partial"]}, "must be one of start, success, failure"),
        ({**HOOK, "url": "https://x.org", "attempts": 0}, "from 1 to 10"),
        ({**HOOK, "url": "https://x.org", "attempts": "many"}, "whole number"),
        ({**HOOK, "url": "https://x.org", "timeout": "soon"}, "timeout"),
        ({**HOOK, "url": "https://x.org", "timeout": "1d"}, "300 seconds"),
        ({**HOOK, "url": "https://x.org", "retries": 3}, "has no option retries"),
        ({**MAIL, "to": []}, "list of mail addresses"),
        ({**MAIL, "to": ["b@c.org\r\nBcc: d@e.org"]}, "one line"),
        ({**MAIL, "to": ["b@c.org, d@e.org"]}, "bare mail address"),
        ({**MAIL, "from": "Backup <a@b.org>"}, "bare mail address"),
        ({**MAIL, "smtp_host": None}, "smtp_host"),
        ({**MAIL, "smtp_port": 70000}, "65535"),
        ({**MAIL, "smtp_user": "backup"}, "no smtp_password"),
        ({**MAIL, "smtp_user": "backup", "smtp_password": CANARY, "smtp_tls": "none"}, "unencrypted"),
    ],
)
def test_options_that_cannot_work_are_refused_without_a_secret(options: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidOption) as caught:
        notification_from(options, {})
    assert words in str(caught.value)
    assert CANARY not in str(caught.value)


def test_a_secret_option_may_be_kept_apart_and_is_in_no_representation() -> None:
    hook = notification_from(HOOK, {"url": f"https://example.org:8443/{CANARY}?key={CANARY}"})
    mail = notification_from({**MAIL, "smtp_user": "backup"}, {"smtp_password": CANARY})
    assert CANARY in hook.url
    assert mail.smtp_password == CANARY
    assert hook.receiver == "example.org:8443"
    assert CANARY not in repr(hook) + repr(mail) + str(hook) + str(mail)


@pytest.mark.parametrize(("tls", "port"), [("starttls", 587), ("tls", 465), ("none", 25)])
def test_the_port_of_a_mail_server_follows_from_how_tls_begins(tls: str, port: int) -> None:
    assert notification_from({**MAIL, "smtp_tls": tls}, {}).smtp_port == port
    assert notification_from({**MAIL, "smtp_tls": tls, "smtp_port": 2525}, {}).smtp_port == 2525


def test_failures_are_told_and_pings_hear_of_every_event() -> None:
    assert notification_from(MAIL, {}).events == ("failure",)
    assert notification_from({**HOOK, "type": "ping", "url": "https://x.org"}, {}).events == (
        "start",
        "success",
        "failure",
    )


def test_numbers_and_single_values_may_be_texts_as_variables_make_them() -> None:
    mail = notification_from({**MAIL, "smtp_port": "2525", "attempts": "2", "to": "b@c.org", "events": "success"}, {})
    assert (mail.smtp_port, mail.attempts, mail.recipients, mail.events) == (2525, 2, ("b@c.org",), ("success",))


def test_the_longest_time_counts_every_attempt_and_every_wait() -> None:
    options = {**HOOK, "url": "https://x.org", "timeout": "10s", "attempts": 4, "backoff": "5s"}
    assert notification_from(options, {}).longest == 4 * 10 + 5 + 10 + 20


def test_a_check_beforehand_finds_what_needs_no_secret() -> None:
    check_notifications([HOOK, {**MAIL, "smtp_user": "backup"}])
    check_notifications([{**HOOK, "url": "https://x.org"}])
    with pytest.raises(InvalidOption, match="more than once"):
        check_notifications([HOOK, {**MAIL, "name": "hook"}])
    with pytest.raises(InvalidOption, match="unencrypted"):
        check_notifications([{**MAIL, "smtp_user": "backup", "smtp_tls": "none"}])
    with pytest.raises(InvalidOption, match="smtp_host"):
        check_notifications([{**MAIL, "smtp_host": ""}])


def test_the_definition_of_a_job_refuses_a_notification_that_can_never_be_sent() -> None:
    spec = job_arguments.job_spec()
    backup = {"instance": "shop", "engine": "mariadb", "login_host": "h", "repository": "/srv", "recipients": ["age1x"]}

    def job_with(*notifications: dict[str, Any]) -> Any:
        given = {"name": "nightly", "backups": [backup], "notifications": list(notifications)}
        outcome = ModuleArgumentSpecValidator(spec).validate(given)
        assert outcome.error_messages == []
        return job_arguments.job_of(outcome.validated_parameters, "job nightly")

    assert job_with(HOOK, {**MAIL, "smtp_user": "backup"}).notifications[0] == HOOK
    with pytest.raises(job_arguments.InvalidOption, match="job nightly: notification 'mail' needs option smtp_host"):
        job_with({**MAIL, "smtp_host": None})


def test_addresses_and_passwords_may_be_kept_apart() -> None:
    assert SECRET_OPTIONS == ("url", "smtp_password")


def test_the_page_on_notifications_names_every_option_type_and_event() -> None:
    page = (ROOT / "docs" / "notifications.md").read_text(encoding="utf-8")
    assert [
        word for word in (*OPTIONS, *TYPES, *KINDS) if f"`{word}`" not in page and f"    {word}: " not in page
    ] == []


def test_an_address_of_apprise_is_any_with_a_scheme_and_is_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    options = {"name": "other", "type": "apprise", "attempts": 1}
    found = notification_from(options, {"url": "tgram://123456:secret/chat"})
    assert (found.receiver, "secret" in repr(found)) == ("tgram:// (Apprise)", False)
    check_notifications([options])
    for url in ("", "tgram", "tgram://", "://secret", "tgram://secret chat", "tgram://ge\u0301heim"):
        with pytest.raises(InvalidOption) as refused:
            notification_from(options, {"url": url})
        assert "tgram://TOKEN/CHAT" in str(refused.value) or "ASCII" in str(refused.value)
        assert "secret" not in str(refused.value)
    with pytest.raises(InvalidOption, match="which Apprise does not take"):
        notification_from({**options, "ca_cert": "/etc/ca.pem"}, {"url": "tgram://secret/chat"})
    monkeypatch.setitem(sys.modules, "apprise", None)  # as where it is not installed
    (outcome,) = send_all([{**options, "url": "tgram://secret/chat"}], Event("failure", "it failed"))
    assert not outcome["sent"]
    assert "python3-apprise" in outcome["error"] and "secret" not in outcome["error"]
