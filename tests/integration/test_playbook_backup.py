# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook and its roles on real servers: hosts, instances and failures of every sort in one run."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from backupdb.repository.catalogue import read_backup
from backupdb.signatures.check import check_backup
from backupdb.signatures.keys import read_signing_key
from support.ansible import ROOT, UNREACHABLE, AnsibleRun, this_machine, write_json
from support.golden import assert_golden
from support.library import RECIPIENT
from support.servers import PrivateServer
from support.tree import folder_state

PLAYBOOK = "vya.backupdb.backup"
WEAK_GRANT = 'run as administrator: GRANT SELECT ON TABLE "public"."item" TO "weak"'
TASK = "Back up the databases of this host"


@pytest.fixture(scope="module")
def shop(postgres15: PrivateServer) -> Iterator[PrivateServer]:
    postgres15.sql("CREATE DATABASE shop")
    yield postgres15
    postgres15.sql("DROP DATABASE shop")


@pytest.fixture(scope="module")
def wiki(mariadb: PrivateServer) -> Iterator[PrivateServer]:
    mariadb.sql("CREATE DATABASE wiki")
    yield mariadb
    mariadb.sql("DROP DATABASE wiki")


@pytest.fixture
def repository(scratch: Path) -> Path:
    return scratch / "repository"


@pytest.fixture
def inventory(scratch: Path, repository: Path, shop: PrivateServer, wiki: PrivateServer) -> dict[str, Any]:
    """The host `db1` with both engines, whose logins come from a file of secrets."""
    logins = {"shop-pg": login(shop), "wiki-db": login(wiki)}
    secrets_file = write_json(scratch / "logins.yml", logins)
    common = this_machine(
        scratch,
        backupdb_repository=str(repository),
        backupdb_recipients=[RECIPIENT],
        backupdb_logins=f"{{{{ lookup('ansible.builtin.file', '{secrets_file}') | from_yaml }}}}",
        # A name that no shell may be asked to read.
        backupdb_state_dir=str(scratch / "it's `the`; state of {{ inventory_hostname }}"),
    )
    return {"all": {"vars": common, "hosts": {"db1": {"backupdb_instances": [instance(shop), instance(wiki)]}}}}


def instance(server: PrivateServer, **more: Any) -> dict[str, Any]:
    name, database = ("shop-pg", "shop") if server.engine == "postgresql" else ("wiki-db", "wiki")
    where = {"login_host": server.host, "login_port": server.port}
    return {"id": name, "engine": server.engine, **where, "databases": [database], **more}


def login(server: PrivateServer) -> dict[str, str]:
    return {"login_user": server.user, "login_password": server.password}


@contextmanager
def weak_role(server: PrivateServer) -> Iterator[None]:
    """A login that may not read the table that there is then."""
    server.sql("CREATE ROLE weak LOGIN PASSWORD 'of-a-weak-role'")
    server.sql("CREATE TABLE item (n int)", database="shop")
    try:
        yield
    finally:
        server.sql("DROP TABLE item", database="shop")
        server.sql("DROP ROLE weak")


def weak_instance(server: PrivateServer) -> dict[str, Any]:
    return {**instance(server), "id": "weak-pg", "login_user": "weak", "login_password": "of-a-weak-role"}


def published(repository: Path) -> set[str]:
    """Host, instance and database of every backup."""
    return {"/".join(path.relative_to(repository).parts[:3]) for path in repository.rglob("manifest.json")}


ALL_OF_DB1 = {"db1/shop-pg/shop", "db1/shop-pg/@accounts", "db1/wiki-db/wiki", "db1/wiki-db/@accounts"}


