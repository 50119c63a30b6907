# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the collection says of its releases agrees everywhere."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml
from support.ansible import ROOT
from support.returns import documentation_of
from support.specs import MODULES

FIRST = "1.0.0"
DOCUMENTED = sorted(
    path for folder in ("plugins", "roles") for kind in ("*.py", "*.yml") for path in (ROOT / folder).rglob(kind)
)
INTERNAL = {"detached_run", "evidence_sign", "role_report", "role_work"}
REMOVED = {"database_backup_follow", "database_backup_start"}  # internal ones, which may change without notice


def releases() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = yaml.safe_load(
        (ROOT / "changelogs" / "changelog.yaml").read_text(encoding="utf-8")
    )["releases"]
    return found


def names_of_versions(path: Path) -> list[str]:
    """The values of all `version_added` in a file."""
    return re.findall(r"^\s*version_added:\s*[\"']?([^\"'\s]+)", path.read_text(encoding="utf-8"), re.MULTILINE)


def test_nothing_claims_to_be_added_by_a_version_that_is_neither_released_nor_the_next() -> None:
    coming = yaml.safe_load((ROOT / "galaxy.yml").read_text(encoding="utf-8"))["version"]
    known = {*releases(), coming}
    claimed = {path.relative_to(ROOT): set(names_of_versions(path)) for path in DOCUMENTED}
    assert {path: versions - known for path, versions in claimed.items() if versions - known} == {}


def test_every_module_and_role_says_which_release_added_it() -> None:
    said = {module: documentation_of(module, "DOCUMENTATION").get("version_added") for module in MODULES}
    assert [module for module, version in said.items() if not version] == []
    for path in sorted((ROOT / "roles").glob("*/meta/argument_specs.yml")):
        specs = yaml.safe_load(path.read_text(encoding="utf-8"))["argument_specs"]
        assert [name for name, spec in specs.items() if "version_added" not in spec] == [], path


def test_what_the_first_release_brought_says_so() -> None:
    brought = [entry["name"] for entry in releases()[FIRST]["modules"] if entry["name"] not in REMOVED]
    said = {module: documentation_of(module, "DOCUMENTATION")["version_added"] for module in brought}
    assert said == dict.fromkeys(brought, FIRST)


def test_the_newest_release_is_on_the_page_of_changes() -> None:
    page = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8").replace("\\", "")  # every mark is escaped
    assert [release for release in releases() if f"## v{release}" not in page] == []


def test_internal_modules_say_so_first_and_no_others_do() -> None:
    said = {module: documentation_of(module, "DOCUMENTATION")["short_description"] for module in MODULES}
    assert {module for module, text in said.items() if text.startswith("(internal) ")} == INTERNAL
    assert {module for module, text in said.items() if "internal" in text.lower()} == INTERNAL
