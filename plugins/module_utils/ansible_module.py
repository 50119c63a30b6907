# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`AnsibleModule` for every module, and what a module imports of this collection before anything else.

All that it imports afterwards comes from the kept archive, and is compiled only where an earlier call has not left it.
"""

from __future__ import annotations

from .module_support.kept_archive import keep_archive

keep_archive()

from .module_support.careful_module import AnsibleModule  # noqa: E402  it is the first that comes from there

__all__ = ["AnsibleModule"]
