# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The hooks of a job's backups: whether their programs are there. None is run."""

from __future__ import annotations

import os
from collections.abc import Iterator

from ..backup.request import BackupRequest
from .finding import FAILED, OK, WARNING, Finding


def look_at_hooks(request: BackupRequest) -> Iterator[Finding]:
    """Yield whether this user can run the program of each hook."""
    for hook in request.hooks:
        if not hook.command:
            continue
        what, about = f"{hook.when}: {hook.command[0]}", request.instance.id
        if os.access(hook.command[0], os.X_OK):
            yield Finding("hook", OK, what, subject=about)
        else:
            state = FAILED if hook.required else WARNING
            step = "install it, and let the backup user run it"
            yield Finding("hook", state, f"{what} is not there, or may not be run", step, about)
