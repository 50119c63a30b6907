# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the option `backups` in `jobs.options.OPTIONS`: it has the options of a backup, told once."""

from __future__ import annotations

import re
from typing import Any

import yaml
from ansible_collections.vya.backupdb.plugins.doc_fragments import backup, connection, dump, selection

_SECRETS = ("login_password", "passphrase")


def _backup_options() -> dict[str, Any]:
    """Return the options of a backup as suboptions, without secrets and what the environment would give."""
    options: dict[str, Any] = {}
    for fragment in (connection, selection, dump, backup):
        text = re.sub(r"\bO\(", "O(backups[].", fragment.ModuleDocFragment.DOCUMENTATION)
        options.update(yaml.safe_load(text)["options"])
    options = {name: option for name, option in options.items() if name not in _SECRETS}
    options["login_user"]["description"] = [
        "Account of the database server.",
        "If it is not given here nor among the credentials, it is the name of the user who runs the job.",
    ]
    options["recipients"]["description"][2] = (
        "With O(backups[].encryption=age), they or a passphrase among the credentials are needed, and not both."
    )
    return options


class ModuleDocFragment:
    """What a job backs up."""

    # With its type, because ansible-test takes what has none for a text that it can read by itself.
    DOCUMENTATION: str = yaml.safe_dump(
        {
            "options": {
                "backups": {
                    "description": [
                        "What the job backs up, one instance after the other, each with the options of "
                        "M(vya.backupdb.database_backup).",
                        "Secrets are not among them; they come from O(credentials) when the job runs.",
                        "Required with O(state=present).",
                    ],
                    "type": "list",
                    "elements": "dict",
                    "suboptions": _backup_options(),
                }
            }
        },
        sort_keys=False,
    )
