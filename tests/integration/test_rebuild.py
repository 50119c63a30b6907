# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A whole host comes back into empty servers: accounts, databases and rights, from a repository and from a copy."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from backupdb.accounts.compare import difference
from backupdb.age.stream import X25519Identity
from backupdb.copying.plan import CopyRequest
from backupdb.copying.run import CopyRun
from backupdb.copying.run import run as copy_backups
from backupdb.errors import BackupNotFound
from backupdb.rebuild.request import RebuildRequest
from backupdb.rebuild.run import run as rebuild
from backupdb.repository.copy_source import CopySource
from backupdb.repository.stores.settings import CopySettings, copy_from
from support.accounts import exported
from support.ansible import this_machine
from support.library import HOST, IDENTITY, KEYS, LIBRARY, SCHEMAS, back_up, instance_of, stored_backups
from support.private_server import PrivateServer
from support.restores import details_of, drop_database, make_database, names
from support.returns import documentation_of, promised, undocumented
from support.seaweed import Seaweed

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


@pytest.fixture(scope="module")
def store() -> Iterator[Seaweed]:
    """An object store for the copies."""
    server = Seaweed().start()
    yield server
    server.kill()


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
    make_database(site.source, "empty")
    assert back_up(site.source, site.repository, databases=["empty"], accounts=False)["status"] == "ok"
    everything = (*WHOLE, "empty")
    before, accounts = names(site.target), exported(site.target)["accounts"]
    planned = site.plan()
    assert planned["status"] == "planned", planned["lost"]
    assert not planned["changed"]
    assert not planned["executed"]
    assert planned["predicted_seconds"] > 0
    assert statuses(planned) == dict.fromkeys(everything, "planned")
    assert (names(site.target), exported(site.target)["accounts"]) == (before, accounts)
    done = site.run()
    assert (done["status"], done["lost"]) == ("ok", [])
    assert done["changed"]
    assert statuses(done) == dict.fromkeys(everything, "restored")
    assert all(one["seconds"] > 0 for one in done["instances"][0]["databases"])
    assert_all_is_back(site)
    again = site.run()
    assert (again["status"], again["lost"], again["changed"]) == ("ok", [], False)
    assert statuses(again) == dict.fromkeys(everything, "present")


def again_with_more(site: Site) -> None:
    """A second backup of all, with one more row in two databases."""
    time.sleep(1.1)  # the names of backups tell seconds only
    for name in (ODD, "small"):
        site.source.sql("INSERT INTO item VALUES (10)", database=name)
    numbers = "generate_series(1, 100000)" if site.source.engine == "postgresql" else "seq_1_to_100000"
    random = "random()::text" if site.source.engine == "postgresql" else "RAND()"
    site.source.sql(f"CREATE TABLE filler AS SELECT md5({random}) AS c FROM {numbers}", database="small")
    assert back_up(site.source, site.repository, row_counts=True)["status"] == "ok"


def archive_of(site: Site, name: str) -> Path:
    """The archive of the newest backup of a database."""
    backup = stored_backups(site.repository, name)[0]
    return backup.folder / backup.manifest["archives"][0]["name"]


def rows(server: PrivateServer, name: str) -> list[int]:
    return [row[0] for row in server.sql("SELECT n FROM item ORDER BY n", database=name)]


def test_of_a_damaged_backup_the_one_before_comes_back_and_that_is_said(site: Site) -> None:
    again_with_more(site)
    cut, flipped = archive_of(site, ODD), archive_of(site, "small")
    os.truncate(cut, cut.stat().st_size - 1)
    content = bytearray(flipped.read_bytes())
    content[-5] ^= 1  # whole as far as shows at once
    flipped.write_bytes(content)
    planned = site.plan()
    assert planned["status"] == "partial"
    assert [str(cut) in line for line in entry(planned, ODD)["passed_over"]] == [True]
    assert entry(planned, "small")["passed_over"] == []
    done = site.run()
    assert (done["status"], statuses(done)) == ("partial", dict.fromkeys(WHOLE, "restored"))
    assert [str(flipped) in line for line in entry(done, "small")["passed_over"]] == [True]
    assert len(done["lost"]) == 2
    assert (rows(site.target, ODD), rows(site.target, "small")) == ([1], [2])


