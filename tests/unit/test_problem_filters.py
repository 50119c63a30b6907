# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mistakes in the variables of roles are all found, each in a sentence of its own, and no secret is in one."""

from __future__ import annotations

import importlib
from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from backupdb.jobs import definition

FILTERS = "ansible_collections.vya.backupdb.plugins.filter"
job_module = importlib.import_module(f"{FILTERS}.job_problems")
job_problems = job_module.job_problems
copy_problems = importlib.import_module(f"{FILTERS}.copy_problems").copy_problems
copy_named = importlib.import_module(f"{FILTERS}.copy_named").copy_named
job_copy_problems = importlib.import_module(f"{FILTERS}.job_copy_problems").job_copy_problems
host_problems = importlib.import_module(f"{FILTERS}.host_problems").host_problems
login_problems = importlib.import_module(f"{FILTERS}.login_problems").login_problems
unknown_variables = importlib.import_module(f"{FILTERS}.unknown_variables").unknown_variables
restore_problems = importlib.import_module(f"{FILTERS}.restore_problems").restore_problems

SHOP = {"id": "shop-pg", "engine": "postgresql", "login_unix_socket": "/run/postgresql"}
WIKI = {"id": "wiki-db", "engine": "mariadb", "login_host": "db2.example.org"}
ANSWERS = {
    "restore_instance": "shop-pg",
    "restore_database": "shop",
    "restore_from": "latest",
    "restore_target": "shop_copy",
    "restore_confirm": "",
    "restore_replace": False,
    "restore_data_only": False,
    "restore_login_user": "",
    "restore_login_password": "",
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
    needed = "restore_instance, restore_database, restore_from, restore_target"
    assert only(restore_problems(nothing, ["shop-pg"], ["db1"])) == f"not given: {needed}"
    wrong = {**ANSWERS, "restore_confirm": "shop", "restore_instance": "wiki-db"}
    confirm, instance, hosts = restore_problems(wrong, ["shop-pg"], ["db1", "db2"])
    assert confirm == "restore_confirm must repeat the name in restore_target, shop_copy, or be empty"
    assert instance == "restore_instance must be one of backupdb_instances: shop-pg"
    assert "db1, db2: name the one that restores" in hosts


@pytest.mark.parametrize("change", ["restore_replace", "restore_data_only"])
def test_only_what_changes_a_database_needs_its_name_typed_again(change: str) -> None:
    changing = {**ANSWERS, change: True}
    words = "restore_confirm must repeat the name in restore_target, shop_copy; the database is changed"
    assert only(restore_problems(changing, ["shop-pg"], ["db1"])) == words
    assert restore_problems({**changing, "restore_confirm": "shop_copy"}, ["shop-pg"], ["db1"]) == []


def test_a_password_without_its_account_is_told() -> None:
    answers = {**ANSWERS, "restore_login_password": "given"}
    assert only(restore_problems(answers, ["shop-pg"], ["db1"])).startswith("restore_login_password needs")
    assert restore_problems({**answers, "restore_login_user": "dba"}, ["shop-pg"], ["db1"]) == []


@pytest.mark.parametrize(
    ("name", "roles", "words"),
    [
        ("drill_identiy_file", ["vya.backupdb.drill"], "drill_identity_file is"),
        ("backupdb_recipient", ["backupdb"], "backupdb_recipients is"),
        ("prune_max_ages", ["prune"], None),
        ("backup_recipient", ["backup", "backupdb"], None),
        ("backup_hosts", ["backup"], None),
        ("backupdb_repository_mount", ["backupdb"], None),
        ("drill_identiy_file", ["verify", "other.collection.drill", "../drill"], None),
        ("vault_shop_pg_password", ["vault", "backupdb"], None),
    ],
)
def test_a_misspelled_variable_of_a_role_is_told_and_others_own_are_not(
    name: str, roles: list[str], words: str | None
) -> None:
    found = unknown_variables([name, "drill_count", "ansible_host"], roles)
    assert found == ([] if words is None else [f"{name} is no variable of the role {name.split('_')[0]}; {words}"])


def test_a_restore_refuses_every_variable_that_it_does_not_have() -> None:
    names = ["restore_user", "restore_identity_files", "restore_hosts", "restore_summary", "restore_qqq", "restore_at"]
    assert unknown_variables(names, "restore", strict=True) == [
        "restore_at is no variable of the role restore; its README has all of them",
        "restore_identity_files is no variable of the role restore; restore_identity_file is",
        "restore_qqq is no variable of the role restore; its README has all of them",
        "restore_user is no variable of the role restore; restore_login_user is",
    ]


COPIES = [{"name": "offsite", "type": "s3"}, {"name": "vault", "type": "sftp"}]
KEY = {"access_key_id": "SECRET-id", "secret_access_key": "SECRET-key"}


def test_copies_with_names_of_their_own_and_whole_credentials_have_no_problem() -> None:
    assert copy_problems([], {}) == copy_problems(COPIES) == []
    assert copy_problems(COPIES, {"offsite": {**KEY, "session_token": "SECRET"}}) == []


def test_what_opens_a_copy_belongs_to_one_and_is_whole() -> None:
    assert "no ofsite; its copies are: offsite, vault" in only(copy_problems(COPIES, {"ofsite": KEY}))
    assert "go together" in only(copy_problems(COPIES, {"offsite": {"access_key_id": "SECRET"}}))
    assert "may only have the keys" in only(copy_problems(COPIES, {"offsite": {**KEY, "password": "SECRET"}}))
    assert "may only have the keys" in only(copy_problems(COPIES, {"offsite": "SECRET"}))
    wrong = {"x": KEY, "offsite": {"secret_access_key": "SECRET"}, "vault": {"key": "SECRET"}}
    problems = copy_problems(COPIES, wrong)
    assert len(problems) == 3
    assert "SECRET" not in str(problems)


def test_names_of_copies_are_unlike_and_of_plain_characters() -> None:
    assert "unlike ../x" in only(copy_problems([{"name": "../x", "type": "s3"}]))
    assert "repeated: vault" in only(copy_problems([COPIES[1], COPIES[1]]))


def test_a_copy_is_found_by_its_name_and_an_unknown_one_is_refused_with_those_that_there_are() -> None:
    assert copy_named(COPIES, "vault") == COPIES[1]
    assert copy_named(COPIES, ["vault"]) == [COPIES[1]]
    with pytest.raises(AnsibleFilterError, match="no copy moon; its copies are: offsite, vault"):
        copy_named(COPIES, "moon")
    with pytest.raises(AnsibleFilterError, match="its copies are: none"):
        copy_named([], "moon")


def test_jobs_copy_to_copies_that_there_are_and_a_store_of_logins_cannot_open_them() -> None:
    job = {"name": "nightly", "copies": ["offsite", "moon"]}
    assert "backupdb_copies has no moon" in only(job_copy_problems([job], copies=COPIES))
    assert job_copy_problems([{"name": "nightly"}], copies=COPIES, copy_credentials={"offsite": KEY}) == []
    kept = {"credentials": "store", "copies": COPIES, "copy_credentials": {"offsite": KEY}}
    told = only(job_copy_problems([{"name": "nightly"}], **kept))
    assert "cannot keep what opens the copies offsite" in told
