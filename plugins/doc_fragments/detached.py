# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the option in `module_support.detached.SPEC`."""

from __future__ import annotations


class ModuleDocFragment:
    """Work that goes on without the connection."""

    DOCUMENTATION = r"""
options:
  detached_run_id:
    description:
      - Set by the action plugin of this module, not by playbooks. The module then starts the work as a process of its
        own on the host, which does not end with the connection, and returns how far it is as C(detached_run).
    type: str
notes:
  - The work runs on the host as a process of its own, which the task follows. After a lost connection the task tries to
    reconnect for up to 15 minutes. When C(ansible-playbook) itself ends, even by V(SIGKILL), the work goes on to its
    end.
  - The process has its options in memory only. C(/var/tmp/backupdb-run-ID) on the host keeps its progress and its
    result for a day. Only its user can read it. It holds no secrets.
  - A line shows the progress every 30 seconds, or every C(backupdb_progress_interval) seconds if that variable is set.
    With V(0) there are no such lines.
  - In check mode and with C(async) the work ends with the module, as with other modules. The same happens when the
    service manager of the host ends all processes of a user who logs out (C(KillUserProcesses) of C(logind.conf)).
"""
