# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of a copy: each that cannot be used is named, and secrets never are."""

from __future__ import annotations

from typing import Any

import pytest
from backupdb.errors import InvalidOption
from backupdb.repository.stores.settings import copy_from

S3 = {"name": "offsite", "type": "s3", "bucket": "acme-db"}
SFTP = {"name": "vault", "type": "sftp", "host": "h", "user": "u", "path": "/p", "host_key": ["ssh-ed25519 AAAA"]}
RCLONE = {"name": "cloud", "type": "rclone", "remote": "azure:backups"}
LOCAL = {"name": "disk", "type": "local", "path": "/mnt/second"}


@pytest.mark.parametrize("options", [S3, SFTP, RCLONE, LOCAL])
def test_the_least_that_a_copy_needs_is_enough(options: dict[str, Any]) -> None:
    copy = copy_from(options, "copies[0]")
    assert (copy.name, copy.type, copy.required, copy.prune) == (options["name"], options["type"], True, "elsewhere")
    assert (copy.patience, copy.bandwidth, copy.max_age, copy.verify_budget) == (600.0, None, None, None)


def test_sizes_and_durations_are_read() -> None:
    copy = copy_from(
        {
            **S3,
            "bandwidth": "2M",
            "max_age": "26h",
            "verify_budget": "50G",
            "patience": "90s",
            "object_limit": "5T",
            "lock": {"mode": "compliance", "days": 30},
        },
        "copies[0]",
    )
    assert (copy.bandwidth, copy.max_age, copy.verify_budget, copy.patience) == (2 << 20, 26 * 3600, 50 << 30, 90.0)
    assert (copy.place["object_limit"], copy.place["max_parts"]) == (5 << 40, 10000)
    assert copy.place["lock"] == {"mode": "compliance", "days": 30}


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({**S3, "name": "Off site"}, "name"),
        ({**S3, "name": "../x"}, "name"),
        ({**S3, "name": ""}, "name"),
        ({**S3, "name": "x" * 64}, "name"),
        ({"type": "s3", "bucket": "b"}, "name"),
        ({**S3, "type": "ftp"}, "type"),
        ({"name": "x"}, "type"),
        ({"name": "x", "type": "s3"}, "bucket"),
        ({**S3, "bukket": "x"}, "bukket"),
        ({**S3, "host": "x"}, "host"),
        ({**S3, "path": "/x"}, "path"),
        ({**S3, "addressing": "sideways"}, "addressing"),
        ({**S3, "prune": "never"}, "prune"),
        ({**S3, "max_parts": 0}, "max_parts"),
        ({**S3, "max_parts": 10001}, "max_parts"),
        ({**S3, "max_parts": "many"}, "max_parts"),
        ({**S3, "object_limit": "large"}, "object_limit"),
        ({**S3, "bandwidth": "fast"}, "bandwidth"),
        ({**S3, "max_age": "old"}, "max_age"),
        ({**S3, "patience": "long"}, "patience"),
        ({**S3, "verify_budget": "-1"}, "verify_budget"),
        ({**S3, "keep_unsent_max": []}, "keep_unsent_max"),
        ({**S3, "required": "perhaps"}, "required"),
        ({**S3, "retention": "daily"}, "retention"),
        ({**S3, "lock": "bucket"}, "lock"),
        ({**S3, "lock": {"mode": "tight"}}, "mode"),
        ({**S3, "lock": {"mode": "governance"}}, "days"),
        ({**S3, "lock": {"mode": "bucket", "days": 3}}, "days"),
        ({**S3, "lock": {"days": 3}}, "days"),
        ({**S3, "lock": {"mode": "compliance", "days": 0}}, "days"),
        ({**S3, "lock": {"mode": "compliance", "days": 1, "key": 1}}, "key"),
        ({**SFTP, "port": 0}, "port"),
        ({**SFTP, "port": 65536}, "port"),
        ({**SFTP, "path": "relative"}, "path"),
        ({**SFTP, "host_key": None}, "host_key"),
        ({**SFTP, "bucket": "x"}, "bucket"),
        ({**LOCAL, "path": "relative"}, "path"),
        ({"name": "x", "type": "local"}, "path"),
        ({"name": "x", "type": "rclone"}, "remote"),
        ({**RCLONE, "max_parts": 3}, "max_parts"),
    ],
)
def test_every_option_that_cannot_be_used_is_named(options: dict[str, Any], named: str) -> None:
    with pytest.raises(InvalidOption, match=named) as caught:
        copy_from(options, "copies[3]")
    assert str(caught.value).startswith("copies[3]")


@pytest.mark.parametrize("options", [None, [], "s3", 5, {}])
def test_what_is_no_copy_at_all_is_refused(options: Any) -> None:
    with pytest.raises(InvalidOption):
        copy_from(options, "copies[0]")


@pytest.mark.parametrize(
    "secrets",
    [{"access_key_id": "only-half"}, {"secret_access_key": "only-half"}, {"access_key": "only-half"}],
)
def test_secrets_that_are_not_whole_or_not_known_are_refused_and_not_shown(secrets: dict[str, str]) -> None:
    with pytest.raises(InvalidOption) as caught:
        copy_from(S3, "copies[0]", secrets)
    assert "only-half" not in str(caught.value)


def test_secrets_among_the_options_are_refused_and_not_shown() -> None:
    with pytest.raises(InvalidOption, match="secret_access_key") as caught:
        copy_from({**S3, "secret_access_key": "not-here"}, "copies[0]")
    assert "not-here" not in str(caught.value)


def test_secrets_are_not_part_of_what_is_shown() -> None:
    copy = copy_from(S3, "copies[0]", {"access_key_id": "AKIA", "secret_access_key": "never-seen"})
    assert copy.secrets["secret_access_key"] == "never-seen"
    assert "never-seen" not in repr(copy)