@pytest.mark.distro
def test_the_playbook_backs_up_both_engines_and_the_second_run_is_quick_and_changes_nothing(
    run_playbook: Callable[..., AnsibleRun], inventory: dict[str, Any], repository: Path
) -> None:
    playbook = ROOT / "playbooks" / "backup.yml"
    first = run_playbook(playbook, inventory=inventory)
    assert first.returncode == 0, first.output
    assert first.is_quiet(), first.output
    assert published(repository) == ALL_OF_DB1
    summary = first.summary("backup_summary")
    assert (summary["status"], summary["hosts"]["db1"]["status"]) == ("ok", "ok")
    assert str(repository) not in first.output
    assert ["db1", "ok", "2", "4", "0"] in [line.split()[:5] for line in first.output.splitlines()]

    before = {path: state.sha256 for path, state in folder_state(repository).items()}
    second = run_playbook(playbook, inventory=inventory, extra_vars={"backup_skip_if_newer_than": "1h"}, verbosity=3)
    assert second.returncode == 0, second.output
    assert second.stats["hosts"]["db1"]["changed"] == 0
    assert set(folder_state(repository)) == set(before)
    assert [task.action for task in second.results] == ["vya.backupdb.role_work", "vya.backupdb.role_report"]
    assert any(line.startswith("  skipped   shop") for line in second.output.splitlines())
    # A host that is prepared gets one call for each instance, and nothing else.
    assert re.findall(r"Using module file .*/(\w+)\.py", second.output) == ["database_backup", "database_backup"]


def test_everything_is_tried_and_told_before_bad_hosts_fail_in_the_last_task(
    run_playbook: Callable[..., AnsibleRun],
    inventory: dict[str, Any],
    repository: Path,
    scratch: Path,
    shop: PrivateServer,
    wiki: PrivateServer,
) -> None:
    occupied = scratch / "occupied"
    occupied.write_text("a file where a directory should be", encoding="utf-8")
    wrong = {**instance(shop), "id": "wrong-pg", **login(shop), "login_password": "not the password"}
    inventory["all"]["hosts"].update(
        {
            "mixed": {"backupdb_instances": [wrong, instance(wiki)]},
            "broken": {"backupdb_instances": [instance(shop)], "backupdb_repository": str(occupied)},
            "lost": {"backupdb_instances": [instance(shop)], **UNREACHABLE},
            "empty": {"backupdb_instances": []},
        }
    )
    run = run_playbook(PLAYBOOK, inventory=inventory)
    assert run.returncode != 0
    assert published(repository) == ALL_OF_DB1 | {"mixed/wiki-db/wiki", "mixed/wiki-db/@accounts"}

    summary = run.summary("backup_summary")
    assert summary["status"] == "failed"
    statuses = {host: told["status"] for host, told in summary["hosts"].items()}
    assert statuses == {"db1": "ok", "mixed": "failed", "broken": "failed", "lost": "unreachable", "empty": "failed"}
    instances = {told["id"]: told for told in summary["hosts"]["mixed"]["instances"]}
    assert (instances["wrong-pg"]["status"], instances["wiki-db"]["status"]) == ("failed", "ok")
    assert "password" in instances["wrong-pg"]["message"]
    assert str(occupied) in summary["hosts"]["broken"]["message"]
    assert "Connection refused" in summary["hosts"]["lost"]["message"]

    shown = summary["lines"]
    assert shown[0] == "3 hosts failed, 1 host unreachable, 1 host ok"
    assert sorted(line.partition(":")[0] for line in shown[1:]) == ["broken", "empty", "lost", "mixed"]
    assert any(line.startswith("mixed: wrong-pg failed: ") and "password" in line for line in shown)

    failed = {task.host for task in run.of_task(TASK) if task.kind == "failed"}
    assert failed == {"mixed", "broken", "lost", "empty"}
    assert run.results[-1].action == "vya.backupdb.role_report"
    assert_golden("backup_of_five_hosts", run.shows("Report on all hosts"), {str(scratch): "/srv"})
    assert "backupdb_instances is empty" in run.output
    text = json.dumps(summary)
    assert shop.password not in text
    assert wiki.password not in text


