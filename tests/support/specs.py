# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a module really takes: the argument specification that it hands to Ansible, read by running its `main`."""

from __future__ import annotations

import importlib
from typing import Any

from support.ansible import ROOT

MODULES = sorted(path.stem for path in (ROOT / "plugins" / "modules").glob("*.py"))
# Their work is done by an action plugin; the file in plugins/modules is documentation only.
DOCUMENTATION_ONLY = {"evidence_sign", "role_report", "role_work", "runner_install"}


class _Seen(Exception):
    """The module got as far as handing over its specification."""


def options_of(module: str) -> dict[str, Any]:
    """The options of a module of the collection, as its `AnsibleModule` gets them."""
    if module in DOCUMENTATION_ONLY:
        return {}
    code = importlib.import_module(f"ansible_collections.vya.backupdb.plugins.modules.{module}")
    seen: dict[str, Any] = {}

    def record(*, argument_spec: dict[str, Any], **_constraints: Any) -> None:
        seen.update(argument_spec)
        raise _Seen

    original = code.AnsibleModule
    code.AnsibleModule = record  # type: ignore[attr-defined]
    try:
        code.main()
    except _Seen:
        return seen
    finally:
        code.AnsibleModule = original  # type: ignore[attr-defined]
    raise AssertionError(f"{module} made no AnsibleModule")
