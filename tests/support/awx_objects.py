# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The objects of the controller of the tests, and the rules by which AWX 24.6.1 takes and shows them.

What is here was read in AWX's source, or is known of real ones: secrets that are masked and taken back as masked,
configurations that are filled up with defaults, playbooks that must be in the project, variables that only a survey
lets in.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from jinja2 import StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from support.awx_kinds import KINDS, NOTIFICATIONS, UNIFIED

API = "/api/v2/"
MASK = "$encrypted$"
SURVEY_TYPES: Mapping[str, type | tuple[type, ...]] = {
    **dict.fromkeys(("text", "textarea", "password", "multiplechoice"), str),
    **{"multiselect": (str, list), "integer": int, "float": (int, float)},
}
CONFIGURATION_TYPES: Mapping[str, type] = {"string": str, "password": str, "bool": bool, "object": dict, "list": list}


class Refused(Exception):
    """An answer that is no success: status and body."""

    def __init__(self, status: int, body: Mapping[str, Any]) -> None:
        super().__init__(status, body)
        self.status, self.body = status, body


@dataclass
class Stored:
    """An object with its fields as they are, secrets too."""

    id: int
    kind: str
    fields: dict[str, Any]
    lists: dict[str, list[int]] = field(default_factory=dict)
    survey: dict[str, Any] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"{API}{self.kind}/{self.id}/"


