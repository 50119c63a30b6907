# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a role publishes in short, what answers to a survey become, and which value a variable has."""

from __future__ import annotations

import importlib
import json
from types import SimpleNamespace
from typing import Any

from ansible import template
from ansible.parsing.dataloader import DataLoader

PLUGIN_UTILS = "ansible_collections.vya.backupdb.plugins.plugin_utils"
in_short = importlib.import_module(f"{PLUGIN_UTILS}.work").in_short
RoleVariables = importlib.import_module(f"{PLUGIN_UTILS}.role_variables").RoleVariables


def test_what_is_published_in_short_stays_small_whatever_the_number_of_hosts() -> None:
    lines = [f"db{number}: failed: {'x' * 5000}" for number in range(300)]
    hosts = {f"db{number}": {"status": "failed", "message": "x" * 5000} for number in range(300)}
    short = in_short({"status": "failed", "message": "300 hosts failed", "complaints": lines, "hosts": hosts})
    assert set(short) == {"status", "message", "complaints"}
    assert len(json.dumps(short)) < 16_384
    assert short["complaints"][0].startswith("db0: failed: x")
    assert short["complaints"][-1] == "... and 280 more"
    whole = in_short({"status": "ok", "message": "1 host ok", "complaints": [], "hosts": {}})
    assert whole == {"status": "ok", "message": "1 host ok", "complaints": []}


def test_an_empty_answer_which_is_read_as_none_is_an_empty_text() -> None:
    variables = RoleVariables(None, {"copy": None, "path": None, "port": None, "name": "x"})
    options = {"copy": {"type": "str"}, "path": {"type": "path"}, "port": {"type": "int"}, "name": {}, "other": {}}
    variables._take_none_as_empty(options)
    assert {name: variables.raw(name) for name in ("copy", "path", "port", "name")} == {
        "copy": "",
        "path": "",
        "port": None,
        "name": "x",
    }


def with_templates(**written: Any) -> Any:
    """Variables as they are written into an inventory."""
    trusted = getattr(template, "trust_as_template", str)  # older Ansible takes every text for a template
    known = {name: trusted(value) if isinstance(value, str) else value for name, value in written.items()}
    return RoleVariables(SimpleNamespace(_templar=template.Templar(loader=DataLoader())), known)


def test_a_settled_variable_is_worked_out_once_and_again_when_it_is_settled_again() -> None:
    variables = with_templates(whole="{{ part }}c", part="{{ base }}b", base="a")
    variables.settle(["whole"])
    variables.set("base", "x")
    assert (variables.value("whole"), variables.value("part")) == ("abc", "xb")
    variables.settle(["whole"])
    assert variables.value("whole") == "xbc"


def test_what_looks_like_a_template_in_a_result_or_in_a_settled_value_is_no_template() -> None:
    hostile = "{{ lookup('pipe', 'touch /nonexistent/x') }}"
    variables = with_templates(name="{{ result.name }}", shown="{{ name }}/{{ result.name }}")
    variables.set("result", {"name": hostile})
    assert variables.value("shown") == f"{hostile}/{hostile}"
    variables.settle(["name"])
    assert variables.value("name") == hostile
    assert variables.value("shown") == f"{hostile}/{hostile}"
