# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs as the controller runs them: by ansible-runner, out of a job template and the answers to its survey.

No container is around it. Everything else is as AWX does it: the answers are checked and marked as never to be filled
in, credentials become files and extra variables by the injectors of their types, colours are on, and a pseudo-terminal
is what Ansible writes to.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import yaml
from jinja2.sandbox import ImmutableSandboxedEnvironment

from support.ansible import ROOT, ansible_program, collection_tree, write_json
from support.awx_kit import KIT
from support.awx_objects import Objects, Stored

RUNNER = ROOT / ".cache" / "venv-controller" / "bin" / "ansible-runner"
SECONDS = 300
# What Ansible itself uses where colours are on, and AWX shows; anything else moves a cursor or worse.
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


class _Unsafe(str):
    """A text that Ansible must not fill in."""


class _Dumper(yaml.SafeDumper):
    """Writes such a text with its mark."""


_Dumper.add_representer(_Unsafe, lambda dumper, text: dumper.represent_scalar("!unsafe", str(text)))


class AnswerRefused(Exception):
    """The controller does not launch a job with this answer."""


@dataclass(frozen=True)
class Job:
    """A job that ended. `stdout` is what the controller shows."""

    folder: Path
    status: str
    stdout: str
    events: list[dict[str, Any]]

    @property
    def artifacts(self) -> dict[str, Any]:
        """What `set_stats` left for the next job of a workflow."""
        data: dict[str, Any] = {}
        for event in self.events:
            data.update(event.get("event_data", {}).get("artifact_data", {}))
        return data

    def plain(self) -> str:
        """What is shown, without colours."""
        return _COLOUR.sub("", self.stdout)

    def tricks(self) -> list[str]:
        """Whatever in the output is neither text nor one of Ansible's colours."""
        text = self.plain().replace("\r\n", "\n")
        return [
            repr(text[max(0, at.start() - 30) : at.end() + 30]) for at in re.finditer(r"[^\n\t\x20-\U0010ffff]", text)
        ]

    def holding(self, *secrets: str) -> list[str]:
        """The names of files among the artifacts that hold one of these texts."""
        files = [path for path in (self.folder / "artifacts").rglob("*") if path.is_file()]
        if not files:
            raise AssertionError("there are no artifacts")
        return [path.name for path in files if any(secret.encode() in path.read_bytes() for secret in secrets)]