def test_a_first_check_on_a_new_host_is_a_plan_and_leaves_nothing(
    run_playbook: Callable[..., AnsibleRun], inventory: dict[str, Any], repository: Path, scratch: Path
) -> None:
    inventory["all"]["vars"].update({"backupdb_install": "packages", "backupdb_extra_packages": ["hello"]})
    # As it is where the library is not there yet.
    hiding = scratch / "hiding"
    hiding.mkdir()
    (hiding / "psycopg2.py").write_text("raise ImportError('hidden')\n", encoding="utf-8")
    run = run_playbook(PLAYBOOK, inventory=inventory, check=True, diff=True, environment={"PYTHONPATH": str(hiding)})
    assert run.returncode == 0, run.output
    plan = [line for line in run.output.splitlines() if line.startswith("db1: would ")]
    assert "hello" in plan[0]
    assert "postgresql-client" in plan[0]
    assert str(repository) in plan[-1]
    told = run.summary("backup_summary")["hosts"]["db1"]
    assert told["status"] == run.summary("backup_summary")["status"] == "unknown"
    assert [entry["status"] for entry in told["instances"]] == ["unknown", "unknown"]
    assert "psycopg2" in told["instances"][0]["message"]
    assert {backup["status"] for backup in told["instances"][1]["backups"]} == {"unknown"}
    assert "unknown until the host is prepared" in run.output
    assert_golden("check_of_an_unprepared_host", run.shows("Report on all hosts"), {str(scratch): "/srv"})
    assert not repository.exists()
    assert list(scratch.glob("state-*")) == []


def test_a_host_that_signs_has_its_key_from_the_first_run_on(
    run_playbook: Callable[..., AnsibleRun], inventory: dict[str, Any], repository: Path, scratch: Path
) -> None:
    path = scratch / "signing-key.pem"
    options = {"backupdb_sign": True, "backupdb_signing_key": str(path)}
    foreseen = run_playbook(PLAYBOOK, inventory=inventory, extra_vars=options, check=True)
    assert foreseen.returncode == 0, foreseen.output
    assert not path.exists()
    done = run_playbook(PLAYBOOK, inventory=inventory, extra_vars=options)
    assert done.returncode == 0, done.output
    signed = list(repository.rglob("manifest.json.sig"))
    assert len(signed) == len(ALL_OF_DB1)
    key = read_signing_key(str(path)).public
    assert all(check_backup(read_backup(file.parent), [key])["status"] == "verified" for file in signed)


def test_a_check_on_a_prepared_host_changes_nothing_and_shows_what_would_be(
    run_playbook: Callable[..., AnsibleRun], inventory: dict[str, Any], repository: Path, shop: PrivateServer
) -> None:
    assert run_playbook(PLAYBOOK, inventory=inventory).returncode == 0
    before = folder_state(repository)
    run = run_playbook(PLAYBOOK, inventory=inventory, check=True, diff=True)
    assert run.returncode == 0, run.output
    assert folder_state(repository) == before
    assert "+shop: a new backup by run" in run.output
    inventory["all"]["hosts"]["db1"]["backupdb_instances"][0]["databases"] = ["shpo"]
    inventory["all"]["hosts"]["db1"]["backupdb_instances"].append(weak_instance(shop))
    with weak_role(shop):
        bad = run_playbook(PLAYBOOK, inventory=inventory, check=True)
    assert bad.returncode == 2  # an error stays an error where nothing is left to be prepared
    assert "nearest name is 'shop'" in bad.output
    told = bad.summary("backup_summary")["hosts"]["db1"]["instances"]
    assert [entry["status"] for entry in told] == ["failed", "ok", "failed"]
    assert WEAK_GRANT in told[2]["message"]


def test_a_right_that_lacks_is_a_failure_also_before_the_host_is_prepared(
    run_playbook: Callable[..., AnsibleRun], inventory: dict[str, Any], shop: PrivateServer
) -> None:
    inventory["all"]["hosts"]["db1"]["backupdb_instances"] = [weak_instance(shop)]
    with weak_role(shop):
        check = run_playbook(PLAYBOOK, inventory=inventory, check=True)
    assert check.returncode == 2
    (told,) = check.summary("backup_summary")["hosts"]["db1"]["instances"]
    assert (told["status"], WEAK_GRANT in told["message"]) == ("failed", True)


