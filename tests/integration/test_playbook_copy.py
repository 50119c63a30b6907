# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbooks with a copy in a real object store: made after backups, caught up with, verified, restored from."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support.ansible import ROOT, UNREACHABLE, AnsibleRun, this_machine
from support.library import IDENTITY
from support.seaweed import Seaweed
from support.servers import PrivateServer
from support.tree import folder_state

COPY = ROOT / "playbooks" / "copy.yml"
WRONG = {"access_key_id": "host-access", "secret_access_key": "Vx83-not-the-secret-of-the-store-77"}


@pytest.fixture(scope="module")
def store() -> Iterator[Seaweed]:
    seaweed = Seaweed()
    try:
        yield seaweed.start()
    finally:
        seaweed.kill()
        shutil.rmtree(seaweed.folder, ignore_errors=True)


@pytest.fixture
def bucket(store: Seaweed, request: pytest.FixtureRequest) -> str:
    return store.bucket(f"b{abs(hash(request.node.name)) % 10**12}")


@pytest.fixture
def server(postgres15: PrivateServer) -> Iterator[PrivateServer]:
    postgres15.sql("CREATE DATABASE shop")
    postgres15.sql("CREATE TABLE item AS SELECT generate_series(1, 5) AS n", database="shop")
    yield postgres15
    for database in ("shop", "shop_copy"):
        postgres15.sql(f"DROP DATABASE IF EXISTS {database}")


@pytest.fixture
def inventory(scratch: Path, repository: Path, store: Seaweed, bucket: str, server: PrivateServer) -> dict[str, Any]:
    """The host `db1`, whose backups are copied to a bucket by a key that adds and reads."""
    shop = {"id": "shop-pg", "engine": "postgresql", "databases": ["shop"], "row_counts": True}
    host = {
        "backupdb_instances": [{**shop, "login_host": server.host, "login_port": server.port}],
        "backupdb_logins": {"shop-pg": {"login_user": server.user, "login_password": server.password}},
    }
    common = this_machine(
        scratch,
        backupdb_repository=str(repository),
        backupdb_recipients=[IDENTITY.recipient],
        backupdb_copies=[store.copy(bucket, patience="5s")["options"]],
        backupdb_copy_credentials={"offsite": store.key("host")},
    )
    return {"all": {"vars": common, "hosts": {"db1": host}}}


def reached(store: Seaweed, bucket: str) -> set[str]:
    """Host, instance and database of every backup in the bucket."""
    return {name.rsplit("/", 2)[0] for name in store.names(bucket) if name.endswith("/manifest.json")}


def shows_no_secret(run: AnsibleRun, *secrets: str) -> None:
    results = json.dumps([one.result for one in run.results])
    for secret in secrets:
        assert secret not in run.output
        assert secret not in results


def test_backups_go_to_the_copy_and_come_back_from_there_without_the_repository(
    run_playbook: Callable[..., AnsibleRun],
    inventory: dict[str, Any],
    repository: Path,
    store: Seaweed,
    bucket: str,
    server: PrivateServer,
) -> None:
    secret = store.key("host")["secret_access_key"]
    backup = run_playbook("vya.backupdb.backup", inventory=inventory, verbosity=3)
    assert backup.returncode == 0, backup.output
    shows_no_secret(backup, secret)
    assert reached(store, bucket) == {"db1/shop-pg/shop", "db1/shop-pg/@accounts"}
    db1 = backup.summary("backup_summary")["hosts"]["db1"]
    assert (db1["status"], db1["copying"]["status"]) == ("ok", "ok")
    assert any("copy offsite: 2 backups sent" in line for line in db1["lines"])

    sent = store.names(bucket)
    again = run_playbook(COPY, inventory=inventory, verbosity=3)
    assert again.returncode == 0, again.output
    shows_no_secret(again, secret)
    assert again.stats["hosts"]["db1"]["changed"] == 0
    assert again.summary("copy_summary")["hosts"]["db1"]["copies"][0]["sent"] == []
    assert any("copy offsite: 0 backups sent" in line for line in shown(again))
    assert store.names(bucket) == sent

    shutil.rmtree(repository)
    opened = {"verify_level": "decrypt", "verify_identity": IDENTITY.reveal(), "verify_copy": "offsite"}
    verify = run_playbook("vya.backupdb.verify", inventory=inventory, extra_vars=opened, verbosity=3)
    assert verify.returncode == 0, verify.output
    shows_no_secret(verify, secret, IDENTITY.reveal())
    assert verify.summary("verify_summary")["hosts"]["db1"]["counts"]["good"] == 2

    wanted = {
        "restore_copy": "offsite",
        "restore_instance": "shop-pg",
        "restore_database": "shop",
        "restore_from": "latest",
        "restore_target": "shop_copy",
        "restore_confirm": "shop_copy",
        "restore_identity": IDENTITY.reveal(),
    }
    restore = run_playbook("vya.backupdb.restore", inventory=inventory, extra_vars=wanted, verbosity=3)
    assert restore.returncode == 0, restore.output
    shows_no_secret(restore, secret, IDENTITY.reveal())
    assert server.sql("SELECT count(*) FROM item", database="shop_copy")[0][0] == 5

    best = {**wanted, "restore_copy": "best", "restore_target": "shop_best", "restore_confirm": ""}
    planned = run_playbook("vya.backupdb.restore", inventory=inventory, extra_vars=best, check=True)
    assert planned.returncode == 0, planned.output
    assert f"it is read from copy offsite, s3://{bucket}/db1/shop-pg/shop/" in planned.output
    status = run_playbook(
        "vya.backupdb.status", inventory=inventory, extra_vars={"status_copy": "offsite"}, verbosity=3
    )
    assert status.returncode == 0, status.output
    shows_no_secret(status, secret)
    rows = status.summary("status_summary")["hosts"]["db1"]["rows"]
    assert [(row["database"], row["state"]) for row in rows] == [(None, "ok"), ("shop", "ok")]
    assert all(row["path"].startswith(f"s3://{bucket}/") for row in rows)

    missing = run_playbook("vya.backupdb.restore", inventory=inventory, extra_vars={**wanted, "restore_copy": "moon"})
    assert missing.returncode != 0
    assert "backupdb_copies has no copy moon; its copies are: offsite" in missing.output
    assert store.names(bucket) == sent