def test_a_database_without_a_usable_backup_stops_no_other(site: Site) -> None:
    archive_of(site, "small").unlink()
    done = site.run()
    assert (done["status"], statuses(done)) == ("partial", {**dict.fromkeys(WHOLE, "restored"), "small": "no_backup"})
    assert "small" not in names(site.target)


def test_an_existing_database_is_left_as_it_is_unless_it_is_empty(site: Site) -> None:
    make_database(site.target, ODD)
    make_database(site.target, "small")
    site.target.sql("CREATE TABLE mine (n int)", database="small")
    planned = site.plan()
    assert statuses(planned) == {**dict.fromkeys(WHOLE, "planned"), "small": "blocked"}
    assert entry(planned, ODD)["replaces_empty"]
    done = site.run()
    assert statuses(done) == {**dict.fromkeys(WHOLE, "restored"), "small": "blocked"}
    assert (done["status"], rows(site.target, ODD)) == ("partial", [1])
    assert site.target.sql("SELECT count(*) FROM mine", database="small")[0][0] == 0
    drop_database(site.target, "small")
    again = site.run()
    assert (again["status"], again["lost"]) == ("ok", [])
    assert statuses(again) == {**dict.fromkeys(WHOLE, "present"), "small": "restored"}
    assert_all_is_back(site)


def test_what_was_dropped_stays_away_unless_it_is_asked_for(site: Site) -> None:
    drop_database(site.source, "small")
    time.sleep(1.1)
    back_up(site.source, site.repository, databases=["torture"])
    planned = site.plan()
    assert statuses(planned) == {**dict.fromkeys(WHOLE, "planned"), "small": "dropped"}
    assert planned["status"] == "planned"
    assert statuses(site.plan(dropped=True))["small"] == "planned"


def test_a_database_that_was_never_backed_up_is_named(site: Site) -> None:
    make_database(site.source, "never")
    back_up(site.source, site.repository, databases=["small"])
    planned = site.plan()
    assert planned["status"] == "partial"
    assert [one["name"] for one in planned["instances"][0]["not_covered"]] == ["never"]


def test_an_instance_without_a_server_and_a_host_without_backups_are_named(site: Site) -> None:
    planned = site.plan(servers={"other": instance_of(site.target)})
    assert (planned["status"], set(statuses(planned).values())) == ("failed", {"blocked"})
    assert planned["lost"][0] == "test: no server is given for it; name one in servers"
    with pytest.raises(BackupNotFound, match=f"it has '{HOST}'"):
        site.plan(host="host2")


def test_a_key_that_does_not_fit_is_told_before_anything_is_done(site: Site) -> None:
    planned = site.plan(keys=replace(KEYS, identity=X25519Identity.generate().reveal()))
    assert (planned["status"], set(statuses(planned).values())) == ("failed", {"no_backup"})


def test_a_rebuild_that_is_told_to_stop_ends_in_good_order_and_the_next_one_goes_on(site: Site) -> None:
    started = threading.Event()

    def report(line: str) -> None:
        if " restored in " in line and not started.is_set():
            started.set()
            os.kill(os.getpid(), signal.SIGTERM)

    stopped = rebuild(site.request(confirm=HOST, jobs=1), report=report)
    found = list(statuses(stopped).values())
    assert (stopped["status"], found.count("restored")) == ("partial", 1)
    assert set(found) <= {"restored", "failed", "not_begun"}
    assert any("SIGTERM" in line for line in stopped["warnings"])
    assert len(names(site.target) & set(WHOLE)) == 1  # nothing half made
    done = site.run()
    assert (done["status"], done["lost"]) == ("ok", [])
    assert sorted(statuses(done).values()) == ["present", "restored", "restored"]
    assert_all_is_back(site)


def test_a_host_comes_back_from_a_copy_alone(site: Site, store: Seaweed, scratch: Path) -> None:
    store.bucket("lost" + site.source.engine)
    copy = settings_of(store, site, "host")
    sent = copy_backups(CopyRun([CopyRequest(str(site.repository))], [copy], str(scratch / "state")))
    assert sent["status"] == "ok", sent["message"]
    shutil.rmtree(site.repository)
    source = CopySource(settings_of(store, site, "reader"), str(scratch / "elsewhere"))
    planned = site.plan(copies=(source,))
    assert (planned["status"], planned["lost"]) == ("planned", [])
    assert any("nothing is read from repository" in line for line in planned["warnings"])
    done = site.run(repository=None, copy=source)
    assert (done["status"], done["lost"]) == ("ok", [])
    assert done["source"].startswith("s3://lost")
    assert_all_is_back(site)


