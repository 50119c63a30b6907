# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mails to real SMTP servers, and web servers with certificates: TLS is verified, passwords stay where they belong."""

from __future__ import annotations

import base64
import smtplib
import ssl
from pathlib import Path
from typing import Any

import pytest
from backupdb.notify.message import Event
from backupdb.notify.sending import send_all
from support.mail_receiver import USER, mail_options, mail_receiver
from support.receivers import WEB_TYPES, receiver_options, web_receiver
from support.tls import CertificateAuthority

# It is about a relay that asks for logins without TLS; here TLS began before SMTP did.
pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")

PASSWORD = "canary-5d1f0e77-smtp"
TOKEN = "T0KEN-canary-7f3a9"
FAILURE = Event("failure", "Backup failed on db1", ("shop/orders: Größe > 5 €",), "db1", "nightly")
Certificate = tuple[Path, Path]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> CertificateAuthority:
    return CertificateAuthority(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def certificate(authority: CertificateAuthority) -> Certificate:
    return authority.issue("receiver", names=("127.0.0.1",))


@pytest.fixture(scope="module")
def wrong_name(authority: CertificateAuthority) -> Certificate:
    return authority.issue("other", names=("mail.example.org",))


def send(options: dict[str, Any], event: Event = FAILURE) -> dict[str, Any]:
    """What became of one notification; no secret is in it."""
    (outcome,) = send_all([options], event)
    for secret in (PASSWORD, base64.b64encode(PASSWORD.encode()).decode().rstrip("="), TOKEN):
        assert secret not in str(outcome)
    return outcome


def text_of(mail: Any) -> str:
    content: str = mail.get_content()
    return content.replace("\r\n", "\n")


@pytest.mark.parametrize("tls", ["starttls", "tls"])
def test_a_mail_arrives_over_tls_after_a_login(
    tls: str, authority: CertificateAuthority, certificate: Certificate
) -> None:
    with mail_receiver(tls=tls, certificate=certificate, password=PASSWORD) as receiver:
        outcome = send(
            mail_options(
                receiver,
                smtp_tls=tls,
                smtp_user=USER,
                smtp_password=PASSWORD,
                ca_cert=str(authority.certificate),
                to=["dba@example.org", "boss@example.org"],
            )
        )
    assert outcome == {"name": "mail", "type": "email", "sent": True, "attempts": 1, "error": None}
    assert receiver.logins == [True]
    assert receiver.recipients == [["dba@example.org", "boss@example.org"]]
    (mail,) = receiver.mails
    assert (mail["From"], mail["To"]) == ("backup@example.org", "dba@example.org, boss@example.org")
    assert mail["Subject"] == "Backup failed on db1"
    assert text_of(mail) == "Backup failed on db1\n\nshop/orders: Größe > 5 €\n"


def test_a_mail_arrives_at_a_relay_without_tls_and_login() -> None:
    with mail_receiver() as receiver:
        assert send(mail_options(receiver))["sent"]
    assert len(receiver.mails) == 1


def test_a_database_name_in_the_subject_adds_neither_header_nor_recipient() -> None:
    name = 'x\r\nBcc: thief@example.org\r\n\r\nAll is well\r\n.\r\nMAIL FROM:<a@b.c>\r\n"; --'
    with mail_receiver() as receiver:
        assert send(mail_options(receiver), Event("failure", f"Backup of {name} failed", (name,)))["sent"]
    assert receiver.recipients == [["dba@example.org"]]
    (mail,) = receiver.mails
    assert mail["Bcc"] is None
    assert mail["Subject"].startswith("Backup of x")
    assert len(text_of(mail).splitlines()) == 3


@pytest.mark.parametrize("tls", ["starttls", "tls"])
def test_a_certificate_that_nobody_vouches_for_ends_it_before_the_password(tls: str, certificate: Certificate) -> None:
    with mail_receiver(tls=tls, certificate=certificate, password=PASSWORD) as receiver:
        outcome = send(mail_options(receiver, smtp_tls=tls, smtp_user=USER, smtp_password=PASSWORD))
    assert (outcome["sent"], outcome["attempts"]) == (False, 1)
    assert "is not trusted" in outcome["error"]
    assert "ca_cert" in outcome["error"]
    assert receiver.logins == []


@pytest.mark.parametrize("tls", ["starttls", "tls"])
def test_a_certificate_for_another_host_is_refused(
    tls: str, authority: CertificateAuthority, wrong_name: Certificate
) -> None:
    with mail_receiver(tls=tls, certificate=wrong_name) as receiver:
        outcome = send(mail_options(receiver, smtp_tls=tls, ca_cert=str(authority.certificate)))
    assert "not valid for '127.0.0.1'" in outcome["error"]
    assert receiver.mails == []


def test_a_server_that_does_not_offer_tls_gets_nothing() -> None:
    with mail_receiver() as receiver:
        outcome = send(mail_options(receiver, smtp_tls="starttls", smtp_user=USER, smtp_password=PASSWORD))
    assert (outcome["sent"], outcome["attempts"]) == (False, 1)
    assert "STARTTLS" in outcome["error"]
    assert receiver.mails == []


def test_a_refused_login_is_told_without_the_password_even_when_the_server_repeats_it(
    authority: CertificateAuthority, certificate: Certificate
) -> None:
    with mail_receiver(tls="starttls", certificate=certificate, password="another") as receiver:
        options = mail_options(receiver, smtp_tls="starttls", smtp_user=USER, smtp_password=PASSWORD)
        outcome = send({**options, "ca_cert": str(authority.certificate)})
    assert outcome["error"] == f"127.0.0.1:{receiver.port} refuses the login of backup (535)"
    assert outcome["attempts"] == 1
    assert receiver.logins[0] is False


def test_a_server_that_asks_to_come_back_later_is_tried_again() -> None:
    with mail_receiver(replies=["451 4.7.1 greylisted", "250 OK"]) as receiver:
        outcome = send(mail_options(receiver))
    assert (outcome["sent"], outcome["attempts"], outcome["error"]) == (True, 2, None)


def test_a_mail_that_is_refused_for_good_is_tried_once_and_the_reason_told() -> None:
    with mail_receiver(replies=["554 5.7.1 we do not\x1b[2J like it"]) as receiver:
        outcome = send(mail_options(receiver))
    assert (outcome["sent"], outcome["attempts"]) == (False, 1)
    assert "554 5.7.1 we do not [2J like it" in outcome["error"]


def test_a_recipient_who_is_refused_is_named() -> None:
    with mail_receiver(refused=("gone@example.org",)) as receiver:
        some = send(mail_options(receiver, to=["dba@example.org", "gone@example.org"]))
        none = send(mail_options(receiver, to=["gone@example.org"]))
    for outcome in (some, none):
        assert (outcome["sent"], outcome["attempts"]) == (False, 1)
        assert "gone@example.org: 550 5.1.1 no such mailbox" in outcome["error"]
    assert receiver.recipients == [["dba@example.org"]]


@pytest.mark.parametrize("kind", WEB_TYPES)
def test_a_message_arrives_over_https(kind: str, authority: CertificateAuthority, certificate: Certificate) -> None:
    with web_receiver(certificate=certificate) as receiver:
        outcome = send(receiver_options(kind, receiver.url(f"/{TOKEN}"), ca_cert=str(authority.certificate)))
    assert outcome["sent"]
    assert receiver.paths == [f"/{TOKEN}" + ("/fail" if kind == "ping" else "")]


def test_an_untrusted_web_server_does_not_see_the_address(certificate: Certificate) -> None:
    with web_receiver(certificate=certificate) as receiver:
        outcome = send(receiver_options("slack", receiver.url(f"/{TOKEN}")))
    assert (outcome["sent"], outcome["attempts"]) == (False, 1)
    assert f"the certificate of 127.0.0.1:{receiver.port} is not trusted" in outcome["error"]
    assert receiver.received == []


def test_a_web_server_with_the_certificate_of_another_is_refused(
    authority: CertificateAuthority, wrong_name: Certificate
) -> None:
    with web_receiver(certificate=wrong_name) as receiver:
        outcome = send(receiver_options("ping", receiver.url(f"/{TOKEN}"), ca_cert=str(authority.certificate)))
    assert "not valid for '127.0.0.1'" in outcome["error"]
    assert receiver.received == []


@pytest.mark.parametrize(("content", "words"), [(None, "No such file"), ("not a certificate", "cannot be read")])
def test_a_file_of_authorities_that_cannot_be_used_is_named(tmp_path: Path, content: str | None, words: str) -> None:
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    with web_receiver() as receiver:
        outcome = send(receiver_options("webhook", receiver.url("/"), ca_cert=str(path)))
    assert str(path) in outcome["error"]
    assert words in outcome["error"]
    assert outcome["attempts"] == 1


def test_the_servers_of_these_tests_really_speak_tls(certificate: Certificate) -> None:
    with (
        mail_receiver(tls="tls", certificate=certificate) as receiver,
        pytest.raises((smtplib.SMTPException, ssl.SSLError, OSError)),
    ):
        smtplib.SMTP("127.0.0.1", receiver.port, timeout=1)
