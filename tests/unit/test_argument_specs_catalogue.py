# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of what reads backups: they reach the library as they were meant."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from backupdb.errors import InvalidOption
from backupdb.repository.options import FILTER_OPTIONS, filter_from
from backupdb.system.options import moment_from
from backupdb.system.text import parse_moment, utc_now


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-24T05:06:07Z", "2026-11-24T05:06:07+00:00"),
        ("2026-11-24T05:06:07.500Z", "2026-11-24T05:06:07.500000+00:00"),
        ("2026-11-24 05:06:07+02:00", "2026-11-24T03:06:07+00:00"),
        ("2026-11-24 05:06", "2026-11-24T05:06:00+00:00"),  # what YAML makes of a time without quotes
        ("2026-11-24", "2026-11-24T00:00:00+00:00"),
        ("20261124", "2026-11-24T00:00:00+00:00"),
        ("20261124T050607Z", "2026-11-24T05:06:07+00:00"),  # as in the name of a backup
    ],
)
def test_a_moment_is_read_as_people_write_it(text: str, moment: str) -> None:
    assert parse_moment(text) == datetime.fromisoformat(moment)


def test_a_duration_counts_back_from_now() -> None:
    assert abs(utc_now() - timedelta(days=7) - parse_moment("7d")) < timedelta(seconds=5)


@pytest.mark.parametrize("text", ["yesterday", "", "2026-13-01", "99999999999d", "1763960767", "20261324T050607Z"])
def test_what_is_no_moment_is_refused_by_the_name_of_its_option(text: str) -> None:
    with pytest.raises(InvalidOption, match=r"option since.*not a moment"):
        moment_from({"since": text}, "since")


def test_options_reach_the_filter_as_they_were_meant() -> None:
    given = {"host": "db*", "status": "partial", "until": "2026-11-24", "proven": False}
    wanted = filter_from({**dict.fromkeys(FILTER_OPTIONS), **given})
    assert (wanted.host, wanted.status, wanted.proven, wanted.since) == ("db*", "partial", False, None)
    assert wanted.until == datetime(2026, 11, 24, tzinfo=timezone.utc)
