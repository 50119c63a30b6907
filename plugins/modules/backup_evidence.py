#!/usr/bin/python
# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module backup_evidence."""

from __future__ import annotations

DOCUMENTATION = r"""
module: backup_evidence
short_description: Gather, sign and verify what drills have shown over a period
version_added: 1.0.0
description:
  - With O(state=gathered), on a host that has backups, returns the results of all drills of a period, and the SHA-256
    of the manifests of the backups that were drilled. Databases that have backups and no drill are among them, as are
    those that have no backup.
  - With O(state=signed), where the secret key is, puts together what hosts have gathered, and signs it with Ed25519. A
    host that nothing was gathered from is named in the statement.
  - With O(state=verified) tells whether a statement, its envelope and its page are as they were signed, and whether the
    manifests in repositories are as the statement says. It needs the public key only.
  - The statement is an in-toto Statement v1. It is signed as it is, for tools such as C(openssl), and in a DSSE
    envelope.
author:
  - vya.backupdb contributors (@vya)
extends_documentation_fragment:
  - vya.backupdb.attributes
  - vya.backupdb.attributes.actiongroup_repository
  - vya.backupdb.repository
attributes:
  check_mode:
    support: full
    details: Nothing is written with O(state=signed). The other states never write.
  diff_mode:
    support: none
  idempotent:
    support: partial
    details: With O(state=signed) every run makes new files, named by the time.
options:
  state:
    description:
      - What is done.
    type: str
    default: gathered
    choices: [gathered, signed, verified]
  host:
    description:
      - With O(state=gathered), only backups of this host, for a repository that several hosts share.
    type: str
  since:
    description:
      - With O(state=gathered), drills that ended from this time on, such as V(30d) (ago).
    type: str
    default: 30d
  until:
    description:
      - With O(state=gathered), drills that ended up to this time. The default is now.
    type: str
  sources:
    description:
      - With O(state=signed), what hosts have gathered.
    type: list
    elements: dict
    suboptions:
      name:
        description: Name of the host.
        type: str
        required: true
      facts:
        description: Its RV(facts). Without them the statement says that nothing was gathered from this host.
        type: dict
      reason:
        description: Why nothing was gathered from it.
        type: str
        default: ""
  signing_key:
    description:
      - With O(state=signed), the file of the secret key, as M(vya.backupdb.signing_key) makes it. Only its owner may
        have access to it.
    type: path
  directory:
    description:
      - With O(state=signed), the directory for the files. It must exist.
    type: path
  statement:
    description:
      - With O(state=verified), the statement, a file called C(evidence-TIME.json). Its signature is beside it.
    type: path
  public_key:
    description:
      - With O(state=verified), the public key as one line or in PEM form, from somewhere else than beside the
        statement.
    type: str
  repositories:
    description:
      - With O(state=verified), the repositories whose manifests are compared with the statement.
    type: list
    elements: path
    default: []
seealso:
  - module: vya.backupdb.backup_drill
  - module: vya.backupdb.signing_key
"""

EXAMPLES = r"""
---
- name: Gather what the drills of the last quarter have shown
  vya.backupdb.backup_evidence:
    repository: /var/backups/backupdb
    host: "{{ inventory_hostname }}"
    since: 92d
  register: gathered

- name: Sign it on the controller
  vya.backupdb.backup_evidence:
    state: signed
    sources:
      - name: "{{ inventory_hostname }}"
        facts: "{{ gathered.facts }}"
    signing_key: ~/.config/backupdb/evidence-key.pem
    directory: /srv/evidence
  delegate_to: localhost

- name: Verify it
  vya.backupdb.backup_evidence:
    state: verified
    statement: /srv/evidence/evidence-20261130T060000Z.json
    public_key: MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=
    repositories: [/mnt/backups]
"""

