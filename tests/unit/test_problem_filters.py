# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mistakes in the variables of roles are all found, each in a sentence of its own, and no secret is in one."""

from __future__ import annotations

import importlib
from typing import Any

import pytest
from backupdb.jobs import definition

FILTERS = "ansible_collections.vya.backupdb.plugins.filter"
job_module = importlib.import_module(f"{FILTERS}.job_problems")
job_problems = job_module.job_problems
host_problems = importlib.import_module(f"{FILTERS}.host_problems").host_problems
login_problems = importlib.import_module(f"{FILTERS}.login_problems").login_problems
restore_problems = importlib.import_module(f"{FILTERS}.restore_problems").restore_problems

SHOP = {"id": "shop-pg", "engine": "postgresql", "login_unix_socket": "/run/postgresql"}
WIKI = {"id": "wiki-db", "engine": "mariadb", "login_host": "db2.example.org"}
ANSWERS = {
    "restore_instance": "shop-pg",
    "restore_database": "shop",
    "restore_from": "latest",
    "restore_target": "shop_copy",
    "restore_confirm": "shop_copy",
}


def only(problems: list[str]) -> str:
    (problem,) = problems
    return problem


def test_a_host_with_instances_and_one_kind_of_encryption_has_no_problem() -> None:
    assert host_problems([SHOP, WIKI], recipients=["age1x"]) == []
    assert host_problems([SHOP], passphrase="SECRET") == []
    assert host_problems([SHOP], encryption="none") == []


def test_a_host_without_instances_and_encryption_is_told_both() -> None:
    problems = host_problems([])
    assert [problem.split()[0] for problem in problems] == ["backupdb_instances", "backupdb_encryption"]


def test_ids_that_are_repeated_are_named_once() -> None:
    assert only(host_problems([SHOP, WIKI, SHOP, SHOP], encryption="none")).endswith("is repeated: shop-pg")


@pytest.mark.parametrize(
    ("encryption", "recipients", "passphrase", "words"),
    [
        ("age", [], "", "is needed"),
        ("age", ["age1x"], "SECRET", "exclude each other"),
        ("none", ["age1x"], "", "backupdb_encryption is none, but"),
        ("none", [], "SECRET", "backupdb_encryption is none, but"),
    ],
)
def test_keys_that_contradict_the_encryption_are_told_without_a_secret(
    encryption: str, recipients: list[str], passphrase: str, words: str
) -> None:
    problem = only(host_problems([SHOP], encryption, recipients, passphrase))
    assert words in problem
    assert "SECRET" not in problem


def test_jobs_that_are_right_have_no_problem() -> None:
    jobs = [{"name": "nightly"}, {"name": "hourly", "instances": ["shop-pg"]}]
    assert job_problems(jobs, [SHOP, WIKI], append_only=True, user="backupdb", credentials="systemd") == []
    assert job_problems([]) == []


@pytest.mark.parametrize("name", ["../etc", "Nightly", "", "-a", "a" * 64, "nightly\n", "a b"])
def test_a_name_that_no_file_should_have_is_refused(name: str) -> None:
    assert "may only have a-z" in only(job_problems([{"name": name}]))


def test_names_are_those_that_a_job_file_may_have() -> None:
    assert job_module._NAME.pattern == definition.NAME.pattern


def test_names_must_be_unique_and_not_that_of_the_job_of_the_collection() -> None:
    taken, unique = job_problems([{"name": name} for name in ("twice", "twice", "seal")])
    assert "the name seal is taken" in taken
    assert "must be unique" in unique


def test_instances_that_the_host_does_not_have_are_named_once() -> None:
    jobs = [{"name": "a", "instances": ["gone", "shop-pg"]}, {"name": "b", "instances": ["gone", "lost"]}]
    assert only(job_problems(jobs, [SHOP])) == "backupdb_jobs: backupdb_instances has no gone, lost"


def test_append_only_needs_a_user_from_whom_backups_can_be_taken() -> None:
    assert "must therefore not be root" in only(job_problems([], append_only=True, user="root"))


def test_a_store_of_logins_cannot_keep_other_secrets() -> None:
    own = {"name": "own", "type": "email", "smtp_password": "SECRET"}
    shared = [{"name": "ops", "type": "slack", "url": "https://SECRET"}, {"name": "mail", "type": "email"}]
    jobs: list[dict[str, Any]] = [{"name": "a"}, {"name": "b"}, {"name": "c", "notifications": [own]}]
    passphrase, receivers = job_problems(jobs, [], shared, passphrase="SECRET", credentials="store")
    assert "instead of a passphrase" in passphrase
    assert receivers.endswith("the address or password of ops, own")
    assert "SECRET" not in passphrase + receivers
    assert job_problems(jobs, [], shared, passphrase="SECRET", credentials="file") == []
    # No job sends them.
    assert job_problems([], [], shared, credentials="store") == []


def test_credentials_of_systemd_need_systemd() -> None:
    assert "cannot be cron" in only(job_problems([], credentials="systemd", manager="cron"))
    assert job_problems([], credentials="systemd", manager="auto") == []


def test_instances_over_the_network_need_an_administrator_and_those_of_mysql_a_host() -> None:
    admin, host = login_problems([SHOP, WIKI])
    assert admin == "account_admin_logins needs an administrator for instances with login_host: wiki-db"
    assert host.endswith(": wiki-db")
    assert login_problems([SHOP, WIKI], {"wiki-db": {}}, {"wiki-db": "%"}) == []


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "::1"])
def test_a_login_on_the_server_itself_comes_from_there(host: str) -> None:
    assert login_problems([{**WIKI, "login_host": host}], {"wiki-db": {}}) == []


def test_postgresql_does_not_ask_from_where_a_login_comes() -> None:
    assert login_problems([{**SHOP, "login_host": "db1"}], {"shop-pg": {}}) == []


def test_a_restore_with_all_answers_has_no_problem() -> None:
    assert restore_problems(ANSWERS, ["shop-pg"], ["db1"]) == []


def test_a_path_says_which_database_it_is_of() -> None:
    answers = {**ANSWERS, "restore_database": ""}
    assert only(restore_problems(answers, ["shop-pg"], ["db1"])) == "not given: restore_database"
    assert restore_problems({**answers, "restore_from": "/srv/backup/x"}, ["shop-pg"], ["db1"]) == []


def test_everything_that_a_restore_lacks_is_told_at_once() -> None:
    nothing = dict.fromkeys(ANSWERS, "")
    assert only(restore_problems(nothing, ["shop-pg"], ["db1"])) == f"not given: {', '.join(ANSWERS)}"
    wrong = {**ANSWERS, "restore_confirm": "shop", "restore_instance": "wiki-db"}
    confirm, instance, hosts = restore_problems(wrong, ["shop-pg"], ["db1", "db2"])
    assert confirm == "restore_confirm must repeat the name in restore_target, shop_copy"
    assert instance == "restore_instance must be one of backupdb_instances: shop-pg"
    assert "db1, db2: name the one that restores" in hosts
