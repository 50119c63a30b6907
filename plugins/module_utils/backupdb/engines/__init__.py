# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an engine is, and the engines: everything that knows a server by its kind lies in the folder of that kind.

`registry.py` is the one table of engines. Rooms above ask it for an engine and then only that object; they import no
engine and compare no engine's name.
"""
