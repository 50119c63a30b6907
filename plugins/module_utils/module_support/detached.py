# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How modules start a detached run and report on it; the action of database_backup puts the two together."""

from __future__ import annotations

import importlib
import pkgutil
import sys
import zipimport
from contextlib import suppress
from typing import Any

from ..backupdb.system.detached import RunStatus

_PACKAGES = ("ansible.module_utils", __name__.rsplit(".", 2)[0])


def answer(status: RunStatus) -> dict[str, Any]:
    """Return the result for a run that goes on. For one that has ended print its own output, and end: it is what the
    module would have printed had it run all the time.
    """
    if status.output is not None:
        sys.stdout.write(status.output)
        raise SystemExit(0)
    return {
        "detached_run": {
            "run_id": status.run_id,
            "seconds": round(status.seconds, 1),
            "progress": status.progress,
        }
    }


def import_everything() -> None:
    """Import all that Ansible packed together with this module: its archive is deleted as soon as the module ends."""
    if not isinstance(globals()["__loader__"], zipimport.zipimporter):
        return
    for name in _PACKAGES:
        package = importlib.import_module(name)
        for module in pkgutil.walk_packages(package.__path__, f"{name}."):
            with suppress(ImportError):  # made for another operating system
                importlib.import_module(module.name)
