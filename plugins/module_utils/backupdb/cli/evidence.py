# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make signed evidence of what drills have shown over a period, or verify it with the public key alone."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from ..backup.options import short_host_name
from ..errors import InvalidOption
from ..evidence.gather import gather
from ..evidence.make import make
from ..evidence.options import SINCE
from ..evidence.statement import Source
from ..evidence.verify import verify
from ..system.files import is_there, read_small_file
from ..system.text import parse_moment, utc_now
from . import exit_status
from .common_options import add_config_dir, add_copy, copy_source, repositories_of
from .output import add_json, show

_LARGEST_KEY = 64 << 10  # bytes
_MAKE, _VERIFY = "make", "verify"


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the command's options."""
    parser.usage = (
        "backupdb evidence make --key FILE --output FOLDER [OPTION...]\n"
        "       backupdb evidence verify STATEMENT --public-key KEY [--repository FOLDER...]"
    )
    parser.add_argument("action", choices=(_MAKE, _VERIFY), help="make it, or verify it")
    parser.add_argument("statement", nargs="?", metavar="STATEMENT", help="with verify: the file evidence-TIME.json")
    parser.add_argument(
        "--repository", action="append", metavar="FOLDER", help="where backups are; with verify it may be repeated"
    )
    add_copy(parser)
    parser.add_argument("--host", help="with make: only the backups of this host")
    parser.add_argument("--since", default=SINCE, help="with make: drills since then (default: %(default)s, ago)")
    parser.add_argument("--until", help="with make: drills up to this moment (default: now)")
    parser.add_argument("--key", metavar="FILE", help="with make: the secret key that signs, as signing_key makes it")
    parser.add_argument("--output", metavar="FOLDER", help="with make: where the files go")
    parser.add_argument("--public-key", metavar="KEY", help="with verify: the public key (MCow...), or a PEM file")
    add_config_dir(parser)
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Make or verify it and return the exit status: 1 where something is missing, 2 where something was changed."""
    result = _made(options) if options.action == _MAKE else _verified(options)
    show(result, [f"{result['status']}: {result['message']}"], as_json=options.json)
    return exit_status.of_result(result)


def _made(options: argparse.Namespace) -> dict[str, Any]:
    if options.key is None or options.output is None or options.statement is not None:
        raise InvalidOption("evidence make needs --key FILE and --output FOLDER, and no statement")
    copy = copy_source(options)
    if copy is None and options.repository is None:
        options.repository = repositories_of(options)
    sources: list[Source] = []
    for root in [None] if copy is not None else options.repository:
        place = None if root is None else str(Path(root).resolve())
        until = None if options.until is None else parse_moment(options.until)
        facts = gather(place, copy, host=options.host, since=parse_moment(options.since), until=until)
        name = short_host_name() if not sources else f"{short_host_name()} {len(sources) + 1}"
        sources.append(Source(name, facts))
    return make(sources, key=options.key, directory=str(Path(options.output).resolve()), now=utc_now())


def _verified(options: argparse.Namespace) -> dict[str, Any]:
    if options.statement is None or options.public_key is None:
        raise InvalidOption("evidence verify needs the statement, evidence-TIME.json, and --public-key")
    roots = [str(Path(root).resolve()) for root in options.repository or ()]
    return verify(str(Path(options.statement).resolve()), _key(options.public_key), roots)


def _key(text: str) -> str:
    """Return the public key, or the content of its file."""
    path = Path(text)
    if text.startswith("MCow") or not is_there(path):
        return text
    try:
        return read_small_file(path, _LARGEST_KEY, follow=True).decode("ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidOption(f"{text} cannot be read as a public key: {error}") from error
