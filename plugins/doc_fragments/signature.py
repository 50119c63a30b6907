# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the options in `signatures.options.OPTIONS`."""

from __future__ import annotations


class ModuleDocFragment:
    """Whose backups are believed."""

    DOCUMENTATION = r"""
options:
  signed_by:
    description:
      - Public keys, as M(vya.backupdb.signing_key) returns them or as PEM texts.
      - The backup must be signed with the secret key of one of them, and lie where its manifest says.
      - One that is unsigned, altered or signed by another key is refused before anything of it is used.
      - Without it signatures are not looked at.
    type: list
    elements: str
"""
