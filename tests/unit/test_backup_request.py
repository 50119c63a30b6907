# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Times, sizes, and what a request refuses."""

from __future__ import annotations

from typing import Any

import pytest
from backupdb.archives.envelope import Encryption
from backupdb.backup.request import BackupRequest, Selection
from backupdb.connection.instance import Instance
from backupdb.engines.values import DumpOptions
from backupdb.errors import InvalidOption
from backupdb.streams.compression import Compression
from backupdb.system.text import human_duration, human_size, iso, parse_duration, parse_iso, parse_size, utc_now


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90), ("90s", 90), ("15m", 900), ("12h", 43200), ("2d", 172800), ("1w", 604800), (7, 7)]
)
def test_a_duration_is_read_as_seconds(text: Any, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "h", "-1h", "12 hours", "1h30m", "nan"])
def test_what_is_no_duration_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(InvalidOption, match="12h"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("text", "count"), [("10", 10), (10, 10), ("1K", 1024), ("50M", 52428800), ("1.5GiB", 1610612736), ("1tb", 1 << 40)]
)
def test_a_size_is_read_as_bytes(text: Any, count: int) -> None:
    assert parse_size(text) == count


def test_what_is_no_size_is_refused() -> None:
    with pytest.raises(InvalidOption, match="50M"):
        parse_size("fast")


def test_sizes_and_times_are_written_for_people() -> None:
    assert [human_size(n) for n in (0, 1023, 1536, 5 << 40)] == ["0 B", "1023 B", "1.5 KiB", "5.0 TiB"]
    assert [human_duration(n) for n in (0.43, 75, 3725, 200000)] == ["0.4 s", "1 min 15 s", "1 h 2 min", "2 d 7 h"]


def test_a_moment_survives_writing_and_reading() -> None:
    now = utc_now()
    assert parse_iso(iso(now)) == now
    assert iso(now).endswith("Z")


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"mode": "age"}, "no recipients and no passphrase"),
        ({"mode": "none", "recipients": ("age1x",)}, "remove one"),
        ({"recipients": ("age1x",), "passphrase": "p"}, "not both"),
        ({"mode": "rot13"}, "age or none"),
        ({"passphrase": ""}, "empty"),
    ],
)
def test_contradicting_encryption_is_refused(values: dict[str, Any], says: str) -> None:
    with pytest.raises(InvalidOption, match=says):
        Encryption(**values)


def test_no_secret_shows_in_the_text_form_of_a_value() -> None:
    secret = "canary-5b1d0c1e8f7a"
    shown = repr(Encryption(passphrase=secret)) + repr(Instance("i", "mysql", password=secret))
    assert secret not in shown


@pytest.mark.parametrize(
    "values",
    [{"repository": "relative"}, {"host": ""}, {"workers": 0}, {"bandwidth_limit": 0}, {"dump": DumpOptions(jobs=0)}],
)
def test_a_request_refuses_what_cannot_be(values: dict[str, Any]) -> None:
    good: dict[str, Any] = {
        "instance": Instance("i", "mysql"),
        "selection": Selection(),
        "dump": DumpOptions(),
        "encryption": Encryption("none"),
        "compression": Compression(),
        "repository": "/r",
        "host": "h",
    }
    BackupRequest(**good)
    with pytest.raises(InvalidOption):
        BackupRequest(**{**good, **values})


def test_a_compression_level_outside_the_methods_range_is_refused() -> None:
    with pytest.raises(InvalidOption, match=r"1\.\.9"):
        Compression("gzip", 10)
