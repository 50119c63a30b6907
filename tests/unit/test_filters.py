# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Patterns of tables that are left out: what they mean, what is kept of that, and how it is told."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from backupdb.backup.options import dump_options_from
from backupdb.engines.filters import (
    EXCLUDE_TABLES,
    INCLUDE_TABLES,
    NAMES_KEPT,
    Filtered,
    Filters,
    Matcher,
    Pattern,
    means,
    nothing_matches,
)
from backupdb.engines.mysql.mariadb import MariadbEngine
from backupdb.engines.mysql.mysql import MysqlEngine
from backupdb.engines.postgresql.engine import PostgresqlEngine
from backupdb.engines.postgresql.scope import Scope
from backupdb.errors import InvalidOption, ManifestDamaged, QueryFailed
from backupdb.repository.left_out import filters_of, is_whole, left_out, without
from backupdb.repository.manifest import parse, serialise
from backupdb.retention.decide import Candidate, plan
from backupdb.retention.policy import RetentionPolicy
from hypothesis import given
from hypothesis import strategies as st

NOW = datetime(2026, 11, 24, 12, tzinfo=timezone.utc)
POSTGRESQL = ("shop", "public", "orders")
MARIADB = ("shop", "orders")


@pytest.mark.parametrize(
    ("entry", "name", "expected"),
    [
        ("orders", POSTGRESQL, True),
        ("Orders", POSTGRESQL, False),
        ("ord*", POSTGRESQL, True),
        ("p*", POSTGRESQL, False),  # a pattern of a table does not reach into the name of its schema
        ("*c.o*", POSTGRESQL, True),
        ("*", POSTGRESQL, True),
        ("public.*", POSTGRESQL, True),
        ("shop.orders", POSTGRESQL, False),  # two parts are schema and table
        ("shop.public.orders", POSTGRESQL, True),
        ("other.public.orders", POSTGRESQL, False),
        ("x.shop.public.orders", POSTGRESQL, False),
        ("shop.orders", MARIADB, True),
        ("blog.orders", MARIADB, False),
        ("sh?p.ord???", MARIADB, True),
        ("ord[ao]rs", MARIADB, False),
        ("ord[a-e]rs", MARIADB, True),
        ("a.b", ("shop", "public", "a.b"), True),  # exactly how it is written
        ("public.a.b", ("shop", "public", "a.b"), True),
        ("a.*", ("shop", "public", "a.b"), False),
        ("a?b", ("shop", "public", "a.b"), True),
        ("a[.]b", ("shop", "public", "a.b"), True),
        ("t*", ("shop", "public", "t*"), True),
        ('x"; --', ("shop", "public", 'x"; --'), True),
        ("new\nline", ("shop", "public", "new\nline"), True),
        ("new*", ("shop", "public", "new\nline"), True),
        ("", POSTGRESQL, False),
    ],
)
def test_an_entry_means_whole_names_part_by_part(entry: str, name: tuple[str, ...], expected: bool) -> None:
    assert means(entry, name) is expected


@given(st.lists(st.text(max_size=20), min_size=2, max_size=3))
def test_an_entry_that_is_exactly_a_name_means_it(name: list[str]) -> None:
    assert means(name[-1], name) and means(".".join(name), name)


def test_no_pattern_takes_long() -> None:
    began = time.monotonic()
    for _number in range(20):
        means("*a" * 400 + "b", ("shop", "a" * 63))
    assert time.monotonic() - began < 1


def test_matches_are_remembered_and_an_entry_of_another_database_limits_nothing() -> None:
    filters = Filters(include_tables=("shop.a*", "blog.x"), exclude_tables=("a", "a*", "b"))
    matcher = Matcher(filters, "shop")
    assert (
        matcher.any(EXCLUDE_TABLES, "ab") and matcher.any(INCLUDE_TABLES, "ab") and not matcher.any(EXCLUDE_TABLES, "c")
    )
    assert matcher.matched == {Pattern(EXCLUDE_TABLES, "a*"), Pattern(INCLUDE_TABLES, "shop.a*")}
    assert matcher.limits(parts=1) and Matcher(filters, "blog").limits(parts=1)
    assert not Matcher(filters, "wiki").limits(parts=1)
    assert Matcher(Filters(include_tables=("a",)), "wiki").limits(parts=1)
    assert Matcher(Filters(include_tables=("s.a",)), "wiki").limits(parts=2)
    assert not Matcher(Filters(), "wiki").limits(parts=1)


