"""What the roles left on the hosts, seen over SSH."""

from __future__ import annotations

import os

import testinfra.utils.ansible_runner

testinfra_hosts = testinfra.utils.ansible_runner.AnsibleRunner(os.environ["MOLECULE_INVENTORY_FILE"]).get_hosts("all")


def test_the_host_has_backups(host):
    assert host.run("find /var/backups/backupdb -name manifest.json").stdout.strip()
