# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What modules do that keep the file of a secret key: find or make it, then its owner and mode."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ..backupdb.errors import BackupDbError, InvalidOption, RequirementMissing
from ..backupdb.system.files import OTHERS
from .careful_module import AnsibleModule
from .respawn import respawn_if_missing

ARGUMENT_SPEC: Mapping[str, Any] = {
    "path": {"type": "path", "required": True},
    "mode": {"type": "raw", "default": "0600"},
}

Facts = Mapping[str, Any]


def keep_key_file(
    module: AnsibleModule,
    *,
    existing: Callable[[str], tuple[Facts, int]],
    generate: Callable[[], Callable[[str], Facts]],
    shown: str,
) -> None:
    """End the module with the facts of the key in the file `path`, which is made if it is not there.

    `existing` gives the facts and the mode of a file that is there; `generate` makes a key, in check mode too, and
    gives what writes it. `shown` is the fact that a diff shows of a new key. Errors of ours end the module.
    """
    path = module.params["path"]
    result: dict[str, Any] = {"changed": False, "path": path}
    diff: dict[str, dict[str, Any]] = {"before": {"path": path}, "after": {"path": path}}
    try:
        _check_file_mode(module.params["mode"])
        missing = not os.path.lexists(path)
        diff["before"]["state"], diff["after"]["state"] = "absent" if missing else "present", "present"
        if missing:
            result["changed"] = True
            write = generate()
            if module.check_mode:
                _warn_of_missing_directory(module, path)
            else:
                result.update(write(path))
                diff["after"][shown] = result[shown]
        else:
            facts, mode = existing(path)
            result.update(facts)
            if mode & OTHERS:
                module.warn(f"{path} had mode {mode:04o}: if anybody may have read it, make a new key at another path.")
    except RequirementMissing as error:
        respawn_if_missing(module, error, **{**result, "changed": False})
    except BackupDbError as error:
        module.fail_json(msg=str(error), **{**result, "changed": False})
    if os.path.lexists(path):
        file_arguments = module.load_file_common_arguments(module.params)
        result["changed"] = module.set_fs_attributes_if_different(file_arguments, result["changed"], diff)
    if module._diff:
        result["diff"] = diff
    module.exit_json(**result)


def _check_file_mode(mode: Any) -> None:
    """Refuse a mode that lets others in. Ansible gives an unquoted number as int, and a quoted one as text."""
    try:
        bits = mode if isinstance(mode, int) else int(mode, 8)
    except ValueError as error:
        raise InvalidOption(f"mode {mode!r} is not an octal number. Give it quoted, such as '0600'.") from error
    if bits & OTHERS:
        raise InvalidOption(
            f"mode {bits:04o} lets others than the owner reach the secret key. Give it quoted, such as '0600'."
        )


def _warn_of_missing_directory(module: AnsibleModule, path: str) -> None:
    """In check mode an earlier task may be about to make it."""
    folder = Path(path).parent
    if not folder.is_dir():
        module.warn(f"The directory {folder} does not exist yet; unless an earlier task makes it, this one fails.")