def test_a_pattern_that_means_nothing_is_told_with_the_nearest_name() -> None:
    text = nothing_matches(Pattern(EXCLUDE_TABLES, "Order"), ["orders", "items"])
    assert text.startswith("exclude_tables has 'Order', which matches no table") and "nearest name is 'orders'" in text


@pytest.mark.parametrize("entries", [("",), ("a\0b",), ("x" * 1001,), ("x",) * 1001])
def test_entries_that_nobody_can_mean_are_refused(entries: tuple[str, ...]) -> None:
    with pytest.raises(InvalidOption, match="exclude_tables"):
        Filters(exclude_tables=entries)


@pytest.mark.parametrize("engine", [MysqlEngine, MariadbEngine])
def test_schemas_are_refused_where_they_are_databases(engine: Any) -> None:
    with pytest.raises(InvalidOption, match=f"on {engine.VENDOR} a schema is a database"):
        engine.check_filters(Filters(exclude_schemas=("a",)))
    engine.check_filters(Filters(exclude_tables=("a",)))
    PostgresqlEngine.check_filters(Filters(exclude_schemas=("a",)))


def test_what_the_manifest_keeps_is_bounded_and_counts_all() -> None:
    filtered = Filtered(Filters(exclude_tables=("b", "a", "b")), tables=[f"t{number}" for number in range(5000)])
    values = filtered.to_manifest()
    assert values["exclude_tables"] == ["a", "b"] and set(values) == {"exclude_tables", "left_out"}
    assert values["left_out"]["tables"]["count"] == 5000
    assert len(values["left_out"]["tables"]["names"]) == NAMES_KEPT
    assert filters_of({"filters": values}) == Filters(exclude_tables=("a", "b")).values()


@pytest.mark.parametrize(
    ("counts", "text"),
    [
        ({}, ""),
        ({"tables": 1}, "without 1 table"),
        ({"tables": 3, "table_data": 1}, "without 3 tables and the rows of 1 table"),
        ({"table_data": 2, "schemas": 2}, "without the rows of 2 tables and 2 schemas"),
    ],
)
def test_what_is_left_out_is_said_in_words(counts: dict[str, int], text: str) -> None:
    manifest = {"filters": {"left_out": {kind: {"count": count, "names": []} for kind, count in counts.items()}}}
    assert (without(manifest), is_whole(manifest)) == (text, not counts)
    assert left_out({}) is None and filters_of({}) == {}


@pytest.mark.parametrize(
    "filters",
    [
        [],
        "x",
        {"exclude_tables": "a"},
        {"left_out": {"tables": 3}},
        {"left_out": {"tables": {"count": -1}}},
        {"left_out": 1},
    ],
)
def test_a_manifest_with_other_filters_is_damaged(filters: Any, whole_manifest: dict[str, Any]) -> None:
    parse(serialise({**whole_manifest, "filters": Filtered(Filters()).to_manifest()}), "here")
    if filters:
        with pytest.raises(ManifestDamaged):
            parse(serialise({**whole_manifest, "filters": filters}), "here")
    assert without({"filters": filters}) == ""


@pytest.fixture
def whole_manifest() -> dict[str, Any]:
    texts = dict.fromkeys(("backup_id", "run_id", "host", "instance", "database"), "x")
    return {
        **texts,
        "schema": 1,
        "kind": "database",
        "status": "complete",
        "engine": "postgresql",
        "server": {"version": "15.1"},
        "started": "2026-11-24T02:15:00Z",
        "finished": "2026-11-24T02:15:00Z",
        "archives": [],
        "plain_bytes": 0,
        "stored_bytes": 0,
        "missing": [],
        "warnings": [],
    }


