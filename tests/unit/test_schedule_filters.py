# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs made of the variables of a host: every option arrives, and no secret is where it does not belong."""

from __future__ import annotations

import importlib
from typing import Any

import pytest

PLUGINS = "ansible_collections.vya.backupdb.plugins"
copy_times = importlib.import_module(f"{PLUGINS}.filter.copy_times").copy_times
job_backups = importlib.import_module(f"{PLUGINS}.filter.job_backups").job_backups
job_secrets = importlib.import_module(f"{PLUGINS}.filter.job_secrets").job_secrets
obsolete_job_files = importlib.import_module(f"{PLUGINS}.filter.obsolete_job_files").obsolete_job_files
public_notifications = importlib.import_module(f"{PLUGINS}.filter.public_notifications").public_notifications
service_sandbox = importlib.import_module(f"{PLUGINS}.filter.service_sandbox").service_sandbox

INSTANCES: list[dict[str, Any]] = [
    {"id": "shop-pg", "engine": "postgresql", "login_unix_socket": "/run/postgresql", "workers": 1, "login_port": None},
    {"id": "wiki-db", "engine": "mariadb", "login_host": "db2", "login_password": "SECRET-old", "exclude": ["tmp*"]},
]
LOGINS = {"wiki-db": {"login_user": "backup", "login_password": "SECRET-new"}, "elsewhere": {"login_password": "no"}}
SHARED = {
    "repository": "/srv/backup",
    "host": "db1.example.org",
    "workers": 2,
    "recipients": [],
    "compression_level": "",
}
PLACES = {
    "units": "/units",
    "crontabs": "/cron.d",
    "config": "/etc/backupdb",
    "state": "/state",
    "sealer": "/lib/seal",
}
DIRECTORIES = {"repository": "/srv/100%", "state_dir": "/var/lib/backupdb"}
NOTIFICATIONS = [
    {"name": "ops", "type": "slack", "url": "https://hooks.example.org/SECRET"},
    {"name": "mail", "type": "email", "smtp_host": "mx", "smtp_user": "u", "smtp_password": "SECRET-mail"},
    {"name": "plain", "type": "email", "smtp_host": "mx", "smtp_password": ""},
]
COPIES = [
    {"name": "offsite", "type": "s3", "bucket": "acme"},
    {"name": "disk", "type": "local", "path": "/mnt/50%"},
    {"name": "vault", "type": "sftp", "host": "v", "user": "u", "path": "/r", "key_file": "/etc/backupdb/vault.key"},
]
STORES = {"offsite": {"access_key_id": "SECRET-id", "secret_access_key": "SECRET-key"}, "other": {"a": "SECRET-no"}}


def test_a_job_backs_up_all_instances_unless_it_names_some() -> None:
    assert [entry["instance"] for entry in job_backups({}, INSTANCES)] == ["shop-pg", "wiki-db"]
    assert [entry["instance"] for entry in job_backups({"instances": ["wiki-db"]}, INSTANCES)] == ["wiki-db"]
    assert [entry["instance"] for entry in job_backups({"instances": []}, INSTANCES)] == ["shop-pg", "wiki-db"]


def test_the_job_wins_over_the_login_the_login_over_the_instance_and_that_over_what_is_shared() -> None:
    job = {"backup": {"timeout": "6h", "workers": 4}}
    shop, wiki = job_backups({}, INSTANCES, LOGINS, SHARED)
    assert shop == {
        "instance": "shop-pg",
        "engine": "postgresql",
        "login_unix_socket": "/run/postgresql",
        "workers": 1,
        "repository": "/srv/backup",
        "host": "db1.example.org",
    }
    assert (wiki["workers"], wiki["login_user"], wiki["exclude"]) == (2, "backup", ["tmp*"])
    assert [(entry["workers"], entry["timeout"]) for entry in job_backups(job, INSTANCES, LOGINS, SHARED)] == [
        (4, "6h"),
        (4, "6h"),
    ]