def test_the_command_plans_and_with_confirm_does_it(site: Site, scratch: Path, identity_file: Path) -> None:
    settings = scratch / "settings.json"
    settings.touch(mode=0o600)
    login = {"engine": site.target.engine, **site.target.login}
    settings.write_text(json.dumps({"servers": {"test": login}}), encoding="utf-8")
    words = ["rebuild", "--repository", str(site.repository), "--host", HOST, "-i", str(identity_file)]
    words += ["--settings", str(settings), "--json"]
    planned, status = run_command(words)
    assert (status, planned["status"], planned["executed"]) == (0, "planned", False)
    done, status = run_command([*words, "--confirm", HOST])
    assert (status, done["status"], statuses(done)) == (0, "ok", dict.fromkeys(WHOLE, "restored"))
    wrong, status = run_command([*words, "--confirm", "host2"])
    assert (status, wrong["error_kind"]) == (3, "InvalidOption")
    settings.chmod(0o644)
    assert run_command(words)[1] == 4
    refused, status = run_command([*words[:-3], "--json", "--server", f"test={json.dumps(login)}"])
    assert (status, "login_password is a secret" in refused["message"]) == (3, True)


@pytest.mark.parametrize("site", ["mariadb"], indirect=True)
def test_the_module_returns_what_is_documented_and_the_playbook_does_it(
    site: Site, run_module: Callable[..., Any], run_playbook: Callable[..., Any], scratch: Path
) -> None:
    server = {"instance": "test", "engine": site.target.engine, **site.target.login}
    options = {"repository": str(site.repository), "host": HOST, "servers": [server], "identity": IDENTITY.reveal()}
    run = run_module("vya.backupdb.host_rebuild", options, verbosity=3)
    assert not run.failed, run.output
    assert not run.changed
    documented = documentation_of("host_rebuild", "RETURN")
    assert undocumented(run.result, documented) == []
    assert promised(documented, "always", "when the backups were read") <= set(run.result)
    for secret in (IDENTITY.reveal(), site.target.password):
        assert secret not in run.output
    inventory = {
        "all": {
            "vars": this_machine(scratch),
            "hosts": {
                "fresh": {
                    "backupdb_repository": str(site.repository),
                    "backupdb_recipients": [IDENTITY.recipient],
                    "backupdb_instances": [{"id": "test", "engine": site.target.engine, **site.target.login}],
                    "rebuild_host": HOST,
                    "rebuild_identity": IDENTITY.reveal(),
                }
            },
        }
    }
    planned = run_playbook("vya.backupdb.rebuild", inventory=inventory)
    assert planned.returncode == 0, planned.output
    assert planned.summary("rebuild_summary")["status"] == "planned"
    assert set(WHOLE) & names(site.target) == set()
    done = run_playbook("vya.backupdb.rebuild", inventory=inventory, extra_vars={"rebuild_confirm": HOST})
    assert done.returncode == 0, done.output
    assert_all_is_back(site)


@pytest.mark.parametrize("site", ["mariadb"], indirect=True)
def test_a_database_comes_back_after_those_that_its_views_read(site: Site) -> None:
    for name in ("a_first", "z_base"):
        make_database(site.source, name)
    site.source.sql("CREATE TABLE t (n int)", database="z_base")
    site.source.sql("CREATE VIEW v AS SELECT n FROM z_base.t", database="a_first")
    site.source.sql("CREATE TABLE big AS SELECT REPEAT('x', 200000) AS c", database="a_first")
    back_up(site.source, site.repository, databases=["a_first", "z_base"], row_counts=True)
    done = site.run(jobs=1)
    assert statuses(done)["a_first"] == statuses(done)["z_base"] == "restored", done["lost"]
    assert site.target.sql("SELECT count(*) FROM v", database="a_first")[0][0] == 0


def settings_of(store: Seaweed, site: Site, key: str) -> CopySettings:
    copy = store.copy("lost" + site.source.engine, prefix="hosts", key=key)
    return copy_from(copy["options"], "copy", copy["secrets"])


def run_command(words: list[str]) -> tuple[dict[str, Any], int]:
    """The result and the exit status of the command line, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "backupdb.cli.main", *words],
        capture_output=True,
        check=False,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(LIBRARY)},
    )
    return json.loads(done.stdout), done.returncode
