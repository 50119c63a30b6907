# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What came of the calls on one host, summed up for people and for programs. No summary holds a secret."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.vya.backupdb.plugins.module_utils.backupdb.system.text import one_line

Result = Mapping[str, Any]

_GOOD = ("ok", "planned")
_PREPARE = "the playbook vya.backupdb.prepare does that"
_NOT_PREPARED = ("RequirementMissing", "ClientMissing")  # each names the packages to install
# What becoming a user who is not there ends with, or without the package acl: the words of chown, sudo and Ansible.
_NO_USER = (
    "invalid user",
    "unknown user",
    "Failed to change ownership of the temporary files",
    "Failed to set permissions on the temporary files",
)


@dataclass(frozen=True)
class Called:
    """The result of one call; `item` is what it was called for, in a step that is taken for each of a list."""

    module: str
    item: Any
    result: Result

    @property
    def is_unreachable(self) -> bool:
        """Whether the host could not be reached."""
        return bool(self.result.get("unreachable"))

    @property
    def has_failed(self) -> bool:
        """Whether it failed, for whatever reason."""
        return self.is_unreachable or bool(self.result.get("failed"))


@dataclass(frozen=True)
class Done:
    """What was called on a host, or the error for which nothing was; `about` is what was known of the work before."""

    host: str
    called: Sequence[Called] = ()
    error: str = ""
    about: Mapping[str, Any] = field(default_factory=dict)

    @property
    def last(self) -> Result:
        """The result of the last call, after which there was no other; empty when there was none."""
        return self.called[-1].result if self.called else {}

    def of(self, module: str) -> list[Called]:
        """Return the calls of one module."""
        return [one for one in self.called if one.module == module]


def message_of(done: Done, nothing: str) -> str:
    """Return what was said last, `nothing` when nothing was.

    Where the host is not prepared for what was called, it says what prepares it.
    """
    result = done.last
    said = str(done.error or result.get("message") or result.get("msg") or nothing)
    if result.get("error_kind") in _NOT_PREPARED:
        return f"{said} ({_PREPARE})"
    whole = f"{said} {result.get('module_stderr', '')} {result.get('module_stdout', '')}"
    if result.get("failed") and any(words in whole for words in _NO_USER):
        return f"nothing can be run as backupdb_user, who may not be there yet ({_PREPARE}): {one_line(whole).strip()}"
    return said


def run_summary(done: Done, keep: Mapping[str, Any], nothing: str) -> dict[str, Any]:
    """Return `status`, `message`, and what the result of the last call has of `keep`.

    `status` is `ok`, `unknown` (until the host is prepared), `failed` or `unreachable`. `keep` has the values for a
    result without its keys; `nothing` is said when there is neither a result nor an error.
    """
    result = done.last
    if result.get("unreachable"):
        status = "unreachable"
    elif done.error:
        status = "failed"
    elif result.get("status") in _GOOD:
        status = "ok"
    else:
        status = "unknown" if result.get("status") == "unknown" or result.get("expected") else "failed"
    kept = {key: result.get(key, default) for key, default in keep.items()}
    return {**kept, "status": status, "message": message_of(done, nothing)}
