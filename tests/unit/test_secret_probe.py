# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""No secret option of a module can be forgotten in the probe of secrets."""

from __future__ import annotations

import re

import pytest
from support.secret_probe import CALLS, WITHOUT
from support.specs import MODULES, options_of

LOOKS_SECRET = re.compile(r"password|passphrase|secret|token|identity$|^identities$|private", re.IGNORECASE)
# Called like a secret, and none: what is to be done with passwords, and which.
NO_SECRETS = {"update_password", "password_hashes", "no_password", "with_passwords"}


def test_every_module_is_in_the_probe_or_takes_no_secret() -> None:
    assert set(CALLS) | WITHOUT == set(MODULES)
    assert not set(CALLS) & WITHOUT


@pytest.mark.parametrize("module", MODULES)
def test_every_secret_option_is_in_the_probe(module: str) -> None:
    options = options_of(module)
    masked = {name for name, option in options.items() if option.get("no_log")}
    called = {name for name, option in options.items() if option["type"] in ("str", "dict") and is_secret(name)}
    assert called <= masked | NO_SECRETS
    assert masked <= set(CALLS.get(module, ())) <= set(options)


def is_secret(name: str) -> bool:
    return LOOKS_SECRET.search(name) is not None and not name.endswith(("_file", "_path"))
