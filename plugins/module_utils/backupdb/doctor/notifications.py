# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is told how a job ended. Nothing is sent unless that is asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from ..credentials.secrets import Secrets
from ..jobs.definition import Job
from ..jobs.finish import notify_test
from ..notify.sending import require_libraries
from ..notify.settings import notification_from
from .finding import FAILED, OK, WARNING, Finding, tried

_LINK = "notification"


def look_at_notifications(job: Job, secrets: Secrets, *, send_test: bool) -> Iterator[Finding]:
    """Yield whether each notification is complete, and with `send_test` whether a test message was taken."""
    heard: set[str] = set()
    for options in job.notifications:
        yield from tried(_LINK, partial(_settings, options, secrets, heard), str(options["name"]))
    if "failure" not in heard:
        yield Finding(_LINK, WARNING, "nobody is told when this job fails", "set backupdb_notifications")
    for told in notify_test(job, secrets) if send_test else ():
        if told["sent"]:
            yield Finding("test message", OK, "it was sent", subject=str(told["name"]))
        else:
            yield Finding("test message", FAILED, f"it did not arrive: {told['error']}", subject=str(told["name"]))


def _settings(options: Mapping[str, Any], secrets: Secrets, heard: set[str]) -> Iterator[Finding]:
    found = notification_from(options, secrets.notification(str(options["name"])))
    require_libraries(found)
    heard.update(found.events)
    what = f"{found.type} to {found.receiver} for {', '.join(found.events)}"
    yield Finding(_LINK, OK, what, subject=found.name)
