# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which pg_dump is taken, and what a newer one than the server's does to an archive."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from backupdb.engines.postgresql.clients import find_clients, package_name
from backupdb.engines.values import Client, DumpOptions, ServerFacts
from support.postgresql_dumps import DumpFailed, client_of, drop_database, new_database, opened, restore, take
from support.servers import PrivatePostgres, ServerFailed

NEWER = DumpOptions(allow_newer_client=True)


@pytest.fixture
def both_on_path(monkeypatch: pytest.MonkeyPatch, postgres15: PrivatePostgres, postgres18: PrivatePostgres) -> None:
    monkeypatch.setenv("PATH", f"{postgres18.binaries}:/usr/bin:/bin")


def facts_of(version: str) -> ServerFacts:
    numbers = tuple(int(part) for part in version.split("."))
    return ServerFacts("postgresql", version, numbers, "primary", None, {})


def clients_for(facts: ServerFacts, options: DumpOptions) -> list[Client]:
    return find_clients(facts, allow_newer=options.allow_newer_client)


def test_the_servers_own_major_version_is_first(both_on_path: None) -> None:
    for options in (DumpOptions(), NEWER):
        first = clients_for(facts_of("15.3"), options)[0]
        assert (first.usable, first.major, first.path) == (True, 15, "/usr/lib/postgresql/15/bin/pg_dump")
        assert "own major version" in first.reason
        assert clients_for(facts_of("18.0"), options)[0].major == 18


def test_every_other_client_is_listed_with_its_reason(both_on_path: None) -> None:
    clients = clients_for(facts_of("15.3"), DumpOptions())
    reasons = {client.major: client.reason for client in clients if not client.usable}
    assert "newer than the server (15.3) and allow_newer_client is off" in reasons[18]
    assert "a script" in reasons[0]  # Debian's wrapper in /usr/bin
    older = {client.major: client for client in clients_for(facts_of("18.1"), NEWER)}[15]
    assert not older.usable
    assert "older than the server (18.1)" in older.reason


def test_a_newer_client_is_usable_only_when_allowed_and_an_older_never(both_on_path: None) -> None:
    facts = facts_of("17.2")
    assert not any(client.usable for client in clients_for(facts, DumpOptions()))
    usable = [client for client in clients_for(facts, NEWER) if client.usable]
    assert [client.major for client in usable] == [18]
    assert not any(client.usable for client in clients_for(facts_of("19.0"), NEWER))
    assert "postgresql-client-17" in package_name(facts)


def test_the_lowest_newer_client_is_taken(both_on_path: None) -> None:
    usable = [client.major for client in clients_for(facts_of("14.9"), NEWER) if client.usable]
    assert usable == [15, 18]


def test_a_program_that_is_no_pg_dump_is_listed_and_not_used(
    monkeypatch: pytest.MonkeyPatch, scratch: Path, postgres15: PrivatePostgres
) -> None:
    shutil.copy("/bin/true", scratch / "pg_dump")
    monkeypatch.setenv("PATH", f"{scratch}:/usr/bin:/bin")
    (odd,) = [client for client in clients_for(facts_of("15.1"), NEWER) if client.path == str(scratch / "pg_dump")]
    assert not odd.usable
    assert odd.reason == "it does not tell its version"


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_newer_client_is_noted_and_its_archive_comes_back_with_its_own_pg_restore(
    postgres15: PrivatePostgres, postgres18: PrivatePostgres, both_on_path: None, scratch: Path, jobs: int
) -> None:
    with new_database(postgres15, "by newer"), opened(postgres15) as (server, facts):
        postgres15.sql("CREATE TABLE t AS SELECT generate_series(1, 9) AS n", database="by newer")
        client = next(client for client in clients_for(facts, NEWER) if client.major == 18)
        options = DumpOptions(jobs=jobs, row_counts=True, allow_newer_client=True)
        dump = take(server, facts, client, "by newer", scratch, options=options)
        assert any("only pg_restore 18 or newer reads the archive" in warning for warning in dump.details.warnings)
        with pytest.raises(ServerFailed, match="unsupported version"):
            restore(postgres15, dump, "again")  # by pg_restore 15
        drop_database(postgres15, "again")
        restore(postgres18, dump, "again")
        assert postgres18.sql("SELECT count(*) FROM t", database="again") == [(9,)]
        drop_database(postgres18, "again")


def test_an_older_client_is_refused_by_itself(
    postgres15: PrivatePostgres, postgres18: PrivatePostgres, scratch: Path
) -> None:
    with new_database(postgres18, "newer"), opened(postgres15) as (_server, facts15):
        old = client_of(postgres15, facts15)
        with opened(postgres18) as (server, facts), pytest.raises(DumpFailed, match="server version mismatch"):
            take(server, facts, old, "newer", scratch)