def test_a_definition_has_no_secret_and_the_secrets_have_all_that_the_job_needs_and_no_more() -> None:
    assert "SECRET" not in str(job_backups({}, INSTANCES, LOGINS, SHARED))
    assert job_secrets({}, INSTANCES, LOGINS, "pass", NOTIFICATIONS) == {
        "logins": {"wiki-db": {"login_password": "SECRET-new"}},
        "passphrase": "pass",
        "notifications": {
            "ops": {"url": "https://hooks.example.org/SECRET"},
            "mail": {"smtp_password": "SECRET-mail"},
        },
    }
    assert job_secrets({"instances": ["shop-pg"]}, INSTANCES, LOGINS) == {}
    assert job_secrets({}, [], copies=COPIES, copy_credentials=STORES) == {"copies": {"offsite": STORES["offsite"]}}
    assert job_secrets({}, INSTANCES) == {"logins": {"wiki-db": {"login_password": "SECRET-old"}}}


def test_definitions_and_secrets_share_out_the_options_of_notifications() -> None:
    public = public_notifications(NOTIFICATIONS)
    assert "SECRET" not in str(public)
    secrets = job_secrets({}, [], notifications=NOTIFICATIONS)["notifications"]
    together = [{**options, **secrets.get(options["name"], {})} for options in public]
    assert together == [{key: value for key, value in options.items() if value} for options in NOTIFICATIONS]


def test_a_job_that_was_removed_leaves_nothing_and_its_definition_goes_last() -> None:
    paths = obsolete_job_files(
        ["nightly"], "systemd", PLACES, removed=["weekly"], append_only=True, copying=["nightly"]
    )
    assert paths == [
        "/units/backupdb-weekly.timer",
        "/units/backupdb-weekly.service",
        "/units/backupdb-copy@weekly.timer",
        "/units/backupdb-copy@weekly.service",
        "/cron.d/backupdb-weekly",
        "/cron.d/backupdb-nightly",
        "/cron.d/backupdb-seal",
        "/var/lib/systemd/timers/stamp-backupdb-weekly.timer",
        "/var/lib/systemd/timers/stamp-backupdb-copy@weekly.timer",
        "/etc/backupdb/credentials/weekly",
        "/etc/backupdb/credentials/weekly.cred",
        "/state/jobs/weekly.json",
        "/state/jobs/weekly.lock",
        "/etc/backupdb/jobs.d/weekly.json",
    ]


def test_jobs_that_move_to_cron_leave_no_unit_and_those_that_stay_keep_their_definition() -> None:
    paths = obsolete_job_files(["nightly"], "cron", PLACES, append_only=True, copying=["nightly"])
    assert paths == [
        *(
            f"/units/backupdb-{name}.{ending}"
            for name in ("copy@nightly", "nightly", "seal")
            for ending in ("timer", "service")
        ),
        "/var/lib/systemd/timers/stamp-backupdb-copy@nightly.timer",
    ]


def test_a_job_that_copies_no_more_has_no_timer_that_copies() -> None:
    assert "/units/backupdb-copy@nightly.timer" in obsolete_job_files(["nightly"], "systemd", PLACES)
    kept = obsolete_job_files(["nightly", "weekly"], "systemd", PLACES, copying=["nightly"])
    assert [path for path in kept if "copy@" in path and path.startswith("/units")] == [
        "/units/backupdb-copy@weekly.timer",
        "/units/backupdb-copy@weekly.service",
    ]


def test_jobs_copy_when_they_say_or_else_when_all_do_and_disabled_ones_never() -> None:
    jobs = [
        {"name": "nightly"},
        {"name": "weekly", "copy_on_calendar": "Sat 03:00", "copy_cron": "0 3 * * 6"},
        {"name": "quiet", "copy_on_calendar": "", "copy_cron": ""},
        {"name": "off", "enabled": False},
    ]
    assert copy_times(jobs, COPIES, "copy_on_calendar", "hourly") == {"nightly": "hourly", "weekly": "Sat 03:00"}
    assert copy_times(jobs, COPIES, "copy_cron") == {"weekly": "0 3 * * 6"}
    assert copy_times(jobs, [], "copy_on_calendar", "hourly") == {}


