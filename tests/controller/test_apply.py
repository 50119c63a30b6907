# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kit applied with the modules of awx.awx to a controller of the tests: twice, over drift, with less, checked."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.ansible import Ansible
from support.awx_kit import PLAYBOOKS, PREFIX, SECRETS, SETTINGS, WORDS, Applied, apply, read
from support.awx_objects import Objects, Stored
from support.awx_server import PASSWORD, USER, Awx, awx_controller

JOB_TEMPLATES = [entry["name"] for entry in read("controller/objects.yml")["controller_job_templates"]]
SCHEDULES = read("controller/settings.yml")["controller_schedules"]
CHECKS = [name for name in JOB_TEMPLATES if name.endswith("(check)")]


@pytest.fixture
def awx(first: Applied) -> Iterator[Awx]:
    """A controller to which the kit was applied once."""
    with awx_controller(PLAYBOOKS) as controller:
        controller.objects = copy.deepcopy(first.objects)
        yield controller


def one(awx: Awx, kind: str, name: str) -> Stored:
    return awx.objects.named(kind, f"{PREFIX} {name}")


def everything(objects: Objects) -> dict[str, Any]:
    """What the controller shows of all objects but the runs of the project, with their lists and surveys."""
    return {
        stored.url: (objects.shown(stored), {key: sorted(there) for key, there in stored.lists.items()}, stored.survey)
        for stored in objects.all.values()
        if stored.kind not in ("project_updates", "tokens")
    }


def names_of(awx: Awx, kind: str, numbers: list[int]) -> set[str]:
    return {str(awx.objects.get(kind, number).fields["name"]).removeprefix(f"{PREFIX} ") for number in numbers}


def test_the_first_apply_makes_everything_and_shows_no_secret(awx: Awx, first: Applied) -> None:
    assert [word for word in WORDS if word in first.output] == []
    made = {stored.fields["name"] for stored in awx.objects.of("job_templates")}
    assert made == {f"{PREFIX} {name}" for name in JOB_TEMPLATES}
    for stored in awx.objects.of("job_templates"):
        fields = stored.fields
        assert fields["allow_simultaneous"] is False
        asked = {key for key, value in fields.items() if key.startswith("ask_") and value}
        assert asked <= {"ask_limit_on_launch", "ask_verbosity_on_launch"}
        assert (fields["job_type"] == "check") == fields["name"].endswith("(check)")
        assert json.loads(fields["extra_vars"])["backupdb_publish"] == "short"
        assert len(stored.lists["notification_templates_error"]) == 2
    # Only what reads backups can open them.
    with_identity = {
        stored.fields["name"].removeprefix(f"{PREFIX} ")
        for stored in awx.objects.of("job_templates")
        if "identity" in names_of(awx, "credentials", stored.lists.get("credentials", []))
    }
    assert with_identity == {"verify", "drill", "restore", "restore (check)", "rebuild (check)"}
    # What is empty is not sent.
    assert one(awx, "credentials", "logins").fields["inputs"] == {"logins": SECRETS["logins"]["logins"]}
    assert one(awx, "projects", "project").fields["scm_revision"] == "first"


def test_whatever_is_dangerous_has_a_template_beside_it_that_only_checks() -> None:
    harmless = {"gate", "status", "report", "doctor", "verify", "drill", "copy"}
    dangerous = {name for name in JOB_TEMPLATES if name not in CHECKS} - harmless
    assert {f"{name} (check)" for name in dangerous} | {"rebuild (check)"} == set(CHECKS)
    by_name = {entry["name"]: entry for entry in read("controller/objects.yml")["controller_job_templates"]}
    for name in dangerous:
        run, check = by_name[name], by_name[f"{name} (check)"]
        same = ("playbook", "credentials", "survey", "variables", "is_sliced")
        assert {key: run.get(key) for key in same} == {key: check.get(key) for key in same}


def test_nothing_of_a_workflow_runs_before_what_it_waits_for(awx: Awx) -> None:
    def row(workflow: str) -> list[tuple[str, list[str]]]:
        number = one(awx, "workflow_job_templates", workflow).id
        nodes = {
            stored.id: stored
            for stored in awx.objects.of("workflow_job_template_nodes")
            if stored.fields["workflow_job_template"] == number
        }
        assert all(not stored.lists.get(key) for stored in nodes.values() for key in ("always_nodes", "failure_nodes"))
        return [
            (
                stored.fields["identifier"],
                [nodes[other].fields["identifier"] for other in stored.lists["success_nodes"]],
            )
            for stored in nodes.values()
            if stored.lists.get("success_nodes")
        ]

    assert dict(row("nightly")) == {"back up": ["copy"], "copy": ["verify"], "verify": ["report", "status"]}
    assert dict(row("restore with approval")) == {"plan": ["approval"], "approval": ["restore"]}
    approval = awx.objects.named("workflow_job_template_nodes", "approval")
    target = awx.objects.all[approval.fields["unified_job_template"]]
    assert (target.kind, target.fields["timeout"]) == ("workflow_approval_templates", 86400)
    workflow = one(awx, "workflow_job_templates", "restore with approval")
    assert names_of(awx, "notification_templates", workflow.lists["notification_templates_approvals"]) == {"hook"}