class Objects:
    """All objects. `playbooks` are those that a project has, once it was synced."""

    def __init__(self, playbooks: Iterable[str]) -> None:
        self.all: dict[int, Stored] = {}
        self._ids = itertools.count(1)
        self._playbooks = frozenset(playbooks)
        self.revision = "first"

    # -- looking

    def of(self, kind: str) -> list[Stored]:
        kinds = UNIFIED if kind == "unified_job_templates" else (kind,)
        return [one for one in self.all.values() if one.kind in kinds]

    def get(self, kind: str, number: int) -> Stored:
        one = self.all.get(number)
        if one is None or one not in self.of(kind):
            raise Refused(404, {"detail": "Not found."})
        return one

    def named(self, kind: str, name: str) -> Stored:
        """The one object with this name, or identifier."""
        (one,) = [one for one in self.of(kind) if name in (one.fields.get("name"), one.fields.get("identifier"))]
        return one

    def organization_of(self, one: Stored) -> Any:
        """A job template belongs where its project belongs; nobody can say it otherwise."""
        owner = self.all.get(one.fields.get("project") or 0) if one.kind == "job_templates" else one
        return owner.fields.get("organization") if owner else None

    def shown(self, one: Stored) -> dict[str, Any]:
        """What the controller tells of an object: no secrets."""
        fields = dict(one.fields)
        if one.kind == "credentials":
            secret = self._secret_inputs(one.fields["credential_type"])
            fields["inputs"] = {key: MASK if key in secret else value for key, value in fields["inputs"].items()}
        if one.kind == "notification_templates":
            fields["notification_configuration"] = _masked(fields)
        if one.kind == "job_templates":
            fields["organization"] = self.organization_of(one)
        related = {"survey_spec": f"{one.url}survey_spec/", "update": f"{one.url}update/"}
        summary: dict[str, Any] = {}
        target = self.all.get(one.fields.get("unified_job_template") or 0)
        if target is not None:
            related["unified_job_template"] = target.url
        return {
            **{"id": one.id, "type": KINDS[one.kind].type, "url": one.url, "related": related},
            **{"summary_fields": summary, **fields},
        }

    # -- changing

    def create(self, kind: str, body: Mapping[str, Any]) -> Stored:
        known = KINDS[kind]
        fields = {**known.fields, **{key: value for key, value in body.items() if key in known.fields}}
        missing = [key for key in known.required if fields[key] in (None, "")]
        if missing:
            raise Refused(400, {key: ["This field is required."] for key in missing})
        one = Stored(next(self._ids), kind, fields)
        self._judge(one, body)
        self.all[one.id] = one
        if kind == "projects" and fields["scm_type"]:
            self.update_project(one)
        return one

    def change(self, one: Stored, body: Mapping[str, Any]) -> None:
        if one.kind == "credential_types" and one.fields["managed"]:
            raise Refused(403, {"detail": "Modifications not allowed for managed credential types"})
        before = one.fields
        one.fields = {**before, **{key: value for key, value in body.items() if key in before}}
        try:
            self._judge(one, body, before)
        except Refused:
            one.fields = before
            raise

    def delete(self, one: Stored) -> None:
        """Remove an object, those that cannot be without it, and every mention of it."""
        del self.all[one.id]
        for other in [*self.all.values()]:
            known = KINDS[other.kind]
            if other.id in self.all and any(other.fields[key] == one.id for key in known.owned):
                self.delete(other)
        for other in self.all.values():
            for key in KINDS[other.kind].references:
                other.fields[key] = None if other.fields[key] == one.id else other.fields[key]
            other.lists = {
                name: [number for number in there if number != one.id] for name, there in other.lists.items()
            }

    def update_project(self, one: Stored) -> Stored:
        """Sync a project: from now on its playbooks are known."""
        one.fields["scm_revision"] = self.revision
        return self.create("project_updates", {"project": one.id, "scm_revision": self.revision})

    def associate(self, one: Stored, name: str, body: Mapping[str, Any]) -> None:
        there = one.lists.setdefault(name, [])
        number = body["id"]
        if body.get("disassociate"):
            one.lists[name] = [other for other in there if other != number]
            return
        new = self.get(KINDS[one.kind].lists[name], number)
        types = [self.all[other].fields["credential_type"] for other in there] if name == "credentials" else []
        if name == "credentials" and new.fields["credential_type"] in types:
            raise Refused(400, {"error": "Cannot assign multiple credentials of one type."})
        if name.endswith("_nodes") and new.fields["workflow_job_template"] != one.fields["workflow_job_template"]:
            raise Refused(400, {"Error": "Workflow job template nodes of two workflows cannot be linked."})
        there.append(number)

    def set_survey(self, one: Stored, spec: dict[str, Any]) -> None:
        for key, kind in (("name", str), ("description", str), ("spec", list)):
            if not isinstance(spec.get(key), kind):
                raise Refused(400, {"error": f"Expected {kind.__name__} for field '{key}'"})
        if not spec["spec"]:
            raise Refused(400, {"error": "'spec' doesn't contain any items."})
        for number, question in enumerate(spec["spec"]):
            problem = _problem_of_question(question)
            if problem:
                raise Refused(400, {"error": f"{problem} in survey question {number}"})
        variables = [question["variable"] for question in spec["spec"]]
        if len(set(variables)) != len(variables):
            raise Refused(400, {"error": "'variable' duplicated"})
        one.survey = spec

    # -- rules

    def _judge(self, one: Stored, body: Mapping[str, Any], before: Mapping[str, Any] | None = None) -> None:
        known = KINDS[one.kind]
        for key, kind in known.references.items():
            if one.fields[key] is not None and one.fields[key] not in {other.id for other in self.of(kind)}:
                raise Refused(400, {key: [f'Invalid pk "{one.fields[key]}" - object does not exist.']})
        place = [one.fields.get(key, one.id) for key in known.unique]
        for other in self.of(one.kind):
            if known.required and other is not one and [other.fields.get(k, other.id) for k in known.unique] == place:
                raise Refused(400, {"__all__": [f"{known.type} with these {known.unique} already exists."]})
        rule: Callable[[Stored, Mapping[str, Any]], None] | None = getattr(self, f"_judge_{known.type}", None)
        if rule is not None:
            rule(one, before or {})

    def _judge_job_template(self, one: Stored, _before: Mapping[str, Any]) -> None:
        project = self.all.get(one.fields["project"] or 0)
        if project is None or not project.fields["scm_revision"]:
            raise Refused(400, {"project": ["Job Templates must have a project assigned."]})
        if one.fields["playbook"] not in self._playbooks:
            raise Refused(400, {"playbook": ["Playbook not found for project."]})

    def _judge_workflow_job_template_node(self, one: Stored, _before: Mapping[str, Any]) -> None:
        self._judge_answers(one, "extra_data")

    def _judge_schedule(self, one: Stored, _before: Mapping[str, Any]) -> None:
        if not re.match(r"DTSTART;TZID=[\w/+-]+:\d{8}T\d{6} RRULE:FREQ=\w+;INTERVAL=\d+", one.fields["rrule"]):
            raise Refused(400, {"rrule": ["is not a valid rule"]})
        self._judge_answers(one, "extra_data")

    def _judge_answers(self, one: Stored, key: str) -> None:
        target = self.all.get(one.fields["unified_job_template"] or 0)
        if target is None:
            return
        questions = {question["variable"]: question for question in target.survey.get("spec", [])}
        if not target.fields.get("survey_enabled"):
            questions = {}
        strangers = sorted(set(one.fields[key]) - set(questions))
        if strangers:
            raise Refused(400, {key: [f"Variables {', '.join(strangers)} are not allowed on launch."]})
        for name, value in one.fields[key].items():
            if not isinstance(value, SURVEY_TYPES[questions[name]["type"]]):
                raise Refused(400, {"variables_needed_to_start": [f"Value {value!r} for '{name}' expected otherwise."]})

    def _judge_credential_type(self, one: Stored, _before: Mapping[str, Any]) -> None:
        fields = {entry["id"] for entry in one.fields["inputs"].get("fields", [])}
        files = one.fields["injectors"].get("file", {})
        labels = {label.partition(".")[2] for label in files}
        if not all(re.fullmatch(r"template(\.[a-zA-Z_]\w*)?", label) for label in files) or ({""} < labels):
            raise Refused(400, {"injectors": ["the names of files are template, or template.NAME"]})
        tower = {"filename": "path" if labels == {""} else dict.fromkeys(labels, "path")}
        known = {**dict.fromkeys(fields, "value"), "tower": tower}
        environment = ImmutableSandboxedEnvironment(undefined=StrictUndefined)
        for place in ("file", "extra_vars", "env"):
            for text in one.fields["injectors"].get(place, {}).values():
                environment.from_string(text).render(**known)  # an unknown name ends in 500, and in a failed test

    def _judge_credential(self, one: Stored, before: Mapping[str, Any]) -> None:
        kind = self.all[one.fields["credential_type"]].fields["inputs"]
        known = {entry["id"] for entry in kind.get("fields", [])}
        given = one.fields["inputs"]
        if set(given) - known:
            raise Refused(400, {"inputs": [f"Additional properties are not allowed: {sorted(set(given) - known)}"]})
        kept = {key: before["inputs"][key] if value == MASK else value for key, value in given.items()}
        secret = self._secret_inputs(one.fields["credential_type"])
        one.fields["inputs"] = {key: value for key, value in kept.items() if value or key not in secret}
        missing = [key for key in kind.get("required", []) if not one.fields["inputs"].get(key)]
        if missing:
            raise Refused(400, {"inputs": {key: [f"required for {one.fields['name']}"] for key in missing}})

    def _judge_notification_template(self, one: Stored, before: Mapping[str, Any]) -> None:
        known = NOTIFICATIONS[one.fields["notification_type"]]
        given = one.fields["notification_configuration"]
        filled = {key: given.get(key, default) for key, (_kind, default) in known.items()}
        missing = [key for key, value in filled.items() if value is ...]
        if missing:
            raise Refused(400, {"__all__": [f"Missing required fields for Notification Configuration: {missing}."]})
        for key, (kind, _default) in known.items():
            if not isinstance(filled[key], CONFIGURATION_TYPES[kind]):
                raise Refused(400, {"__all__": [f"Configuration field '{key}' incorrect type, expected {kind}."]})
            if kind == "password" and filled[key] == MASK:
                filled[key] = before["notification_configuration"][key]
        one.fields["notification_configuration"] = {**given, **filled}

    def _secret_inputs(self, kind: int) -> set[str]:
        return {entry["id"] for entry in self.all[kind].fields["inputs"].get("fields", []) if entry.get("secret")}


def _masked(fields: Mapping[str, Any]) -> dict[str, Any]:
    known = NOTIFICATIONS[fields["notification_type"]]
    return {
        key: MASK if value and known.get(key, ("", None))[0] == "password" else value
        for key, value in fields["notification_configuration"].items()
    }


def _problem_of_question(question: Mapping[str, Any]) -> str:
    missing = [key for key in ("type", "question_name", "variable", "required") if key not in question]
    if missing:
        return f"{missing} missing"
    kind, default = question["type"], question.get("default", "")
    if kind not in SURVEY_TYPES:
        return f"{kind} is not one of the allowed question types"
    if kind == "password" and "default" in question:
        return "a default of a password, which would be shown encrypted and never be the same again,"
    if default != "" and not isinstance(default, SURVEY_TYPES[kind]):
        return f"default {default!r} expected to be {kind}"
    if any(not isinstance(question.get(key, 0), int) for key in ("min", "max")):
        return "a limit expected to be integer"
    if kind.startswith("multi") and (not question.get("choices") or default not in question["choices"]):
        return "Default choice must be answered from the choices listed"
    return ""
