# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options that say what opens encrypted archives; `keys_from` makes the library's keys of them."""

from __future__ import annotations

from collections.abc import Mapping

from ..system.options import Option

OPTIONS: Mapping[str, Option] = {
    "identity_file": Option("path"),
    "identity": Option(secret=True),
    "passphrase": Option(secret=True, environment="BACKUPDB_PASSPHRASE"),
}