def test_the_second_apply_changes_nothing_and_needs_no_secrets(ansible: Ansible, awx: Awx) -> None:
    awx.objects.create("job_templates", {**one(awx, "job_templates", "copy").fields, **obsolete("old copy")})
    before = everything(awx.objects)
    run = apply(ansible, awx, extra_vars=SETTINGS)
    assert run.returncode == 0, run.output
    assert awx.changes() == []
    assert "changed=0" in run.output
    assert everything(awx.objects) == before  # what is named no longer is left, unless it is asked for


def obsolete(name: str) -> dict[str, str]:
    """As an object is named and marked that an earlier version of the kit made."""
    return {"name": f"{PREFIX} {name}", "description": f'Old. [vya.backupdb kit "{PREFIX}": {PREFIX} {name}]'}


def drift(awx: Awx) -> None:
    """Let somebody change something of every kind by hand."""
    for kind, name, changes in (
        ("execution_environments", "environment", {"image": "registry.example.org/other:1"}),
        ("projects", "project", {"scm_branch": "somewhere-else", "allow_override": True}),
        ("credential_types", "logins", {"injectors": {"env": {"PGPASSWORD": "{{ logins }}"}}}),
        ("credentials", "logins", {"description": "mine"}),
        ("inventories", "hosts", {"description": "mine"}),
        ("inventory_sources", "hosts", {"update_on_launch": False}),
        ("notification_templates", "hook", {"notification_configuration": {"url": "https://elsewhere", "headers": {}}}),
        ("job_templates", "back up", {"job_type": "check", "allow_simultaneous": True, "limit": "db1", "forks": 1}),
        ("job_templates", "prune", {"extra_vars": "{}", "ask_variables_on_launch": True}),
        ("workflow_job_templates", "nightly", {"allow_simultaneous": True}),
        ("schedules", "every night", {"enabled": False}),
    ):
        awx.objects.change(one(awx, kind, name), changes)
    restore = one(awx, "job_templates", "restore")
    restore.survey = {**restore.survey, "spec": restore.survey["spec"][:-1]}
    restore.lists["credentials"] = []
    nodes = {node.fields["identifier"]: node for node in awx.objects.of("workflow_job_template_nodes")}
    nodes["plan"].lists["success_nodes"].append(nodes["restore"].id)  # past the approval
    awx.objects.change(awx.objects.all[nodes["approval"].fields["unified_job_template"]], {"timeout": 0})
    awx.objects.create(
        "workflow_job_template_nodes",
        {
            **{"identifier": "by hand", "workflow_job_template": nodes["plan"].fields["workflow_job_template"]},
            "unified_job_template": restore.id,
        },
    )


def test_drift_is_mended_without_secrets_with_one_token_for_the_run(ansible: Ansible, awx: Awx) -> None:
    before = everything(awx.objects)
    drift(awx)
    assert everything(awx.objects) != before
    login = {"CONTROLLER_USERNAME": USER, "CONTROLLER_PASSWORD": PASSWORD}
    run = apply(ansible, awx, extra_vars=SETTINGS, login=login, verbosity=3)
    assert run.returncode == 0, run.output
    tokens = [asked for asked in awx.asked if "/tokens/" in asked.path]
    # That of the module that makes the token, and the token.
    assert [asked.method for asked in tokens] == ["POST", "POST", "DELETE", "DELETE"]
    assert awx.objects.of("tokens") == []
    assert [word for word in (PASSWORD, "a-token-made-by-the-controller") if word in run.output] == []
    assert everything(awx.objects) == before
    assert not [word for word in WORDS if word in json.dumps([asked.body for asked in awx.changes()])]


