# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role schedule as far as it can be seen without a host of its own: what it refuses, and the units that it writes.

That timers fire, that a second run changes nothing and that removed jobs are gone is tested on booted hosts.
"""

from __future__ import annotations

import getpass
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from backupdb.signatures.keys import read_signing_key
from support.ansible import ROOT, Ansible, AnsibleRun

TEMPLATES = ROOT / "roles" / "schedule" / "templates"
SECRET = "Vx83-canary-of-the-schedule-77"
VARIABLES: dict[str, Any] = {
    "backupdb_recipients": ["age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj"],
    "backupdb_instances": [
        {"id": "shop-pg", "engine": "postgresql", "login_unix_socket": "/run/postgresql"},
        {"id": "wiki-db", "engine": "mariadb", "login_host": "db2", "login_password": SECRET},
    ],
    "backupdb_notifications": [{"name": "ops", "type": "slack", "url": f"https://hooks.example.org/{SECRET}"}],
    "backupdb_jobs": [{"name": "nightly", "on_calendar": "02:30", "cron": "30 2 * * *"}],
}
PREFLIGHT = {
    "ansible.builtin.include_role": {"name": "vya.backupdb.schedule", "tasks_from": "preflight", "public": True}
}
# What the role finds out on the host. Nothing is installed here.
FOUND = {
    "__backupdb_preparation_steps": [],
    "__schedule_timetable_steps": [],
    "__schedule_systemd_stat": {"stat": {"exists": True}},
    "__schedule_kept": {
        "results": [{"name": "nightly", "path": "/etc/backupdb/credentials/nightly.cred", "encrypted": True}]
    },
    "__schedule_name": "nightly",
}


def play(ansible: Ansible, *tasks: dict[str, Any], **variables: Any) -> AnsibleRun:
    plays = [{"hosts": "localhost", "gather_facts": False, "tasks": [PREFLIGHT, *tasks]}]
    done = ansible.run_playbook(plays, extra_vars={**VARIABLES, **FOUND, **variables}, diff=True)
    assert SECRET not in done.output
    return done


def rendered(ansible: Ansible, folder: Path, *names: str, **variables: Any) -> list[str]:
    tasks = [
        {"ansible.builtin.template": {"src": str(TEMPLATES / f"{name}.j2"), "dest": str(folder / name)}}
        for name in names
    ]
    done = play(ansible, *tasks, **variables)
    assert done.returncode == 0, done.output
    return [(folder / name).read_text() for name in names]


def test_all_that_is_wrong_with_the_jobs_is_told_at_once_before_anything_is_done(ansible: Ansible) -> None:
    wrong = play(
        ansible,
        backupdb_jobs=[
            {"name": "../etc", "on_calendar": "02:30"},
            {"name": "seal", "on_calendar": "02:30", "instances": ["gone-db"]},
            {"name": "twice", "on_calendar": "02:30"},
            {"name": "twice", "on_calendar": "02:30"},
        ],
        backupdb_append_only=True,
        schedule_credentials="store",
        backupdb_recipients=[],
        backupdb_passphrase="correct horse battery staple",
    )
    assert wrong.returncode != 0
    text = wrong.of_task("Check the jobs and prepare the host")[0].result["msg"]
    for words in (
        "unlike ../etc",
        "seal is taken",
        "must be unique",
        "has no gone-db",
        "must therefore not be root",
        "instead of a passphrase",
        "cannot keep the address or password of ops",
    ):
        assert words in text, words


def test_the_service_of_an_unprivileged_user_has_no_capability_and_writes_where_it_must(
    ansible: Ansible, scratch: Path
) -> None:
    service, timer, table, command = rendered(
        ansible,
        scratch,
        "job.service",
        "job.timer",
        "job.cron",
        "backupdb.sh",
        backupdb_user="backupdb",
        backupdb_repository="/srv/100% of it",
        backupdb_metrics_dir="/var/lib/node",
    )
    for line in (
        "User=backupdb",
        "LoadCredentialEncrypted=nightly:/etc/backupdb/credentials/nightly.cred",
        'ReadWritePaths="-/srv/100%% of it" "-/var/lib/backupdb" "-/var/lib/node"',
        "CapabilityBoundingSet=",
        "PrivateTmp=yes",
        "ProtectSystem=strict",
        "NoNewPrivileges=yes",
        "MemoryDenyWriteExecute=yes",
        "StandardError=journal",
    ):
        assert line in service.splitlines(), line
    assert "OnCalendar=02:30" in timer.splitlines()
    assert "30 2 * * * backupdb /usr/local/bin/backupdb run nightly 2>&1 >/dev/null | logger -t backupdb" in table
    assert "setpriv --reuid=backupdb" in command
    assert 'case "${1-}" in run | copy | drill | pin | unpin) of_job=yes' in command
    for text in (service, timer, table, command):
        assert "Ansible managed" in text
        assert "\n\n\n" not in text


def test_a_drill_gets_what_it_needs_and_sockets_in_tmp_stay_in_sight(ansible: Ansible, scratch: Path) -> None:
    instance = {"id": "shop-pg", "engine": "postgresql", "login_unix_socket": "/tmp"}  # noqa: S108
    (service,) = rendered(
        ansible,
        scratch,
        "job.service",
        backupdb_instances=[instance],
        backupdb_jobs=[{**VARIABLES["backupdb_jobs"][0], "drill": {"every": "7d", "work_dir": "/srv/drill"}}],
        backupdb_config_dir="/opt/backupdb/etc",
    )
    lines = service.splitlines()
    assert "PrivateTmp=no" in lines
    assert "MemoryDenyWriteExecute=yes" not in lines
    assert 'ReadWritePaths="-/var/backups/backupdb" "-/var/lib/backupdb" "-/srv/drill"' in lines
    assert "ExecStart=/usr/local/bin/backupdb run nightly --config-dir /opt/backupdb/etc" in lines
    assert "CapabilityBoundingSet=CAP_DAC_OVERRIDE CAP_FOWNER CAP_SETGID CAP_SETUID" in lines


def test_append_only_hosts_seal_after_each_job_and_prune_every_instance_by_its_jobs_policy(
    ansible: Ansible, scratch: Path
) -> None:
    service, script = rendered(
        ansible,
        scratch,
        "job.service",
        "seal.sh",
        backupdb_append_only=True,
        backupdb_user="backupdb",
        backupdb_repository="/srv/it's",
        backupdb_retention={"keep_daily": 7, "keep_within": "3d", "max_age": None},
        backupdb_jobs=[
            {"name": "nightly", "on_calendar": "02:30", "instances": ["wiki-db"]},
            {"name": "all", "on_calendar": "05:00", "retention": {}},
        ],
    )
    assert "OnSuccess=backupdb-seal.service" in service.splitlines()
    commands = [line for line in script.splitlines() if line.startswith("/usr/local/bin/backupdb")]
    assert commands == [
        "/usr/local/bin/backupdb seal --user backupdb --group backupdb '/srv/it'\"'\"'s' || status=$?",
        "/usr/local/bin/backupdb prune --repository '/srv/it'\"'\"'s' --host localhost --instance wiki-db "
        "--keep-daily 7 --keep-within 3d || status=$?",
    ]


COPIES = [
    {"name": "offsite", "type": "s3", "bucket": "acme"},
    {"name": "disk", "type": "local", "path": "/mnt/copy", "off_site": False},
]


def test_a_job_with_copies_has_a_service_and_a_timer_that_catch_up(ansible: Ansible, scratch: Path) -> None:
    shown = {"name": "Show", "ansible.builtin.debug": {"var": "__schedule_copies"}}
    options = {
        "backupdb_user": "backupdb",
        "backupdb_copies": COPIES,
        "backupdb_copy_credentials": {"offsite": {"access_key_id": "id", "secret_access_key": SECRET}},
        "backupdb_metrics_dir": "/var/lib/node",
    }
    service, timer, table, command = rendered(
        ansible, scratch, "copy.service", "copy.timer", "job.cron", "backupdb.sh", **options, schedule_use="systemd"
    )
    for line in (
        "ExecStart=/usr/local/bin/backupdb copy nightly",
        "User=backupdb",
        "LoadCredentialEncrypted=nightly:/etc/backupdb/credentials/nightly.cred",
        "CapabilityBoundingSet=",
        "StandardOutput=journal",
        "ProtectHome=read-only",
    ):
        assert line in service.splitlines(), line
    assert "OnCalendar=*-*-* 00/4:23:00" in timer.splitlines()
    assert "run | copy | drill" in command
    assert "copy nightly" in table
    of_one = [{**VARIABLES["backupdb_jobs"][0], "copies": ["disk"], "copy_cron": "5 5 * * *"}]
    done = play(ansible, shown, **options, backupdb_jobs=of_one)
    assert [copy["name"] for copy in done.of_task("Show")[0].result["__schedule_copies"]] == ["disk"]
    (table,) = rendered(ansible, scratch, "job.cron", **options, backupdb_jobs=of_one, schedule_use="cron")
    assert "5 5 * * * backupdb /usr/local/bin/backupdb copy nightly 2>&1 | logger -t backupdb" in table
    (table,) = rendered(ansible, scratch, "job.cron")
    assert "copy nightly" not in table


@pytest.mark.parametrize("user", ["root", "backupdb"])
@pytest.mark.parametrize("drills", [False, True])
def test_no_service_is_much_exposed(ansible: Ansible, scratch: Path, user: str, drills: bool) -> None:
    """Figures of systemd itself, from 0 (nothing is in reach) to 10."""
    job = {**VARIABLES["backupdb_jobs"][0], **({"drill": {"every": "7d"}} if drills else {})}
    rendered(
        ansible,
        scratch,
        "job.service",
        "seal.service",
        "copy.service",
        backupdb_user=user,
        backupdb_jobs=[job],
        backupdb_copies=COPIES,
        # Only an ordinary user's backups are sealed; the two services are the same with and without.
        backupdb_append_only=user != "root",
    )
    for name in ("job.service", "seal.service", "copy.service"):
        unit = scratch / f"backupdb-{name}"
        # What is executed need not be there, but must be somewhere.
        text = re.sub(r"(?m)^ExecStart=\S+", "ExecStart=/bin/true", (scratch / name).read_text(encoding="utf-8"))
        unit.write_text(text, encoding="utf-8")
        command = ["systemd-analyze", "security", "--offline=true", "--no-pager", str(unit)]
        said = subprocess.run(command, check=False, capture_output=True, text=True)
        assert "Overall exposure level" in said.stdout, said.stderr
        assert float(said.stdout.strip().rpartition(": ")[2].split()[0]) < 2.5, said.stdout


def test_a_host_that_signs_gets_one_key_and_its_jobs_use_it(ansible: Ansible, scratch: Path) -> None:
    path = scratch / "signing-key.pem"
    shown = {"name": "Show the backups", "ansible.builtin.debug": {"var": "__schedule_backups"}}
    reported = {"vya.backupdb.role_report": {"work": "schedule"}}
    looked = {"ansible.builtin.include_role": {"name": "vya.backupdb.schedule", "tasks_from": "report"}}
    options = {"backupdb_signing_key": str(path), "backupdb_become": False, "backupdb_user": getpass.getuser()}
    plain = play(ansible, shown, **options)
    assert ["signing_key" in entry for entry in plain.of_task("Show the backups")[0].result["__schedule_backups"]] == [
        False,
        False,
    ]
    keys = []
    for run in range(2):
        done = play(ansible, shown, looked, reported, **options, backupdb_sign=True, __schedule_removed=[])
        backups = done.of_task("Show the backups")[0].result["__schedule_backups"]
        assert [entry["signing_key"] for entry in backups] == [str(path), str(path)]
        assert path.stat().st_mode & 0o777 == 0o600
        keys.append(done.summary("schedule_summary")["localhost"]["public_key"])
        assert (f"localhost: backupdb_signed_by: {keys[0]}" in done.output.splitlines()) is (run == 0)
        assert path.read_text().splitlines()[1] not in done.output
    assert keys[0] == keys[1] == read_signing_key(str(path)).public
