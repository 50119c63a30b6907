# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of the modules, one file a subject, and their way into the library's requests.

Each function here has a documentation fragment in plugins/doc_fragments that matches it key for key.
"""
