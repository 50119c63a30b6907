# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the option in `connection.options.SYSTEM_USER`."""

from __future__ import annotations


class ModuleDocFragment:
    """As which user of the operating system a socket is entered."""

    DOCUMENTATION = r"""
options:
  login_system_user:
    description:
      - User of the operating system who logs in through O(login_unix_socket) without a password (C(peer),
        C(unix_socket), C(auth_socket)), such as V(postgres), where that is not the user who runs the module.
      - The module must then run as V(root). It reads the repository and the identity as V(root); only connections and
        client programs are this user's. What it writes into a repository belongs to the repository's owner.
      - It is also the default of O(login_user).
    type: str
"""
