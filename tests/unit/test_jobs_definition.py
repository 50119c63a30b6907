# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A job's definition: the options of a backup, checked before any work, and never a secret."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ModuleArgumentSpecValidator
from backupdb.credentials.secrets import Secrets
from backupdb.errors import InvalidOption
from backupdb.jobs import definition
from backupdb.jobs.options import BACKUP_OPTIONS

PLUGINS = "ansible_collections.vya.backupdb.plugins"
job_arguments = importlib.import_module(f"{PLUGINS}.module_utils.module_support.argument_specs.jobs")
job_fragment = importlib.import_module(f"{PLUGINS}.doc_fragments.job")
BACKUP = {
    "instance": "shop-pg",
    "engine": "postgresql",
    "login_unix_socket": "/var/run/postgresql",
    "repository": "/srv/backup",
    "host": "db1",
    "recipients": ["age1one"],
}


def job(**changes: Any) -> dict[str, Any]:
    values = {"schema": 1, "name": "nightly", "backups": [BACKUP], **changes}
    return {key: value for key, value in values.items() if value is not None}


def read(tmp_path: Path, values: Any, name: str = "nightly") -> definition.Job:
    path = tmp_path / "jobs.d" / f"{name}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(values if isinstance(values, str) else json.dumps(values), encoding="utf-8")
    return definition.read_job(path)


def test_the_documentation_of_a_jobs_backups_matches_its_options_key_for_key() -> None:
    documented = yaml.safe_load(job_fragment.ModuleDocFragment.DOCUMENTATION)["options"]["backups"]["suboptions"]
    assert list(documented) == list(BACKUP_OPTIONS)
    assert "E(" not in json.dumps(documented)  # no environment variable gives a job anything


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"login_host": "x"}, "mutually exclusive"),
        ({"login_unix_socket": None}, "one of the following is required"),
        ({"engine": "oracle"}, "value of engine"),
        ({"client_key": "/x"}, "required together"),
        ({"repository": None}, "missing required arguments: repository"),
    ],
)
def test_a_backup_of_a_job_is_checked_by_the_specification_of_a_backup(changes: dict[str, Any], words: str) -> None:
    backup = {name: value for name, value in {**BACKUP, **changes}.items() if value is not None}
    specification = {"backups": job_arguments.job_spec()["backups"]}
    errors = ModuleArgumentSpecValidator(specification).validate({"backups": [backup]}).error_messages
    assert any(words in error for error in errors), errors


def test_a_job_is_the_same_after_its_file(tmp_path: Path) -> None:
    made = definition.job_from(job(retention={"keep_daily": 7}, drill={"every": "7d"}, max_age="2d"), "job")
    assert read(tmp_path, definition.job_text(made)) == made
    assert definition.job_names(str(tmp_path)) == ["nightly"]
    assert made.backups[0]["db_lock_timeout"] == "60s"


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"schema": 2}, "schema"),
        ({"when": "now"}, "when"),
        ({"backups": []}, "backups"),
        ({"backups": [{**BACKUP, "instance": None}]}, r"backups\[0\].instance is missing"),
        ({"backups": [{**BACKUP, "timeout": "soon"}]}, r"backups\[0\].*option timeout"),
        ({"backups": [{**BACKUP, "jobs": "2"}]}, r"backups\[0\].jobs"),
        ({"backups": [{**BACKUP, "row_counts": 1}]}, r"backups\[0\].row_counts"),
        ({"backups": [{**BACKUP, "jobs": True}]}, r"backups\[0\].jobs"),
        ({"backups": [{**BACKUP, "loginhost": "x"}]}, r"backups\[0\].loginhost"),
        ({"backups": [{**BACKUP, "login_host": "x"}]}, "one of login_host and login_unix_socket"),
        ({"backups": [{**BACKUP, "client_key": "/x"}]}, "go together"),
        ({"backups": [{**BACKUP, "login_password": "x"}]}, r"login_password is a secret"),
        ({"backups": [{**BACKUP, "passphrase": "x"}]}, r"passphrase is a secret"),
        ({"backups": [BACKUP, BACKUP]}, r"backups\[1\].instance: shop-pg is there twice"),
        ({"drill": {"identity_file": "/x"}}, "drill.every is missing"),
        ({"drill": {"every": "often"}}, "drill: 'often' is not a duration"),
        ({"drill": {"every": "7d", "select": "best"}}, "drill: select"),
        ({"drill": {"every": "7d", "identity": "x"}}, "drill.identity is a secret"),
        (
            {"notifications": [{"name": "a", "type": "email", "smtp_password": "x"}]},
            r"notifications\[0\].smtp_password",
        ),
        ({"max_age": "old"}, "max_age"),
        ({"metrics_dir": "here"}, "metrics_dir"),
        ({"credentials": {"source": "cloud"}}, "credentials.source"),
        ({"credentials": {"path": 1}}, "credentials.path"),
        ({"name": "../x"}, "name"),
    ],
)
def test_what_is_wrong_is_told_with_the_file_and_the_key(tmp_path: Path, changes: dict[str, Any], key: str) -> None:
    with pytest.raises(InvalidOption, match=key) as caught:
        read(tmp_path, job(**changes))
    assert str(tmp_path / "jobs.d" / "nightly.json") in str(caught.value)


def test_a_file_of_another_job_or_of_no_job_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidOption, match=r"nightly.*is that of job 'weekly'"):
        read(tmp_path, job(), name="weekly")
    with pytest.raises(InvalidOption, match="not JSON"):
        read(tmp_path, "{", name="weekly")
    with pytest.raises(InvalidOption, match=r"there is no job daily.*the jobs here are: weekly"):
        definition.read_job(definition.job_path(str(tmp_path), "daily"))
    for name in ("../nightly", "", "Nightly", "a" * 64, "x/../../y"):
        with pytest.raises(InvalidOption, match="cannot be the name"):
            definition.job_path(str(tmp_path), name)


def test_secrets_meet_the_options_only_in_the_request() -> None:
    made = definition.job_from(job(backups=[{**BACKUP, "recipients": None, "login_user": "reader"}]), "job")
    secrets = Secrets(logins={"shop-pg": {"login_password": "Zt5"}}, archive_passphrase="Wq7")
    request = definition.backup_request(made.backups[0], secrets, None)
    assert (request.instance.user, request.instance.password) == ("reader", "Zt5")
    assert request.encryption.passphrase == "Wq7"
    with pytest.raises(InvalidOption, match="no recipients and no passphrase"):
        definition.backup_request(made.backups[0], Secrets(), None)
    for_recipients = definition.job_from(job(), "job")
    assert definition.backup_request(for_recipients.backups[0], secrets, None).encryption.passphrase is None
