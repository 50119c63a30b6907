# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The drills of a job: a server program for its newest backups, a place for it, and a key that opens them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..age.recipients import X25519Identity, fingerprint
from ..archives.keys import Keys, load_identities
from ..credentials.secrets import Secrets
from ..drill.restore import drill_support_for
from ..engines.workplace import server_user, work_dir_of
from ..jobs.definition import Job
from ..repository.catalogue import StoredBackup
from ..repository.local import free_bytes
from ..system.parallel import result_of
from ..system.text import human_size
from .finding import FAILED, OK, UNKNOWN, Finding, failed, tried


def look_at_drills(job: Job, secrets: Secrets, newest: Sequence[StoredBackup]) -> Iterator[Finding]:
    """Yield whether the newest backups could be drilled here; nothing is started."""
    if job.drill is None:
        yield Finding("drill", UNKNOWN, "this job drills nothing", "give it a drill, or run the playbook drill")
        return
    options = job.drill
    yield from tried("drill place", lambda: _place(options["work_dir"], options["run_as"], newest))
    yield from tried("drill key", lambda: _key(options["identity_file"], secrets, newest))
    databases = [backup for backup in newest if backup.kind == "database"]
    if not databases:
        yield Finding("drill server", UNKNOWN, "there is no backup yet that says which one it needs")
    yield from _servers(databases)


def _place(work_dir: str | None, run_as: str | None, newest: Sequence[StoredBackup]) -> Iterator[Finding]:
    server_user(run_as)
    folder = work_dir_of(work_dir)
    free = free_bytes(folder)
    sizes = [int(backup.manifest.get("size_bytes") or backup.manifest["plain_bytes"]) for backup in newest]
    largest = max(sizes, default=0)
    what = f"{folder}: {human_size(free)} are free, the largest database has {human_size(largest)}"
    if largest > free:
        yield Finding("drill place", FAILED, what, "name a work_dir on a larger filesystem")
    else:
        yield Finding("drill place", OK, what)


def _key(identity_file: str | None, secrets: Secrets, newest: Sequence[StoredBackup]) -> Iterator[Finding]:
    found = load_identities(Keys(identity_file=identity_file, passphrase=secrets.passphrase()))
    mine = {fingerprint(one.recipient) for one in found if isinstance(one, X25519Identity)}
    closed = [backup for backup in newest if not _opens(backup, mine, has_passphrase=secrets.passphrase() is not None)]
    if closed:
        what = f"no key here opens {closed[0].folder}"
        more = f", and {len(closed) - 1} more" if len(closed) > 1 else ""
        yield Finding("drill key", FAILED, what + more, "name in the drill of the job an identity_file that does")
    else:
        yield Finding("drill key", OK, "the newest backups can be opened" if newest else "there is no backup yet")


def _opens(backup: StoredBackup, mine: set[str], *, has_passphrase: bool) -> bool:
    """Tell by its manifest whether there is a key for every archive of a backup."""
    for archive in backup.manifest["archives"]:
        encryption = archive["encryption"]
        if encryption == "age-scrypt" and not has_passphrase:
            return False
        if encryption == "age-x25519" and not mine & set(archive.get("recipients") or ()):
            return False
    return True


def _servers(databases: Sequence[StoredBackup]) -> Iterator[Finding]:
    """Yield each server program once, and each reason why there is none."""
    seen: set[str] = set()
    for backup in databases:
        support = drill_support_for(backup.manifest)
        program = result_of(lambda support=support, backup=backup: support.program(backup.manifest))  # type: ignore[misc]
        instance = str(backup.manifest["instance"])
        words = f"{instance}: {program.value if program.value is not None else program.error}"
        if words in seen:
            continue
        seen.add(words)
        if program.error is not None:
            yield failed("drill server", program.error, instance)
        else:
            yield Finding("drill server", OK, str(program.value), subject=instance)
