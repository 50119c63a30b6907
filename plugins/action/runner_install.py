# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action of runner_install: build the runner on the controller and copy it to the host as one file."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from ansible import constants
from ansible.plugins.action import ActionBase
from ansible_collections.vya.backupdb.plugins.module_utils.backupdb.cli.bash_completion import bash_completion
from ansible_collections.vya.backupdb.plugins.module_utils.backupdb.cli.main import make_parser
from ansible_collections.vya.backupdb.plugins.module_utils.backupdb.cli.manual import manual
from ansible_collections.vya.backupdb.plugins.module_utils.backupdb.system.text import one_line
from ansible_collections.vya.backupdb.plugins.module_utils.backupdb.version import VERSION
from ansible_collections.vya.backupdb.plugins.plugin_utils.runner import build, digest_of

DEST = "/usr/local/lib/backupdb/backupdb.pyz"
_MAKE_BYTECODE = (
    "import sys; sys.path.insert(0, sys.argv[1]); from backupdb_bytecode import make; "
    "sys.stdout.write('made' if make(*sys.argv[1:]) else 'kept')"
)
# Of what the modules return; the rest is about a temporary file, or said better by this action itself.
_KEPT = ("changed", "failed", "msg", "unreachable", "diff", "exception")


class ActionModule(ActionBase):
    """Everything that touches the host is done by the modules file and copy, with their check mode and diff."""

    TRANSFERS_FILES = True
    _requires_connection = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Install the runner; returns what the module documents."""
        super().run(tmp, task_vars)
        _spec, options = self.validate_argument_spec(
            argument_spec={
                "dest": {"type": "path", "default": DEST},
                "owner": {"type": "str"},
                "group": {"type": "str"},
                "mode": {"type": "raw", "default": "0644"},
                "manual": {"type": "path"},
                "bash_completion": {"type": "path"},
                "interpreter": {"type": "path"},
            }
        )
        runner = build()
        known = {
            "dest": options["dest"],
            "version": VERSION,
            "size": len(runner),
            "sha256": hashlib.sha256(runner).hexdigest(),
        }
        shared = {name: options[name] for name in ("owner", "group", "mode")}
        changed, result = False, {}
        for dest, content in self._files(runner, options):
            result = self._put(content, {"dest": dest, **shared}, task_vars)
            changed = changed or bool(result.get("changed"))
            if result.get("failed") or result.get("unreachable"):
                break
        else:
            if options["interpreter"] and not self._task.check_mode:
                made = self._bytecode(options["interpreter"], options["dest"], digest_of(runner))
                result, changed = {**result, **made}, changed or bool(made["changed"])
        return {**result, **known, "changed": changed}

    def _bytecode(self, interpreter: str, dest: str, digest: str) -> dict[str, Any]:
        """Let the host's Python make bytecode; without it the program starts more slowly, and that is all."""
        words = [interpreter, "-I", "-c", _MAKE_BYTECODE, dest, digest]
        command = " ".join(map(self._connection._shell.quote, words))
        done = self._low_level_execute_command(command)
        if done["rc"] == 0:
            return {"changed": done["stdout"].strip().endswith("made")}
        said = (done["stderr"] or done["stdout"]).strip().splitlines()[-1:]
        warning = f"{interpreter} made no bytecode of {dest}, which starts more slowly without: {' '.join(said)}"
        return {"changed": False, "warnings": [one_line(warning)]}

    def _files(self, runner: bytes, options: dict[str, Any]) -> Iterator[tuple[str, bytes]]:
        """Yield what goes where; all of it is made from the library, so that it is of one version."""
        yield options["dest"], runner
        parser = make_parser()
        if options["manual"]:
            yield options["manual"], manual(parser).encode()
        if options["bash_completion"]:
            yield options["bash_completion"], bash_completion(parser).encode()

    def _put(self, content: bytes, options: dict[str, Any], task_vars: dict[str, Any] | None) -> dict[str, Any]:
        folder = self._folder(str(PurePosixPath(options["dest"]).parent), task_vars)
        if folder.get("failed") or (folder.get("changed") and self._task.check_mode):
            return folder  # in check mode there is no folder yet that something could be compared in
        copied = self._copy(content, options, task_vars)
        return {**copied, "changed": bool(folder.get("changed") or copied.get("changed"))}

    def _folder(self, path: str, task_vars: dict[str, Any] | None) -> dict[str, Any]:
        arguments = {"path": path, "state": "directory"}
        result: dict[str, Any] = self._execute_module(
            module_name="ansible.builtin.file", module_args=arguments, task_vars=task_vars
        )
        return {key: result[key] for key in _KEPT if key in result}

    def _copy(self, content: bytes, options: dict[str, Any], task_vars: dict[str, Any] | None) -> dict[str, Any]:
        # Ansible sets it at run time, from its table of options.
        here = Path(tempfile.mkdtemp(dir=constants.DEFAULT_LOCAL_TMP))  # type: ignore[attr-defined]
        try:
            source = here / PurePosixPath(options["dest"]).name
            source.write_bytes(content)
            task = self._task.copy()
            task.args = {"src": str(source), **{key: value for key, value in options.items() if value is not None}}
            action = self._shared_loader_obj.action_loader.get(
                "ansible.legacy.copy",
                task=task,
                connection=self._connection,
                play_context=self._play_context,
                loader=self._loader,
                templar=self._templar,
                shared_loader_obj=self._shared_loader_obj,
            )
            result: dict[str, Any] = action.run(task_vars=task_vars)
        finally:
            shutil.rmtree(here, ignore_errors=True)
        return {key: result[key] for key in _KEPT if key in result}
