# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every module says about how it behaves; each module adds its own `support` and `details`."""

from __future__ import annotations


class ModuleDocFragment:
    """The plain fragment describes the attributes; the named ones are used together with it."""

    DOCUMENTATION = r"""
options: {}
attributes:
  check_mode:
    description: Predicts what would change, and changes nothing, when run in check mode.
  diff_mode:
    description: Returns the state before and after when run in diff mode.
  idempotent:
    description: Changes nothing when run again with the same options and nothing else has changed.
  platform:
    description: Operating systems of the hosts it runs on.
    support: full
    platforms: posix
"""

    INFO_MODULE = r"""
options: {}
attributes:
  check_mode:
    support: full
    details:
      - Only looks; it does the same in check mode.
  diff_mode:
    support: N/A
    details:
      - Only looks; there is nothing to compare.
  idempotent:
    support: full
    details:
      - Only looks; it changes nothing.
"""

    # One for each set of action groups that a module can be in; a module names one of them.
    ACTIONGROUP_BACKUPDB = r"""
options: {}
attributes:
  action_group:
    description: Takes the defaults that a play sets for these groups in C(module_defaults), as C(group/NAME).
    support: full
    membership:
      - vya.backupdb.backupdb
"""

    ACTIONGROUP_LOGIN = r"""
options: {}
attributes:
  action_group:
    description: Takes the defaults that a play sets for these groups in C(module_defaults), as C(group/NAME).
    support: full
    membership:
      - vya.backupdb.backupdb
      - vya.backupdb.login
"""

    ACTIONGROUP_REPOSITORY = r"""
options: {}
attributes:
  action_group:
    description: Takes the defaults that a play sets for these groups in C(module_defaults), as C(group/NAME).
    support: full
    membership:
      - vya.backupdb.backupdb
      - vya.backupdb.repository
"""

    ACTIONGROUP_LOGIN_REPOSITORY = r"""
options: {}
attributes:
  action_group:
    description: Takes the defaults that a play sets for these groups in C(module_defaults), as C(group/NAME).
    support: full
    membership:
      - vya.backupdb.backupdb
      - vya.backupdb.login
      - vya.backupdb.repository
"""
