# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Let a pinned backup go the way of the others."""

from __future__ import annotations

import argparse

from .common_options import add_backup
from .pin import add_common, settle


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the command's options."""
    add_backup(parser)
    add_common(parser)


def run(options: argparse.Namespace) -> int:
    """Unpin it and return the exit status."""
    return settle(options, present=False)
