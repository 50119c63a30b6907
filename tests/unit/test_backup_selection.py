# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which databases a run takes."""

from __future__ import annotations

import pytest
from backupdb.backup.request import Selection
from backupdb.backup.selection import select
from backupdb.engines.values import Database
from backupdb.errors import SelectionError


def database(name: str, **values: object) -> Database:
    fields: dict[str, object] = {
        "size_bytes": 1,
        "owner": "o",
        "encoding": "UTF8",
        "collation": "C",
        "tables": 1,
        "is_system": False,
        "connectable": True,
        **values,
    }
    return Database(name=name, **fields)  # type: ignore[arg-type]


SERVER = [
    database("shop"),
    database("Shop"),
    database("shop_test"),
    database("a*b"),
    database("template0", is_system=True, reason="pristine template"),
    database("closed", connectable=False),
    database("mould", reason="a template"),
]


def chosen(include: tuple[str, ...] = ("*",), exclude: tuple[str, ...] = (), allow_empty: bool = False) -> list[str]:
    return [entry.name for entry in select(SERVER, Selection(include, exclude, allow_empty), where="i")[0]]


def reasons(include: tuple[str, ...] = ("*",), exclude: tuple[str, ...] = ()) -> dict[str, str]:
    return {entry.name: entry.reason for entry in select(SERVER, Selection(include, exclude), where="i")[1]}


def test_by_default_every_ordinary_database_is_taken() -> None:
    assert chosen() == ["shop", "Shop", "shop_test", "a*b"]


def test_what_is_left_out_is_told_with_its_reason() -> None:
    assert reasons(exclude=("*_test",)) == {
        "shop_test": "excluded by '*_test'",
        "template0": "pristine template",
        "closed": "does not accept connections",
        "mould": "a template",
    }


def test_the_order_of_include_and_exclude_does_not_matter() -> None:
    assert chosen(("shop*", "Shop"), ("shop_test", "nothing*")) == chosen(("Shop", "shop*"), ("nothing*", "shop_test"))


def test_case_counts() -> None:
    assert chosen(("shop",)) == ["shop"]


def test_a_name_with_wildcards_in_it_can_be_named_exactly() -> None:
    assert chosen(("a*b",)) == ["a*b"]


def test_a_system_database_named_exactly_is_left_out_and_a_fault() -> None:
    assert chosen(("shop", "template0")) == ["shop"]
    for include, fault in ((("shop", "template0"), True), (("*",), False), (("shop", "templ*"), False)):
        skipped = select(SERVER, Selection(include), where="i")[1]
        assert {entry.name: entry.fault for entry in skipped}["template0"] is fault


def test_a_name_that_matches_nothing_is_an_error_that_names_the_nearest() -> None:
    with pytest.raises(SelectionError, match=r"'shop_tset'.*nearest name is 'shop_test'"):
        chosen(("shop_tset",))


def test_a_pattern_that_matches_nothing_is_an_error_unless_empty_is_allowed() -> None:
    with pytest.raises(SelectionError, match=r"'zzz\*'"):
        chosen(("zzz*",))
    assert chosen(("zzz*",), allow_empty=True) == []


def test_a_misspelt_name_is_an_error_even_where_empty_is_allowed() -> None:
    with pytest.raises(SelectionError):
        chosen(("shopp",), allow_empty=True)


def test_a_name_that_matches_nothing_is_a_fault_that_does_not_stop_the_others() -> None:
    selected, skipped = select(SERVER, Selection(("shop", "gone", "x*")), where="i")
    assert [entry.name for entry in selected] == ["shop"]
    assert {entry.name for entry in skipped if entry.fault} == {"gone", "x*"}
    assert "matches no database" in next(entry.reason for entry in skipped if entry.name == "gone")


def test_an_empty_selection_gives_the_reason_of_what_was_asked_for() -> None:
    many = [database(f"a{number}") for number in range(20)]
    with pytest.raises(SelectionError, match=r"selected \('mould': a template\)"):
        select([*many, *SERVER], Selection(("mould",)), where="i")


def test_a_template_is_taken_when_it_is_named_exactly() -> None:
    server = [database("shop"), database("mould", reason="a template", on_request=True)]
    assert [entry.name for entry in select(server, Selection(("mould",)), where="i")[0]] == ["mould"]
    (skipped,) = select(server, Selection(("*",)), where="i")[1]
    assert (skipped.reason, skipped.fault, skipped.unavailable) == ("a template", False, True)


def test_only_what_a_pattern_means_is_unavailable() -> None:
    skipped = select(SERVER, Selection(("*",), ("closed",)), where="i")[1]
    assert {entry.name for entry in skipped if entry.unavailable} == {"mould"}
    assert not any(entry.unavailable for entry in select(SERVER, Selection(("shop",)), where="i")[1])


def test_an_empty_selection_is_an_error_that_says_why() -> None:
    with pytest.raises(SelectionError, match=r"'shop': excluded by '\*'.*allow_empty"):
        chosen(("*",), ("*",))


def test_a_database_asked_for_by_name_that_cannot_be_taken_is_a_fault() -> None:
    skipped = select(SERVER, Selection(("shop", "closed")), where="i")[1]
    assert {entry.name: entry.fault for entry in skipped}["closed"] is True


def test_a_database_that_we_cannot_name_to_the_server_is_a_fault_under_a_wildcard() -> None:
    server = [database("shop"), database("M\udcfcller", reason="its name is not UTF-8", unaddressable=True)]
    selected, skipped = select(server, Selection(), where="i")
    assert [entry.name for entry in selected] == ["shop"]
    assert [entry.fault for entry in skipped] == [True]