def test_the_role_copy_catches_up_and_its_plan_says_what_the_key_may_and_writes_nothing(
    run_playbook: Callable[..., AnsibleRun], inventory: dict[str, Any], repository: Path, store: Seaweed, bucket: str
) -> None:
    without = run_playbook("vya.backupdb.backup", inventory=inventory, extra_vars={"backup_copy": False})
    assert without.returncode == 0, without.output
    assert without.summary("backup_summary")["hosts"]["db1"]["copying"] == {}
    assert store.names(bucket) == []
    before = folder_state(repository)

    plan = run_playbook(COPY, inventory=inventory, check=True)
    assert plan.returncode == 0, plan.output
    (planned,) = plan.summary("copy_summary")["hosts"]["db1"]["copies"]
    assert len(planned["missing"]) == 2
    assert {"list", "add"} & {right["right"] for right in planned["rights"]}
    assert "s3:PutObject" in planned["policy"]
    assert store.names(bucket) == []

    done = run_playbook(COPY, inventory=inventory)
    assert done.returncode == 0, done.output
    assert done.is_quiet(), done.output
    assert done.stats["hosts"]["db1"]["changed"] >= 1
    assert reached(store, bucket) == {"db1/shop-pg/shop", "db1/shop-pg/@accounts"}
    assert folder_state(repository).keys() >= before.keys()


def test_a_wrong_key_makes_the_host_partial_and_every_host_is_tried(
    run_playbook: Callable[..., AnsibleRun], inventory: dict[str, Any], scratch: Path, store: Seaweed, bucket: str
) -> None:
    db1 = inventory["all"]["hosts"]["db1"]
    inventory["all"]["hosts"] = {
        "wrong": {**db1, "backupdb_copy_credentials": {"offsite": WRONG}},
        "gone": {**db1, **UNREACHABLE},
        "db1": db1,
    }
    backup = run_playbook("vya.backupdb.backup", inventory=inventory, verbosity=3)
    assert backup.returncode != 0
    shows_no_secret(backup, WRONG["secret_access_key"])
    hosts = backup.summary("backup_summary")["hosts"]
    assert {name: entry["status"] for name, entry in hosts.items()} == {
        "wrong": "partial",
        "gone": "unreachable",
        "db1": "ok",
    }
    assert "Every instance is backed up. Not all is copied: copy offsite:" in hosts["wrong"]["message"]
    assert any("wrong: copying failed: copy offsite:" in line for line in backup.summary("backup_summary")["lines"])

    copied = run_playbook("vya.backupdb.copy", inventory=inventory, verbosity=3)
    assert copied.returncode != 0
    shows_no_secret(copied, WRONG["secret_access_key"])
    summary = copied.summary("copy_summary")
    assert {name: entry["status"] for name, entry in summary["hosts"].items()} == {
        "wrong": "failed",
        "gone": "unreachable",
        "db1": "ok",
    }
    assert summary["hosts"]["wrong"]["copies"][0]["error"]
    failed = copied.of_task("Copy the backups of this host")
    assert {one.host for one in failed if one.kind == "failed"} == {"wrong", "gone"}

    optional = [{**inventory["all"]["vars"]["backupdb_copies"][0], "required": False}]
    lenient = run_playbook(
        "vya.backupdb.backup",
        inventory=inventory,
        extra_vars={"backupdb_copies": optional},
        arguments=["--limit", "wrong"],
    )
    assert lenient.returncode == 0, lenient.output
    assert any(
        "warning: copy offsite:" in line for line in lenient.summary("backup_summary")["hosts"]["wrong"]["lines"]
    )


def test_mistakes_in_the_copies_are_told_before_anything_is_done(
    run_playbook: Callable[..., AnsibleRun], inventory: dict[str, Any], store: Seaweed
) -> None:
    inventory["all"]["vars"]["backupdb_copy_credentials"] = {"ofsite": store.key("host"), "offsite": WRONG}
    run = run_playbook(COPY, inventory=inventory, verbosity=3)
    assert run.returncode != 0
    assert "backupdb_copies has no ofsite; its copies are: offsite" in run.output
    shows_no_secret(run, WRONG["secret_access_key"], store.key("host")["secret_access_key"])


def shown(run: AnsibleRun) -> list[str]:
    return run.output.splitlines()
