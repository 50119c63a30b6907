# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts that were prepared before, so that a role changes no user and installs nothing on the machine of the tests."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any


def note_as_prepared(variables: Mapping[str, Any], engines: Sequence[str]) -> None:
    """Leave the note that the host is prepared for these variables: no user of this machine is to be changed."""
    preparation = {
        "install": "none",
        "engines": list(engines),
        "stores": [],
        "extra_packages": [],
        "user": variables["backupdb_user"],
        "group": variables["backupdb_group"],
        "repository": variables["backupdb_repository"],
        "requirements": [],
    }
    folder = Path(variables["backupdb_state_dir"])
    folder.mkdir()
    text = json.dumps(preparation, indent=4, sort_keys=True) + "\n"
    (folder / "prepared.json").write_text(text, encoding="utf-8")
