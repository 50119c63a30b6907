# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A whole job by the command line, good and bad, with notifications that fail: its secrets are found nowhere."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.jobs import JobHost
from support.journal import JournalSocket, entry_in
from support.mail_receiver import mail_options, mail_receiver
from support.process_watch import ProcessWatch
from support.receivers import web_receiver
from support.tls import CertificateAuthority

LOGIN_PASSWORD = "canary-Xq8vN2rT5wKj3mPz7bLd-login"
WRONG_PASSWORD = "canary-Yp4sM9cF6hQe1nVx8aRk-wrong"
PASSPHRASE = "canary Zt7uW3gB8dJo2lCy5iSf passphrase"
SMTP_PASSWORD = "canary-Ak5xD1jE9fHr4qNw6tMu-smtp"
TOKEN = "canary-Bn6zG2kL7pUs3vOb9yTe-address"
# A name that would add an entry, a header or a line wherever it is pasted in as it is.
EVIL_NAME = 'x"\nPRIORITY=0\r\nBcc: thief@example.org; --'


@pytest.fixture
def server(postgres15: Any) -> Iterator[Any]:
    """The session's server with an evil database and a login of the job's own."""
    quoted = EVIL_NAME.replace('"', '""')
    postgres15.sql(f"CREATE ROLE canary_reader LOGIN PASSWORD '{LOGIN_PASSWORD}' IN ROLE pg_read_all_data")
    postgres15.sql(f'CREATE DATABASE "{quoted}"')
    yield postgres15
    postgres15.sql(f'DROP DATABASE "{quoted}"')
    postgres15.sql("DROP ROLE canary_reader")


@pytest.fixture
def journal(scratch: Path) -> Iterator[JournalSocket]:
    folder = scratch / "journal"
    folder.mkdir()
    journal = JournalSocket(folder / "socket")
    yield journal
    journal.close()


def with_journal(journal: JournalSocket) -> list[str]:
    """The command line on a machine whose journal is this one: a mount namespace of its own, with another /run."""
    if os.geteuid() != 0:
        pytest.fail("a mount namespace of its own can only be made by root: run the tests as root")
    mounts = (
        "mount -t tmpfs tmpfs /run && mkdir -p /run/systemd/journal"
        f" && mount --bind {Path(journal.path).parent} /run/systemd/journal"
    )
    return [
        "unshare",
        "--mount",
        "sh",
        "-c",
        f'{mounts} && exec "$@"',
        "sh",
        sys.executable,
        "-m",
        "backupdb.cli.main",
    ]


def spellings(secret: str) -> list[bytes]:
    """The secret as it is, and as logins over SMTP write it, at each of the three places it can have in base64."""
    text = secret.encode()
    shifted = [base64.b64encode(b"\0" * shift + text).decode()[shift + 1 : -4].encode() for shift in range(3)]
    return [text, *shifted]


def files_below(folder: Path, but: Path) -> dict[str, bytes]:
    paths = [path for path in folder.rglob("*") if path.is_file() and but not in path.parents]
    return {str(path): path.read_bytes() for path in paths}


def test_no_secret_of_a_job_is_in_output_journal_state_metrics_arguments_or_messages(
    host: JobHost, server: Any, journal: JournalSocket, scratch: Path
) -> None:
    authority = CertificateAuthority(scratch / "ca")
    certificate = authority.issue("mail", names=("127.0.0.1",))
    metrics = scratch / "metrics"
    metrics.mkdir()
    everything = ["start", "success", "failure"]
    seen: dict[str, bytes] = {}
    with (
        mail_receiver(tls="starttls", certificate=certificate, password="another") as mails,
        web_receiver(500) as broken,
        web_receiver(302, location="http://127.0.0.1:1/") as moved,
        web_receiver() as good,
    ):
        notifications = [
            {"name": "away", "type": "slack", "events": everything, "attempts": 1},
            {"name": "broken", "type": "webhook", "events": everything, "attempts": 2, "backoff": "0s"},
            {"name": "moved", "type": "ping"},
            {"name": "good", "type": "webhook", "events": everything},
            {
                **mail_options(mails, smtp_tls="starttls", smtp_user="backup"),
                "events": everything,
                "ca_cert": str(authority.certificate),
            },
        ]
        addresses = {
            "away": f"http://127.0.0.1:1/{TOKEN}",
            "broken": broken.url(f"/{TOKEN}?key={TOKEN}"),
            "moved": moved.url(f"/{TOKEN}"),
            "good": good.url("/good"),
        }
        secrets: dict[str, Any] = {
            "passphrase": PASSPHRASE,
            "notifications": {
                **{name: {"url": url} for name, url in addresses.items()},
                "mail": {"smtp_password": SMTP_PASSWORD},
            },
        }
        options = {
            "login_user": "canary_reader",
            "databases": ["x*"],
            "accounts": False,
            "recipients": None,
        }
        host.write_job(
            "nightly", [host.backup_of(server, **options)], notifications=notifications, metrics_dir=str(metrics)
        )
        with ProcessWatch(interval=0.02) as watch:
            for number, (password, wanted) in enumerate(
                [(LOGIN_PASSWORD, 0), (WRONG_PASSWORD, 2), (LOGIN_PASSWORD, 0)]
            ):
                host.write_secrets("nightly", logins={"test": {"login_password": password}}, **secrets)
                arguments = ["run", "nightly", "--config-dir", str(host.config_dir), *(["--json"] * (number < 2))]
                done = host.command(*arguments, program=with_journal(journal))
                seen[f"output {number}"] = done.stdout.encode()
                seen[f"errors {number}"] = done.stderr.encode()
                assert done.returncode == wanted, (done.stdout, done.stderr)
                if number < 2:
                    told = {entry["name"]: entry for entry in json.loads(done.stdout)["notifications"]}
                    assert {name for name, entry in told.items() if entry["sent"]} == {"good"}
                    assert all(entry["error"] for name, entry in told.items() if name != "good")
        for number, request in enumerate(good.received):
            seen[f"message {number}"] = request.body.encode()
    assert mails.logins  # the server was asked, and has repeated the password to us
    for command in ("status", "list"):
        done = host.command(command, "--config-dir", str(host.config_dir))
        seen[command] = (done.stdout + done.stderr).encode()
    seen["journal"] = b"".join(journal.datagrams)
    seen |= files_below(scratch, but=host.credentials)

    for secret in (LOGIN_PASSWORD, WRONG_PASSWORD, PASSPHRASE, SMTP_PASSWORD, TOKEN):
        found = [place for place, content in seen.items() for text in spellings(secret) if text in content]
        assert found == [], secret
        assert watch.find(secret) == [], secret
    assert "pg_dump" in watch.programs()

    # What was looked through has what it should have.
    assert seen["journal"].count(b"SYSLOG_IDENTIFIER=backupdb") == len(journal.datagrams) > 10
    entries = [entry_in(datagram) for datagram in journal.datagrams]
    assert {entry["BACKUPDB_JOB"] for entry in entries} == {"nightly"}
    assert EVIL_NAME in {entry.get("BACKUPDB_DATABASE") for entry in entries}
    assert "0" not in {entry["PRIORITY"] for entry in entries}
    assert (metrics / "backupdb.prom").stat().st_size > 0
    assert "thief" in seen["errors 0"].decode()
    assert all(line.startswith("backupdb: ") for line in seen["errors 0"].decode().splitlines())
    events = [request.json()["event"] for request in good.received]
    assert events == ["start", "success", "start", "failure", "start", "success"]
    assert subprocess.run(["mountpoint", "-q", "/run/systemd/journal"], check=False).returncode != 0