def test_a_check_tells_the_drift_and_changes_nothing(ansible: Ansible, awx: Awx) -> None:
    awx.objects.change(one(awx, "job_templates", "back up"), {"limit": "db1"})
    # With some of the job templates, because each takes its time and all are alike.
    templates = read("controller/objects.yml")["controller_job_templates"]
    some = [entry for entry in templates if entry["name"] in ("back up", "copy", "verify", "status")]
    workflows = [
        entry for entry in read("controller/objects.yml")["controller_workflows"] if entry["name"] == "nightly"
    ]
    less = {"controller_job_templates": some, "controller_workflows": workflows}
    schedules = {"controller_schedules": SCHEDULES[:2]}
    run = apply(ansible, awx, extra_vars={**SETTINGS, **less, **schedules}, check=True)
    assert run.returncode == 0, run.output
    assert awx.changes() == []
    changed = [
        (item.task, item.result.get("item", {}).get("name")) for item in run.results if item.result.get("changed")
    ]
    assert ("Keep the job templates", "back up") in changed
    assert {task for task, _name in changed} == {"Keep the job templates"}, changed


def test_what_is_no_longer_named_goes_and_what_others_made_stays_and_secrets_are_rotated(
    ansible: Ansible, awx: Awx
) -> None:
    template = one(awx, "job_templates", "copy")
    awx.objects.create("job_templates", {**template.fields, **obsolete("old copy")})
    awx.objects.create("workflow_job_templates", {"organization": 1, **obsolete("old workflow")})
    copied = {**template.fields, "name": f"{template.fields['name']} @ 10:11:12"}  # with the mark of the first one
    other = {"name": f"{PREFIX} two copy", "description": f'[vya.backupdb kit "{PREFIX} two": {PREFIX} two copy]'}
    theirs = [
        awx.objects.create("job_templates", {**template.fields, **other}),  # of another kit, with a longer prefix
        awx.objects.create("job_templates", copied),
        awx.objects.create("job_templates", {**template.fields, "name": f"{PREFIX} mine", "description": "Mine."}),
    ]
    new = {"logins": {"logins": "shop-pg: {login_password: second}"}, "identity": {"identity": "AGE-SECOND"}}
    less = {
        "controller_exact": True,
        "controller_rotate_secrets": True,
        "controller_secrets": new,
        "controller_credentials": ["logins", "identity"],
        "controller_schedules": [{"name": "every night", "run": "nightly", "at": "01:30"}],
        "controller_notifications": [],
    }
    run = apply(ansible, awx, extra_vars=less, verbosity=3)
    assert run.returncode == 0, run.output
    named = {
        kind: {stored.fields["name"].removeprefix(f"{PREFIX} ") for stored in awx.objects.of(kind)}
        for kind in ("job_templates", "workflow_job_templates", "schedules", "credentials", "notification_templates")
    }
    assert named == {
        "job_templates": {*JOB_TEMPLATES, "copy @ 10:11:12", "mine", "two copy"},
        "workflow_job_templates": {"nightly", "restore with approval"},
        "schedules": {"every night"},
        "credentials": {"logins", "identity"},
        "notification_templates": set(),
    }
    assert all(stored.id in awx.objects.all for stored in theirs)
    assert [one(awx, "credentials", name).fields["inputs"] for name in ("logins", "identity")] == [
        {"logins": "shop-pg: {login_password: second}"},
        {"identity": "AGE-SECOND"},
    ]
    sent = [asked for asked in awx.changes() if "inputs" in asked.body and "/credentials/" in asked.path]
    assert len(sent) == 2
    assert "AGE-SECOND" not in run.output


def test_what_cannot_work_is_said_before_anything_is_done(ansible: Ansible, tmp_path: Path) -> None:
    wrong = {
        "controller_schedules": [
            {"name": "a", "run": "nighty", "at": "1:30"},
            {"name": "a", "run": "drill", "at": "04:00"},
        ],
        "controller_secrets": {"login": {}},
        "controller_slices": 0,
        "controller_prefix": "a++b",
    }
    with awx_controller(PLAYBOOKS) as awx:
        for settings, check, words in (
            (
                wrong,
                False,
                [
                    "1:30 is no time of day",
                    "nothing is called nighty",
                    "one name",
                    "login means nothing",
                    "1 or more",
                    "controller_prefix must not",
                ],
            ),
            ({"controller_image_pull": "often"}, False, ["controller_image_pull", "always, missing, never"]),
            (
                {"controller_organization": "Nobody's"},
                False,
                ["no organization", "Nobody's", "controller_organization"],
            ),
            ({}, True, ["--check works from the second time on"]),
            ({}, False, ["is not there yet", "secrets.example.yml", "take logins out of controller_credentials"]),
        ):
            run = apply(ansible, awx, extra_vars=settings, check=check)
            assert run.returncode == 2, run.output
            told = " ".join(run.output.split())
            assert [word for word in words if word not in told] == [], run.output
        assert awx.changes() == []
