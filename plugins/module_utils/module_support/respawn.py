# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a module does when a Python library is missing: run again where it is installed, else say what to install."""

from __future__ import annotations

from typing import Any

from ansible.module_utils.basic import AnsibleModule, missing_required_lib
from ansible.module_utils.common.respawn import has_respawned, probe_interpreters_for_module, respawn_module

from ..backupdb.errors import RequirementMissing

# Ansible's choice may be a newer Python than the distribution's, whose libraries are packaged for /usr/bin/python3.
INTERPRETERS = ["/opt/backupdb/venv/bin/python", "/usr/bin/python3"]


def respawn_if_missing(module: AnsibleModule, error: RequirementMissing, **result: Any) -> None:
    """Run the module again under an interpreter that has the library, or fail with what to install; does not return.

    Call it before anything was changed: the module starts from its beginning. `result` goes into the failure.
    """
    if not has_respawned():
        interpreter = probe_interpreters_for_module(INTERPRETERS, error.library)
        if interpreter:
            respawn_module(interpreter)  # ends this process
    module.fail_json(msg=f"{missing_required_lib(error.library)} {error}.", **result)
