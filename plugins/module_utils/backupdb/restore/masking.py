# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Masking: the user's scripts change rows of a restored database before it has the name under which others find it.

Until they have ended nobody but the restoring login may enter it, and when one fails it is dropped.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from ..age.stream import X25519Identity
from ..archives.envelope import Encryption
from ..backup.request import BackupRequest, Selection
from ..backup.run import run as back_up
from ..engines.values import ArchiveSource, DumpOptions
from ..errors import RestoreFailed
from ..repository.catalogue import StoredBackup, read_backup
from ..streams.compression import Compression
from .plan import open_archives
from .request import RestoreRequest
from .work import Work

_FOLDER = "/var/tmp"  # noqa: S108  a folder of ours within it, mode 0700; /tmp is often memory


def mask(work: Work, name: str) -> None:
    """Run all scripts in the database, and only then let others in; raises what a script that fails raises."""
    request, state = work.request, work.state
    work.meter.begin(f"{name} is masked")
    work.engine.run_scripts(work.client, name, request.masking, work.limits)
    state.masked_by = [script.name for script in request.masking]
    state.warnings += work.engine.open_database(name, work.plan.backup.manifest, work.options)


def request_for_masked(request: RestoreRequest) -> RestoreRequest:
    """Return the request for what was masked: it is loaded as it is, all of it."""
    options = replace(
        request.options,
        tables=(),
        schema_only=False,
        owner_policy="keep",
        acl_policy="keep",
        definer_policy="keep",
        owner_map={},
        allow_qualified_references=True,  # they were looked at when the backup was loaded
    )
    return replace(request, options=options, masking=())


@contextmanager
def masked_backup(work: Work, name: str) -> Iterator[tuple[StoredBackup, Sequence[ArchiveSource]]]:
    """Back up the masked database for as long as the block lasts, with a key that is kept in memory only."""
    identity = X25519Identity.generate()
    folder = tempfile.mkdtemp(prefix="backupdb-masked-", dir=work.request.options.spool_folder or _FOLDER)
    try:
        result = back_up(
            BackupRequest(
                instance=work.request.instance,
                selection=Selection(include=(name,)),
                dump=DumpOptions(row_counts=True, timeout=work.request.options.timeout),
                encryption=Encryption(recipients=(identity.recipient,)),
                compression=Compression(),
                repository=folder,
                host="masked",
                accounts=False,
            )
        )
        if result["status"] != "ok":
            raise RestoreFailed(f"the masked database could not be read back whole: {result['message']}")
        backup = read_backup(Path(str(result["databases"][0]["path"])))
        yield backup, open_archives(backup, [identity])
    finally:
        shutil.rmtree(folder, ignore_errors=True)