def kept(candidates: list[Candidate], **policy: Any) -> dict[str, str]:
    decisions = plan(RetentionPolicy(**policy), candidates, now=NOW)
    return {entry.backup_id: entry.reason for entry in decisions if entry.action == "keep"}


def day(number: int, *, whole: bool, hour: int = 2) -> Candidate:
    time_of_it = NOW.replace(hour=hour) - timedelta(days=number)
    return Candidate(f"{number}-{hour}", time_of_it, whole=whole)


def test_a_backup_that_leaves_something_out_takes_no_place_of_one_that_does_not() -> None:
    nightly = [day(number, whole=False) for number in range(1, 30)]
    weekly = [day(number, whole=True, hour=1) for number in range(2, 30, 7)]
    reasons = kept([*nightly, *weekly], keep_daily=2, keep_weekly=3)
    assert {one for one in reasons if one.endswith("-1")} == {"2-1", "9-1"}
    assert reasons["9-1"] == "keep_weekly 2026-W46, with nothing left out"
    assert set(reasons) == {"1-2", "2-2", "2-1", "9-2", "9-1"}


def test_once_all_leave_something_out_the_last_that_does_not_stays_and_the_others_go() -> None:
    reasons = kept([day(1, whole=False), day(2, whole=False), day(3, whole=True), day(4, whole=True)], keep_last=2)
    assert reasons["3-2"] == "newest with nothing left out" and "4-2" not in reasons


@given(st.lists(st.booleans(), min_size=1, max_size=40), st.integers(0, 5), st.integers(0, 5))
def test_none_is_removed_for_one_that_leaves_something_out(wholes: list[bool], daily: int, weekly: int) -> None:
    policy = {"keep_daily": daily, "keep_weekly": weekly}
    candidates = [day(number, whole=whole) for number, whole in enumerate(wholes)]
    alike = [replace(one, whole=True) for one in candidates]
    assert set(kept(candidates, **policy)) >= set(kept(alike, **policy))
    if any(wholes):
        newest = next(one for one in candidates if one.whole)
        assert newest.backup_id in kept(candidates, **policy)


def test_pg_dump_gets_exact_names_and_no_more_than_a_command_line_holds() -> None:
    names = {number: ("s", f't{number}|*"x') for number in range(150)}
    scope = Scope(relations=frozenset(names), names=names, space_names=['o"dd|.*'])
    schema, first, second = scope.arguments("UTF8")
    assert schema == '--exclude-schema="o""dd|.*"'
    assert first.startswith('--exclude-table="s"."t0|*""x"|"t1|*""x"|') and first.count('"|"') == 99
    assert second.count('"|"') == 49
    many = {number: ("s", f"{number:063d}") for number in range(20_000)}
    with pytest.raises(QueryFailed, match=r"exclude_schemas"):
        Scope(relations=frozenset(many), names=many).arguments("UTF8")


def test_a_query_is_limited_in_its_catalogues_and_nowhere_else() -> None:
    query = "SELECT 'pg_catalog.pg_class'::regclass FROM pg_catalog.pg_class c JOIN pg_catalog.pg_am a ON true"
    assert Scope().limit(query) == query
    limited = Scope(relations=frozenset({5})).limit(query)
    assert "'pg_catalog.pg_class'::regclass FROM kept_pg_class c JOIN pg_catalog.pg_am a" in limited
    assert Scope(relations=frozenset({5})).limit("SELECT 1") == "SELECT 1"
    assert (
        Scope(relations=frozenset({5})).limit("WITH x AS (SELECT 1) SELECT FROM pg_catalog.pg_class").count("WITH ")
        == 1
    )


def test_options_become_filters() -> None:
    options = {
        "jobs": 1,
        "jobs_min_size": "256M",
        "triggers": True,
        "routines": True,
        "events": True,
        "row_counts": False,
        "fingerprints": False,
    }
    options |= {"allow_newer_client": False, "include_tables": [], "exclude_tables": ["a"], "exclude_table_data": []}
    assert dump_options_from({**options, "exclude_schemas": ["s"]}).filters == Filters((), ("a",), (), ("s",))