@dataclass
class Launcher:
    """Launches jobs of the templates that are there, in a folder of its own."""

    objects: Objects
    folder: Path
    inventory: Mapping[str, Any]
    secrets: Mapping[str, Mapping[str, str]]  # by the name of the credential: its inputs
    interpreter: str
    prefix: str = "Backups:"
    _count: int = 0

    def run(self, name: str, answers: Mapping[str, Any] | None = None, *, limit: str = "") -> Job:
        """Run a job of the template and wait for its end."""
        template = self.objects.named("job_templates", f"{self.prefix} {name}")
        self._count += 1
        here = self.folder / f"job{self._count}"
        own = (template.fields["extra_vars"] or "{}").replace("/runner/", f"{here}/")  # as it is called in a container
        # Only the template's own variables may have templates in them.
        variables = {**json.loads(own), **_unsafe(answered(template.survey, answers or {}))}
        (here / "env").mkdir(parents=True, mode=0o700)
        (here / "inventory").mkdir()
        shutil.copytree(KIT, here / "project")
        write_json(here / "inventory" / "hosts.json", self.inventory)
        (here / "env" / "extravars").write_text(yaml.dump(variables, Dumper=_Dumper), encoding="utf-8")
        arguments = [*self._credentials(template, here), *_options(template, limit)]
        (here / "env" / "cmdline").write_text(" ".join(arguments), encoding="utf-8")
        write_json(here / "env" / "envvars", self._environment(here))
        command = [str(RUNNER), "run", str(here), "--ident", "1", "--playbook", template.fields["playbook"]]
        done = subprocess.run(
            command,
            env={"PATH": f"{ansible_program('ansible-playbook').parent}:{os.environ['PATH']}", "LC_ALL": "C.UTF-8"},
            cwd=here,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=SECONDS,
        )
        results = here / "artifacts" / "1"
        if not (results / "status").exists():
            raise AssertionError(done.stdout.decode() + done.stderr.decode())
        events = [json.loads(path.read_text(encoding="utf-8")) for path in (results / "job_events").glob("*.json")]
        return Job(
            folder=here,
            status=(results / "status").read_text(encoding="utf-8"),
            stdout=(results / "stdout").read_bytes().decode(),
            events=sorted(events, key=lambda event: int(event["counter"])),
        )

    def _credentials(self, template: Stored, here: Path) -> Iterator[str]:
        for number in template.lists.get("credentials", []):
            credential = self.objects.get("credentials", number)
            inputs = self.secrets[credential.fields["name"].removeprefix(f"{self.prefix} ")]
            injectors = self.objects.get("credential_types", credential.fields["credential_type"]).fields["injectors"]
            jinja, tower = ImmutableSandboxedEnvironment(), SimpleNamespace()
            for label, content in injectors["file"].items():
                path = here / "env" / f"credential-{number}-{label}"
                path.touch(mode=0o600)
                path.write_text(jinja.from_string(content).render(**inputs, tower=tower), encoding="utf-8")
                _kind, _dot, short = label.partition(".")
                tower.filename = {**getattr(tower, "filename", {}), short: str(path)} if short else str(path)
            given = {
                variable: jinja.from_string(content).render(**inputs, tower=tower)
                for variable, content in injectors["extra_vars"].items()
            }
            path = here / "env" / f"credential-{number}.yml"
            path.write_text(yaml.dump(_unsafe(given), Dumper=_Dumper), encoding="utf-8")
            yield f"-e @{path}"

    def _environment(self, here: Path) -> dict[str, str]:
        """As AWX sets it, and what keeps a test from the machine's own files."""
        return {
            "ANSIBLE_FORCE_COLOR": "True",
            "ANSIBLE_HOST_KEY_CHECKING": "False",
            "ANSIBLE_INVENTORY_UNPARSED_FAILED": "True",
            "ANSIBLE_COLLECTIONS_PATH": str(collection_tree()),
            "ANSIBLE_HOME": str(here / "home"),
            "ANSIBLE_PYTHON_INTERPRETER": self.interpreter,
            "HOME": str(here),
        }


def answered(survey: Mapping[str, Any], answers: Mapping[str, Any]) -> dict[str, Any]:
    """The variables of a survey that was answered; raises `AnswerRefused` where the controller would not launch."""
    questions = {question["variable"]: question for question in survey.get("spec", [])}
    strangers = sorted(set(answers) - set(questions))
    if strangers:
        raise AnswerRefused(f"no question is about {', '.join(strangers)}")
    values = {name: answers.get(name, question["default"]) for name, question in questions.items()}
    for name, value in values.items():
        question = questions[name]
        if question["required"] and value == "":
            raise AnswerRefused(f"{name} is required")
        if question["type"] == "multiplechoice" and value not in question["choices"]:
            raise AnswerRefused(f"{name} is one of {question['choices']}")
        size = value if question["type"] == "integer" else len(value)
        if question["type"] != "multiplechoice" and value != "" and not question["min"] <= size <= question["max"]:
            raise AnswerRefused(f"{name} is too short or too long")
    return values


def _unsafe(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _unsafe(item) for key, item in value.items()}
    return _Unsafe(value) if isinstance(value, str) else value


def _options(template: Stored, limit: str) -> list[str]:
    fields = template.fields
    options = ["--forks", str(fields["forks"])] if fields["forks"] else []
    options += ["--check"] if fields["job_type"] == "check" else []
    options += ["--diff"] if fields["diff_mode"] else []
    return [*options, *(["--limit", limit] if limit else [])]
