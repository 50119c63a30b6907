# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What people see, kept in `tests/golden/` so that a change of it is read before it is made.

With BACKUPDB_TEST_GOLDEN=write the files are written anew.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping

from support.ansible import ROOT

GOLDEN = ROOT / "tests" / "golden"
_VARIES = (
    (re.compile(r"\b\d{8}T\d{6}Z-[0-9a-f]{8}\b"), "BACKUP"),
    (re.compile(r"\b20\d\d-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d)?Z?)?"), "MOMENT"),
    (re.compile(r"\d+\.\d s\b"), "TIME"),
    (re.compile(r"\b\d+\.\d [KMG]iB"), "SIZE"),
    (re.compile(r"(127\.0\.0\.1[\":, ]+(?:port )?)\d+"), r"\1PORT"),
    (re.compile(r"SHA256:[A-Za-z0-9+/]+"), "FINGERPRINT"),
    (re.compile(r"\b(?:9|1\d)\.\d+(?:\.\d+)?\b"), "VERSION"),
    (re.compile(r"\bage1[a-z0-9]{58}\b"), "RECIPIENT"),
    (re.compile(r"\b\d+ (bytes|B)\b"), r"NUMBER \1"),
    (re.compile(r"(the manifest says )\d+"), r"\1NUMBER"),
    (re.compile(r"(\d+ databases? of )\d+"), r"\1ALL"),  # other tests have theirs on the same server
    (re.compile(r"\b(passwords of )\d+ roles?"), r"\1ALL roles"),
    (re.compile(r"(is on the filesystem of )/[^ :]*"), r"\1PLACE"),
    (re.compile(r" {2,}"), "  "),  # the widths of columns go by what varies
)


def assert_golden(name: str, lines: Iterable[str], places: Mapping[str, str]) -> None:
    """Compare lines with those in a file. `places` are paths of this run, with the words that stand for them there."""
    text = "".join(f"{line}\n" for line in lines)
    for path, word in places.items():
        text = text.replace(path, word)
    for pattern, word in _VARIES:
        text = pattern.sub(word, text)
    file = GOLDEN / f"{name}.txt"
    if os.environ.get("BACKUPDB_TEST_GOLDEN") == "write":
        file.write_text(text, encoding="utf-8")
    assert text == file.read_text(encoding="utf-8"), f"{file} has something else; if the new text is better, write it"