def test_a_host_that_does_not_seal_has_nothing_that_seals() -> None:
    for manager in ("systemd", "cron"):
        assert {
            "/units/backupdb-seal.timer",
            "/units/backupdb-seal.service",
            "/cron.d/backupdb-seal",
            "/lib/seal",
        } <= set(obsolete_job_files(["nightly"], manager, PLACES))
    assert "/etc/backupdb/jobs.d/seal.json" not in obsolete_job_files([], "cron", PLACES)


def test_a_service_may_write_where_it_must_and_has_no_capability_unless_it_is_root() -> None:
    assert service_sandbox({}, "backupdb", **DIRECTORIES, metrics_dir="/metrics", instances=INSTANCES) == {
        "ReadWritePaths": ["/srv/100%%", "/var/lib/backupdb", "/metrics"],
        "PrivateTmp": True,
        "MemoryDenyWriteExecute": True,
        "RestrictNamespaces": [],
        "CapabilityBoundingSet": [],
    }
    assert service_sandbox({"drill": None}, "root", **DIRECTORIES)["CapabilityBoundingSet"] == ["CAP_DAC_OVERRIDE"]


def test_a_service_that_copies_may_write_to_a_disk_that_is_a_copy() -> None:
    assert service_sandbox({}, "backupdb", **DIRECTORIES, copies=COPIES) == {
        "ReadWritePaths": ["/srv/100%%", "/var/lib/backupdb", "/mnt/50%%"],
        "PrivateTmp": True,
        "MemoryDenyWriteExecute": True,
        "RestrictNamespaces": [],
        "CapabilityBoundingSet": [],
    }


def test_a_drill_may_start_servers_where_it_works() -> None:
    job = {"drill": {"every": "7d", "work_dir": "/srv/drill"}}
    sandbox = service_sandbox(job, "root", **DIRECTORIES)
    assert sandbox["ReadWritePaths"][-1] == "/srv/drill"
    assert not sandbox["MemoryDenyWriteExecute"]
    assert {"CAP_SETUID", "CAP_SETGID"} < set(sandbox["CapabilityBoundingSet"])
    assert service_sandbox(job, "backupdb", **DIRECTORIES)["CapabilityBoundingSet"] == []


def test_a_drill_of_an_ordinary_user_may_shut_its_server_in() -> None:
    job = {"drill": {"every": "7d"}}
    assert "user" in service_sandbox(job, "backupdb", **DIRECTORIES)["RestrictNamespaces"]
    assert service_sandbox(job, "root", **DIRECTORIES)["RestrictNamespaces"] == []


@pytest.mark.parametrize(
    "more",
    [
        {"repository": "/tmp/backup"},  # noqa: S108
        {"metrics_dir": "/var/tmp"},  # noqa: S108
        {"instances": [{"id": "a"}, {"id": "b", "login_unix_socket": "/tmp/mysql.sock"}]},  # noqa: S108
        {"job": {"drill": {"identity_file": "/tmp/key"}}},  # noqa: S108
        {"copies": [{**COPIES[2], "key_file": "/tmp/vault.key"}]},  # noqa: S108
        {"copies": [{**COPIES[1], "path": "/var/tmp/copy"}]},  # noqa: S108
        {"job": {"drill": {"work_dir": "/var/tmp/drill"}}},  # noqa: S108
    ],
)
def test_what_others_put_into_tmp_stays_in_sight(more: dict[str, Any]) -> None:
    assert not service_sandbox(**{"job": {}, "user": "backupdb", **DIRECTORIES, **more})["PrivateTmp"]
    assert service_sandbox({}, "backupdb", **{**DIRECTORIES, "repository": "/tmpfs"})["PrivateTmp"]  # noqa: S108