RETURN = r"""
status:
  description:
    - V(ok), V(partial) when a host, a file or a manifest is missing, or V(failed) when something was changed. The task
      fails unless it is V(ok), with O(state=signed) after everything was written.
  returned: always
  type: str
  sample: ok
message:
  description: The outcome in a sentence.
  returned: success or not well
  type: str
  sample: "12 databases, 11 proven, 0 not proven, 1 no drill, 0 no backup: /srv/evidence/evidence-20261130T060000Z.json"
facts:
  description: What was gathered, free of secrets, for O(sources).
  returned: with O(state=gathered)
  type: dict
  sample: {"schema": 1, "place": "/var/backups/backupdb", "databases": []}
statement:
  description: File of the statement.
  returned: with O(state=signed) and O(state=verified)
  type: str
  sample: /srv/evidence/evidence-20261130T060000Z.json
files:
  description: All files that were made, or would be.
  returned: with O(state=signed)
  type: list
  elements: str
  sample: [/srv/evidence/evidence-20261130T060000Z.html]
sha256:
  description: SHA-256 of the statement.
  returned: with O(state=signed)
  type: str
  sample: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
public_key:
  description: The public key that verifies it.
  returned: with O(state=signed)
  type: str
  sample: MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=
key_id:
  description: SHA-256 of the public key in DER form, which the envelope names.
  returned: with O(state=signed)
  type: str
  sample: 2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae
counts:
  description: How many databases, drills and sources are in the statement, and how many databases have which result.
  returned: with O(state=signed)
  type: dict
  sample: {"databases": 12, "drills": 48, "proven": 11, "no drill": 1}
findings:
  description: Everything that was verified.
  returned: with O(state=verified)
  type: list
  elements: dict
  contains:
    what:
      description: V(statement), V(envelope), V(page) or V(manifest).
      type: str
      sample: manifest
    name:
      description: Its file, or for a manifest its place in a repository.
      type: str
      sample: db1/shop-pg/orders/20261124T021500Z-3f0c9a52/manifest.json
    state:
      description: V(good), V(changed) or V(missing).
      type: str
      sample: good
    message:
      description: What is wrong with it. Empty when nothing is.
      type: str
      sample: ""
lines:
  description: One line for everything that was changed or is missing.
  returned: with O(state=verified)
  type: list
  elements: str
  sample: []
warnings:
  description: What could not be read where the backups are.
  returned: when there is something
  type: list
  elements: str
  sample: []
error_kind:
  description: Kind of the failure, such as V(InvalidOption). The text is in RV(ignore:msg).
  returned: failure
  type: str
  sample: InvalidOption
"""

from typing import Any

from ansible_collections.vya.backupdb.plugins.module_utils.ansible_module import AnsibleModule
from ansible_collections.vya.backupdb.plugins.module_utils.backupdb.errors import InvalidOption
from ansible_collections.vya.backupdb.plugins.module_utils.backupdb.evidence import gather, make
from ansible_collections.vya.backupdb.plugins.module_utils.backupdb.evidence.options import OPTIONS, SINCE
from ansible_collections.vya.backupdb.plugins.module_utils.backupdb.evidence.verify import verify
from ansible_collections.vya.backupdb.plugins.module_utils.backupdb.repository.options import copy_source_from
from ansible_collections.vya.backupdb.plugins.module_utils.backupdb.system.options import moment_from
from ansible_collections.vya.backupdb.plugins.module_utils.backupdb.system.text import parse_moment, utc_now
from ansible_collections.vya.backupdb.plugins.module_utils.module_support.argument_specs.spec import to_spec
from ansible_collections.vya.backupdb.plugins.module_utils.module_support.run_module import finish_with


def main() -> None:
    """Gather, sign or verify and end with what came of it."""
    module = AnsibleModule(
        argument_spec=to_spec(OPTIONS),
        mutually_exclusive=[("repository", "copy")],
        required_if=[
            ("state", "gathered", ("repository", "copy"), True),
            ("state", "signed", ("sources", "signing_key", "directory")),
            ("state", "verified", ("statement", "public_key")),
        ],
        supports_check_mode=True,
    )
    finish_with(module, lambda: _done(module.params, check_mode=module.check_mode))


def _done(options: dict[str, Any], *, check_mode: bool) -> dict[str, Any]:
    if options["state"] == "verified":
        return verify(options["statement"], options["public_key"], options["repositories"])
    if options["state"] == "signed":
        sources = make.sources_from(options["sources"])
        key, directory = options["signing_key"], options["directory"]
        return make.make(sources, key=key, directory=directory, now=utc_now(), check_mode=check_mode)
    since = moment_from(options, "since") or parse_moment(SINCE)
    if options["host"] == "":
        raise InvalidOption("host is empty; leave it out for the backups of all hosts")
    return gather.result(
        gather.gather(
            options["repository"],
            copy_source_from(options),
            host=options["host"],
            since=since,
            until=moment_from(options, "until"),
        )
    )


if __name__ == "__main__":
    main()
