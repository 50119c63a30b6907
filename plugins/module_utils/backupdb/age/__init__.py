# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""age v1 (age-encryption.org/v1): encrypted streams, for public keys or with a passphrase. Complete; usable alone."""
