# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What all commands print: one JSON document with `--json`, else lines that people read."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ..system.table import one_line
from ..system.text import printable


def add_json(parser: argparse.ArgumentParser) -> None:
    """Give a command the option `--json`."""
    parser.add_argument("--json", action="store_true", help="print the whole result as one JSON document")


def write_json(result: Mapping[str, Any]) -> None:
    """Print a result as a module returns it: a line for each of its values, and for each entry of a list.

    Indented as a whole it takes five times as long, which with 10,000 backups is most of the time.
    """
    sys.stdout.writelines(list(_pieces(result)))  # all of it is made before the first is written, or nothing is
    sys.stdout.flush()


def _pieces(result: Mapping[str, Any]) -> Iterator[str]:
    before = "{\n  "
    for key, value in result.items():
        yield f"{before}{_json(key)}: "
        if isinstance(value, list) and value:
            yield f"[\n    {_json(value[0])}"
            for entry in value[1:]:
                yield f",\n    {_json(entry)}"
            yield "\n  ]"
        else:
            yield _json(value)
        before = ",\n  "
    yield "\n}\n"


def _json(value: Any) -> str:
    """Write a value, with bytes of names that are no text as `printable` has them; only half surrogates can be such."""
    text = json.dumps(value)
    return json.dumps(printable(value)) if "\\ud" in text else text


def show(result: Mapping[str, Any], lines: Iterable[str], *, as_json: bool) -> None:
    """Print a result: whole as JSON, or in `lines`, with its warnings on standard error."""
    if as_json:
        write_json(result)
        return
    write_lines(lines)
    for warning in result["warnings"]:
        complain(warning)


def write_lines(lines: Iterable[str]) -> None:
    """Print lines; what no terminal should act on, such as an escape or a line break in a name, is written as Python
    writes it: no name can look like a line of ours.
    """
    for line in lines:
        sys.stdout.write(one_line(line) + "\n")
    sys.stdout.flush()


def complain(message: str) -> None:
    """Print one line about something that is wrong."""
    sys.stderr.write(f"backupdb: {one_line(message)}\n")
