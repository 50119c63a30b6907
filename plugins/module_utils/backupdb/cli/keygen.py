# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make an age key pair: the identity that opens backups goes into a new file, the recipient is printed."""

from __future__ import annotations

import argparse
import sys

from ..age.identity_file import generate_identity, identity_text, write_identity_file
from ..age.recipients import fingerprint
from ..errors import InvalidOption
from . import exit_status
from .output import add_json, write_json, write_lines


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the command's options."""
    parser.add_argument(
        "file", nargs="?", metavar="FILE", help="new file for the identity, mode 0600 (default: standard output)"
    )
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Make it and return the exit status; a file that is there is never replaced."""
    identity = generate_identity()
    if options.file is None:
        if options.json:
            raise InvalidOption("say which file the identity goes to: it does not belong into a result")
        sys.stdout.write(identity_text(identity))
        sys.stdout.flush()
        return exit_status.OK
    found = write_identity_file(options.file, identity)
    recipient = identity.recipient
    if options.json:
        values = {"path": found.path, "recipient": recipient, "fingerprint": fingerprint(recipient)}
        write_json({**values, "created": found.created})
    else:
        write_lines([recipient])
    return exit_status.OK
