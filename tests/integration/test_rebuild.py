# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A whole host comes back into empty servers: accounts, databases and rights, from a repository and from a copy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from backupdb.accounts.compare import difference
from backupdb.rebuild.request import RebuildRequest
from backupdb.rebuild.run import run as rebuild
from support.accounts import exported
from support.library import HOST, KEYS, SCHEMAS, back_up, instance_of
from support.private_server import PrivateServer
from support.restores import details_of, make_database, names

ODD = 'we-"ird` na.me%s'
WHOLE = ("torture", ODD, "small")
OWNERS = {
    "postgres15": ("CREATE ROLE app LOGIN PASSWORD 'pw'", "CREATE ROLE reader", "GRANT reader TO app"),
    "mariadb": ("CREATE USER app@'%' IDENTIFIED BY 'pw'", "CREATE ROLE reader", "GRANT reader TO app@'%'"),
}
GRANTS = {
    "postgres15": ("GRANT SELECT ON item TO reader", "GRANT UPDATE (n) ON item TO app"),
    "mariadb": ("GRANT SELECT ON item TO reader", "GRANT UPDATE (n) ON item TO app@'%'"),
}


@dataclass
class Site:
    """A host that is lost, and what it comes back into."""

    source: PrivateServer
    target: PrivateServer
    repository: Path

    def request(self, **options: Any) -> RebuildRequest:
        fields = {
            "host": HOST,
            "servers": {"test": instance_of(self.target, unix_socket=str(self.target.socket), host=None)},
            "repository": str(self.repository),
            "keys": KEYS,
            **options,
        }
        return RebuildRequest(**fields)

    def run(self, **options: Any) -> dict[str, Any]:
        return rebuild(self.request(confirm=HOST, **options))

    def plan(self, **options: Any) -> dict[str, Any]:
        return rebuild(self.request(**options))


def statuses(result: dict[str, Any]) -> dict[str, str]:
    """What became of each database, or would."""
    return {one["name"]: one["status"] for instance in result["instances"] for one in instance["databases"]}


def entry(result: dict[str, Any], name: str) -> dict[str, Any]:
    return next(one for one in result["instances"][0]["databases"] if one["name"] == name)


@pytest.fixture(params=["postgres15", "mariadb"])
def site(request: pytest.FixtureRequest, server_factory: Callable[..., Any], repository: Path) -> Site:
    """A host with three databases, one of them with nearly everything that there is, and an empty server."""
    kind: str = request.param
    source, target = server_factory(kind), server_factory(kind)
    for statement in OWNERS[kind]:
        source.sql(statement)
    make_database(source, "torture")
    source.run_sql_script(SCHEMAS / f"{source.engine}_torture.sql", database="torture")
    for number, name in enumerate((ODD, "small")):
        make_database(source, name)
        source.sql("CREATE TABLE item (n int NOT NULL PRIMARY KEY)", database=name)
        source.sql(f"INSERT INTO item VALUES ({number + 1})", database=name)
        for statement in GRANTS[kind]:
            source.sql(statement, database=name)
    result = back_up(source, repository, row_counts=True, fingerprints=True)
    assert result["status"] == "ok", result["message"]
    return Site(source, target, repository)


def assert_all_is_back(site: Site) -> None:
    for name in WHOLE:
        before, after = details_of(site.source, name), details_of(site.target, name)
        assert (before.inventory, before.row_counts) == (after.inventory, after.row_counts)
        assert before.fingerprints == after.fingerprints
    assert difference(exported(site.source), exported(site.target)) == []


def test_a_plan_changes_nothing_and_then_all_comes_back_and_a_second_run_finds_it(site: Site) -> None:
    before, accounts = names(site.target), exported(site.target)["accounts"]
    planned = site.plan()
    assert planned["status"] == "planned", planned["lost"]
    assert not planned["changed"]
    assert not planned["executed"]
    assert planned["predicted_seconds"] > 0
    assert statuses(planned) == dict.fromkeys(WHOLE, "planned")
    assert (names(site.target), exported(site.target)["accounts"]) == (before, accounts)
    done = site.run()
    assert (done["status"], done["lost"]) == ("ok", [])
    assert done["changed"]
    assert statuses(done) == dict.fromkeys(WHOLE, "restored")
    assert all(one["seconds"] > 0 for one in done["instances"][0]["databases"])
    assert_all_is_back(site)
    again = site.run()
    assert (again["status"], again["lost"], again["changed"]) == ("ok", [], False)
    assert statuses(again) == dict.fromkeys(WHOLE, "present")
