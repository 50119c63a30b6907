# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kit for AWX as it is written: surveys, variables and playbooks are those that the roles have.

What it makes in a controller, and jobs of it on a server, is tested in tests/controller.
"""

from __future__ import annotations

import importlib
from typing import Any

import pytest
import yaml
from support.ansible import ROOT
from support.awx_kit import KIT, PLAYBOOKS, read

FILTERS = "ansible_collections.vya.backupdb.plugins.filter"
restore_problems = importlib.import_module(f"{FILTERS}.restore_problems")
unknown_variables = importlib.import_module(f"{FILTERS}.unknown_variables")

OBJECTS = read("controller/objects.yml")
SETTINGS = read("controller/settings.yml")
SURVEYS = read("controller/surveys.yml")["controller_surveys"]
TEMPLATES = {entry["name"]: entry for entry in OBJECTS["controller_job_templates"]}
WORKFLOWS = OBJECTS["controller_workflows"]
QUESTIONS = [(name, question) for name, survey in SURVEYS.items() for question in survey["spec"]]
# Which answer of a survey an option takes. A list is asked for nowhere.
KINDS = {"str": "text", "path": "text", "int": "integer", "bool": "multiplechoice"}


def options_of(role: str) -> dict[str, Any]:
    specs = yaml.safe_load((ROOT / "roles" / role / "meta" / "argument_specs.yml").read_text(encoding="utf-8"))
    entry = specs["argument_specs"]
    found: dict[str, Any] = (entry.get("main") or entry["prepare"])["options"]
    return found


def test_there_is_a_thin_playbook_for_each_of_the_collection() -> None:
    theirs = {f"playbooks/{path.name}" for path in (ROOT / "playbooks").glob("*.yml")}
    # In files of their own because the controller runs files of a project, and nothing else.
    assert set(PLAYBOOKS) == theirs
    for name in PLAYBOOKS:
        (play,) = yaml.safe_load((KIT / name).read_text(encoding="utf-8"))
        assert play["ansible.builtin.import_playbook"] == f"vya.backupdb.{name.split('/')[1].removesuffix('.yml')}"


@pytest.mark.parametrize(("survey", "question"), QUESTIONS, ids=lambda value: value if isinstance(value, str) else "")
def test_a_question_is_about_a_variable_of_the_role_as_the_role_takes_it(survey: str, question: dict[str, Any]) -> None:
    used_by = {entry["playbook"] for entry in TEMPLATES.values() if entry.get("survey") == survey}
    assert used_by == {survey}, "a survey is named as the role that it asks for"
    variable, kind = question["variable"], question["type"]
    assert question["question_description"]
    if variable == f"{survey}_hosts":
        assert kind == "text"
        assert question["required"]
        return
    option = options_of(survey)[variable]
    assert not option.get("no_log"), "secrets come out of credentials"
    expected = "multiplechoice" if "choices" in option else KINDS[option["type"]]
    assert kind == expected
    if kind == "multiplechoice":
        allowed = option.get("choices") or ["true", "false"]
        assert set(question["choices"]) <= set(allowed)
        assert question["default"] in question["choices"]
    # What is not answered is as if nobody had asked; only the newest backup is a default of the survey's own.
    default = option.get("default", "")
    own = {"restore_from": "latest"}.get(variable, str(default).lower() if option["type"] == "bool" else default)
    assert question["default"] == own
    must = variable in restore_problems._REQUIRED or "Must be given" in str(option["description"])
    assert question["required"] or not must
    assert not question["required"] or must or kind != "text", "what may be empty is not demanded"


def test_all_that_must_be_given_is_asked() -> None:
    for survey, needed in (("restore", {*restore_problems._REQUIRED, "restore_hosts"}), ("rebuild", {"rebuild_host"})):
        asked = {question["variable"] for question in SURVEYS[survey]["spec"] if question["required"]}
        assert needed <= asked
    asked = {question["variable"] for question in SURVEYS["rebuild"]["spec"]}
    assert "rebuild_confirm" not in asked, "a whole host is brought back by hand"


@pytest.mark.parametrize("template", TEMPLATES.values(), ids=TEMPLATES)
def test_what_a_template_gives_is_of_its_role(template: dict[str, Any]) -> None:
    role = {"prepare": "backupdb"}.get(template["playbook"], template["playbook"])
    known = unknown_variables.known_variables(role) | {f"{template['playbook']}_hosts"}
    assert set(template.get("variables", {})) <= known
    assert (f"{template['playbook']}_hosts" in template.get("variables", {})) != (template.get("survey") in ONE_HOST)
    # In slices each job has its own hosts, so what works on one host is never sliced.
    assert not (template.get("is_sliced") and template.get("survey") in ONE_HOST)


ONE_HOST = ("restore", "rebuild")


def test_a_credential_gives_a_role_variables_that_it_has() -> None:
    roles = {path.parent.name for path in (ROOT / "roles").glob("*/defaults")}
    known = {name for role in roles for name in unknown_variables.known_variables(role)}
    for kind in OBJECTS["controller_credential_types"]:
        assert set(kind["variables"]) <= known
        files = set(kind["injectors"]["extra_vars"])
        for variable, text in kind["variables"].items():
            assert any(name in text for name in files), f"{variable} comes out of a file of the credential"
        assert "env" not in kind["injectors"]
        # Extra variables are the paths of files, never what is in them.
        assert all(text.startswith("{{ tower.filename") for text in kind["injectors"]["extra_vars"].values())
        assert all(entry["secret"] for entry in kind["inputs"]["fields"])


def test_workflows_run_what_there_is_and_restore_only_what_somebody_approved() -> None:
    for workflow in WORKFLOWS:
        nodes = {node["id"]: node for node in workflow["nodes"]}
        assert len(nodes) == len(workflow["nodes"])
        for node in nodes.values():
            assert ("approve" in node) != (node.get("run") in TEMPLATES)
            assert node.get("after") in {None, *nodes}
            asked = {question["variable"] for question in _survey_of(node)}
            assert set(node.get("variables", {})) <= asked, "the controller refuses what no survey asks"
            if TEMPLATES.get(node.get("run"), {}).get("survey") in ONE_HOST:
                assert workflow["survey"] == TEMPLATES[node["run"]]["survey"]
            if node.get("run") == "restore":
                assert "approve" in nodes[node["after"]]


def _survey_of(node: dict[str, Any]) -> list[dict[str, Any]]:
    name = TEMPLATES.get(node.get("run", ""), {}).get("survey")
    found: list[dict[str, Any]] = SURVEYS[name]["spec"] if name else []
    return found


def test_every_setting_is_checked_and_the_schedules_run_what_there_is() -> None:
    checks = read("controller/tasks/check.yml")[0]["ansible.builtin.validate_argument_spec"]["argument_spec"]
    assert set(checks) == set(SETTINGS)
    runnable = {*TEMPLATES, *(workflow["name"] for workflow in WORKFLOWS)}
    assert {schedule["run"] for schedule in SETTINGS["controller_schedules"]} <= runnable
    assert {kind["name"] for kind in OBJECTS["controller_credential_types"]} == set(SETTINGS["controller_credentials"])
    example = read("controller/secrets.example.yml")["controller_secrets"]
    assert set(example) == {*SETTINGS["controller_credentials"], "notifications"}
    for kind in OBJECTS["controller_credential_types"]:
        assert set(example[kind["name"]]) <= {entry["id"] for entry in kind["inputs"]["fields"]}


def test_jobs_install_the_collection_and_need_nothing_else() -> None:
    (needed,) = read("collections/requirements.yml")["collections"]
    assert needed["name"] == "vya.backupdb"
    assert read("execution-environment.yml")["dependencies"]["galaxy"] == "collections/requirements.yml"