def test_a_pattern_that_matches_no_host_is_an_error_and_names_the_group_that_was_meant(
    run_playbook: Callable[..., AnsibleRun], inventory: dict[str, Any]
) -> None:
    inventory["all"]["children"] = {"databases": {"hosts": {"db1": {}}}}
    inventory["all"]["hosts"]["other"] = {}
    for arguments, words in (
        (["-e", "backup_hosts=databasez"], "near it are databases"),
        (["-e", "backup_hosts=databases", "--limit", "other"], "leaves none of the hosts that 'databases' matches"),
    ):
        run = run_playbook(PLAYBOOK, inventory=inventory, arguments=arguments)
        assert run.returncode != 0
        assert words in " ".join(run.output.split())
        assert run.results == []


def test_the_preflight_lists_everything_that_is_wrong_at_once(
    run_playbook: Callable[..., AnsibleRun], inventory: dict[str, Any], shop: PrivateServer
) -> None:
    inventory["all"]["hosts"]["db1"].update(
        {
            "backupdb_instances": [instance(shop), instance(shop)],
            "backupdb_repository": "backups",
            "backupdb_recipients": [],
        }
    )
    run = run_playbook(PLAYBOOK, inventory=inventory)
    assert run.returncode != 0
    (task,) = run.of_task(TASK)
    problems = task.result["msg"].split("; ")
    assert len(problems) == 3
    for words in ("shop-pg", "backupdb_repository", "backupdb_recipients"):
        assert any(words in problem for problem in problems), problems


def test_no_secret_is_shown_at_the_greatest_verbosity_whatever_fails(
    run_playbook: Callable[..., AnsibleRun],
    inventory: dict[str, Any],
    scratch: Path,
    shop: PrivateServer,
    wiki: PrivateServer,
) -> None:
    canaries = {name: secrets.token_urlsafe(18) for name in ("passphrase", "wrong", "misspelt", "unsupported")}
    files = {name: scratch / f"canary-{name}" for name in canaries}
    for name, file in files.items():
        file.touch(mode=0o600)
        file.write_text(canaries[name], encoding="utf-8")
    look_up = {name: f"{{{{ lookup('ansible.builtin.file', '{file}') }}}}" for name, file in files.items()}
    inventory["all"]["vars"].update({"backupdb_recipients": [], "backupdb_passphrase": look_up["passphrase"]})
    inventory["all"]["hosts"]["db1"]["backupdb_instances"] += [
        {**instance(shop), "id": "wrong-pg", "login_user": "postgres", "login_password": look_up["wrong"]},
        {**instance(wiki), "id": "wrong-db", "login_user": "root", "login_password": look_up["wrong"]},
        {**instance(wiki), "id": "gone-db", "login_port": 1, "login_password": look_up["wrong"]},
    ]
    inventory["all"]["hosts"]["misspelt"] = {
        "backupdb_instances": [{**instance(shop), "login_passwort": look_up["misspelt"]}]
    }
    inventory["all"]["hosts"]["unsupported"] = {
        "backupdb_instances": [{**instance(shop), "engine": "oracle", "login_password": look_up["unsupported"]}]
    }
    inventory["all"]["hosts"]["lost"] = {"backupdb_instances": [instance(shop)], **UNREACHABLE}
    run = run_playbook(PLAYBOOK, inventory=inventory, verbosity=4, diff=True)
    told = {entry["id"]: entry["status"] for entry in run.summary("backup_summary")["hosts"]["db1"]["instances"]}
    assert told == {"shop-pg": "ok", "wiki-db": "ok", "wrong-pg": "failed", "wrong-db": "failed", "gone-db": "failed"}
    for name, secret in {**canaries, "shop": shop.password, "wiki": wiki.password}.items():
        assert secret not in run.output, name
        assert secret not in json.dumps([task.result for task in run.results]), name
