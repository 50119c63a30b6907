# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keep a backup, whatever the retention says, until it is unpinned."""

from __future__ import annotations

import argparse

from ..retention import pin
from ..retention.pin import PinRequest
from . import exit_status
from .common_options import add_backup, add_config_dir, backup_folder
from .output import add_json, show


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the command's options."""
    add_backup(parser)
    parser.add_argument("--reason", metavar="TEXT", help="why it is kept, for whoever wonders later")
    add_common(parser)


def add_common(parser: argparse.ArgumentParser) -> None:
    """Describe what pinning and unpinning share."""
    parser.add_argument("--check", action="store_true", help="only say what would be")
    add_config_dir(parser)
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Pin it and return the exit status."""
    return settle(options, present=True, reason=options.reason)


def settle(options: argparse.Namespace, *, present: bool, reason: str | None = None) -> int:
    """Pin or unpin a backup and return the exit status."""
    request = PinRequest(present=present, reason=reason, path=str(backup_folder(options.backup, options)))
    result = pin.run(request, check_mode=options.check)
    show(result, [result["message"]], as_json=options.json)
    return exit_status.OK
