# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A module that shows no secret key, in whichever option it was given."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ansible.module_utils import basic

# Of age, of its plugins (both in bech32, which may be written in either case), and of anything in PEM.
_SECRET = re.compile(r"AGE-SECRET-KEY-|AGE-PLUGIN-|PRIVATE KEY-----", re.IGNORECASE)
_LONGEST_MARK = 40  # characters; what is shorter is a mark such as "KEY-----" without the key itself


class AnsibleModule(basic.AnsibleModule):
    """Ansible's own, which also masks secrets that were put into options for something else.

    `no_log` is for options that are meant for secrets. A secret key where its public key belongs would stand in the
    host's journal and, with the options of the call, in every result of the task.
    """

    def _log_invocation(self) -> None:
        self.no_log_values.update(misplaced_secrets(self.params))
        super()._log_invocation()

    def _return_formatted(self, kwargs: dict[str, Any]) -> None:
        # Once more: a call with wrong options ends before it is logged.
        self.no_log_values.update(misplaced_secrets(self.params))
        super()._return_formatted(kwargs)


def misplaced_secrets(value: Any) -> Iterator[str]:
    """Yield every text in the value that holds a secret key, and its words: each is masked wherever it occurs."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from misplaced_secrets(key)
            yield from misplaced_secrets(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from misplaced_secrets(item)
    elif isinstance(value, str) and _SECRET.search(value):
        yield value
        yield from (word for word in value.split() if _SECRET.search(word) and len(word) > _LONGEST_MARK)
