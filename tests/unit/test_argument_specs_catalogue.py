# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of the modules that read backups: documented as they are, and understood as they were meant."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
import yaml
from backupdb.system.text import parse_moment, utc_now

PLUGINS = "ansible_collections.vya.backupdb.plugins"
arguments = importlib.import_module(f"{PLUGINS}.module_utils.module_support.argument_specs.catalogue")
InvalidOption = importlib.import_module(f"{PLUGINS}.module_utils.backupdb.errors").InvalidOption
SECRETS = {"identity", "passphrase"}


def comparable(option: Mapping[str, Any]) -> dict[str, Any]:
    return {key: option.get(key) for key in ("type", "elements", "default", "choices", "required", "aliases")}


@pytest.mark.parametrize("fragment", ["repository", "identity", "catalogue"])
def test_a_documentation_fragment_matches_its_options_key_for_key(fragment: str) -> None:
    spec = getattr(arguments, f"{fragment}_arguments")()
    module = importlib.import_module(f"{PLUGINS}.doc_fragments.{fragment}")
    documented = yaml.safe_load(module.ModuleDocFragment.DOCUMENTATION)["options"]
    assert list(spec) == list(documented)
    for name, option in spec.items():
        assert comparable(option) == comparable(documented[name]), name
        assert option.get("no_log", False) is (name in SECRETS), name


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-24T05:06:07Z", "2026-11-24T05:06:07+00:00"),
        ("2026-11-24T05:06:07.500Z", "2026-11-24T05:06:07.500000+00:00"),
        ("2026-11-24 05:06:07+02:00", "2026-11-24T03:06:07+00:00"),
        ("2026-11-24 05:06", "2026-11-24T05:06:00+00:00"),  # what YAML makes of a time without quotes
        ("2026-11-24", "2026-11-24T00:00:00+00:00"),
        ("20261124", "2026-11-24T00:00:00+00:00"),
        ("20261124T050607Z", "2026-11-24T05:06:07+00:00"),  # as in the name of a backup
    ],
)
def test_a_moment_is_read_as_people_write_it(text: str, moment: str) -> None:
    assert parse_moment(text) == datetime.fromisoformat(moment)


def test_a_duration_counts_back_from_now() -> None:
    assert abs(utc_now() - timedelta(days=7) - parse_moment("7d")) < timedelta(seconds=5)


@pytest.mark.parametrize("text", ["yesterday", "", "2026-13-01", "99999999999d", "1763960767", "20261324T050607Z"])
def test_what_is_no_moment_is_refused_by_the_name_of_its_option(text: str) -> None:
    with pytest.raises(InvalidOption, match=r"option since.*not a moment"):
        arguments.moment_from({"since": text}, "since")


def test_options_reach_the_filter_as_they_were_meant() -> None:
    given = {"host": "db*", "status": "partial", "until": "2026-11-24", "proven": False}
    wanted = arguments.filter_from({**dict.fromkeys(arguments.catalogue_arguments()), **given})
    assert (wanted.host, wanted.status, wanted.proven, wanted.since) == ("db*", "partial", False, None)
    assert wanted.until == datetime(2026, 11, 24, tzinfo=timezone.utc)
