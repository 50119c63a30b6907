# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""No secret option of a module can be forgotten in the probe of secrets."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import yaml
from support.ansible import ROOT
from support.secret_probe import CALLS, ROLE_VARIABLES, WITHOUT
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


def test_every_secret_variable_of_a_role_is_in_the_probe() -> None:
    given = set(names_of(ROLE_VARIABLES))
    for path in sorted((ROOT / "roles").glob("*/meta/argument_specs.yml")):
        for entry in yaml.safe_load(path.read_text(encoding="utf-8"))["argument_specs"].values():
            assert set(masked(entry.get("options") or {})) <= given, path


def masked(options: Mapping[str, Any], before: str = "") -> Iterator[str]:
    """The masked options, with those that they are in before their names."""
    for name, option in options.items():
        if option.get("no_log"):
            yield before + name
        yield from masked(option.get("options") or {}, f"{before}{name}.")


def names_of(values: Mapping[str, Any], before: str = "") -> Iterator[str]:
    for name, value in values.items():
        yield before + name
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, dict):
                yield from names_of(one, f"{before}{name}.")


def is_secret(name: str) -> bool:
    return LOOKS_SECRET.search(name) is not None and not name.endswith(("_file", "_path"))
