# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a manifest names as missing, by kinds and by names."""

from __future__ import annotations

import pytest
from backupdb.engines.values import UNCOUNTED_KEY
from backupdb.restore.missing import missing_kind, missing_name


@pytest.mark.parametrize(
    ("line", "kind", "named"),
    [
        ("SUPERUSER is missing (pg_dump leaves out subscriptions a, b); run ...", "subscriptions", True),
        ("options of user mappings on foreign servers far", "user_mappings", True),
        ("options of user mappings on foreign servers far", "foreign_servers", True),
        ("view shop.v: it names a table that is gone", "views", True),
        ("materialized view m", "materialized_views", True),
        ("the interviews of march", "views", False),
        ("SUPERUSER is missing (pg_dump leaves out subscriptions a)", "tables", False),
        ("SUPERUSER is missing (pg_dump leaves out subscriptions a)", "comments", True),  # on one of them, perhaps
    ],
)
def test_a_kind_is_found_by_its_word(line: str, kind: str, named: bool) -> None:
    assert missing_kind({"missing": ["another line", line]}, kind) in ((line, "another line") if named else (None,))
    assert missing_kind({"missing": []}, kind) is None


def test_what_was_not_counted_excuses_no_loss() -> None:
    line = "comments on members of extensions: function f of e; pg_dump leaves that out"
    counted = {"missing": [line], "engine_details": {}}
    assert missing_kind(counted, "comments") == line
    uncounted = {"missing": [line], "engine_details": {"missing_uncounted": [line]}}
    assert missing_kind(uncounted, "comments") is None


@pytest.mark.parametrize(
    ("line", "name", "named"),
    [
        ("rows of public.jobs, which belongs to an extension", "public.jobs", True),
        ("rows of public.jobs_old", "public.jobs", False),
        ("rows of public.jobs.x", "public.jobs", False),
        ("rows of other.public.jobs", "public.jobs", False),
        ('rows of public."Odd (name)": no right', 'public."Odd (name)"', True),
        ("table `jobs` cannot be read", "jobs", False),  # as it is called in a manifest, or not at all
    ],
)
def test_a_name_is_found_whole(line: str, name: str, named: bool) -> None:
    assert missing_name({"missing": [line]}, name) == (line if named else None)


def test_a_line_about_something_else_does_not_excuse_the_rows() -> None:
    lines = ["that foreign keys are disabled: child_x_fkey on public.child; pg_dump leaves that out"]
    manifest = {"missing": lines, "engine_details": {UNCOUNTED_KEY: lines}}
    assert missing_name(manifest, "public.child") is None
    rows = ["rows of table public.child of extension hstore: pg_dump leaves them out"]
    manifest = {"missing": [*lines, *rows], "engine_details": {UNCOUNTED_KEY: [*lines, *rows]}}
    assert missing_name(manifest, "public.child") == rows[0]
