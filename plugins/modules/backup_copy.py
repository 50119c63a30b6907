#!/usr/bin/python
# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module backup_copy."""

from __future__ import annotations

DOCUMENTATION = r"""
module: backup_copy
short_description: Copy published backups to places that the host cannot destroy
version_added: 1.0.0
description:
  - Sends to each copy the backups of a repository that it does not have yet, oldest first. A backup exists in a copy
    when its manifest does, and that is sent last. Nothing is written twice, and nothing but backups is written.
  - The archives are hashed while they are read. One that is not what its manifest says is not sent.
  - What was sent before a failure is not sent again. Busy stores are tried again, for as long as C(patience) says.
  - If a required copy does not have everything afterwards, the task fails, after all copies have been tried.
  - Local backups are never changed.
author:
  - vya.backupdb contributors (@vya)
requirements:
  - Python library boto3 >= 1.26 (for copies of type V(s3))
  - Program C(ssh) (for copies of type V(sftp))
  - Program C(rclone) (for copies of type V(rclone))
extends_documentation_fragment:
  - vya.backupdb.attributes
  - vya.backupdb.attributes.actiongroup_repository
  - vya.backupdb.detached
attributes:
  check_mode:
    support: full
    details:
      - Says what would be sent, in how many requests, and which rights the key has as far as that can be seen. Nothing
        is written into a store to find out.
  diff_mode:
    support: none
    details:
      - What would be sent is in RV(copies[].missing).
  idempotent:
    support: full
options:
  repository:
    description:
      - Directory on the host that holds the backups.
    type: path
    required: true
  host:
    description:
      - Only backups of this host, by its exact name.
    type: str
  instance:
    description:
      - Only backups of this instance, by its exact name. It needs O(host).
    type: str
  copies:
    description:
      - The places that are to have all of them.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: Name of the copy, up to 63 of the characters a-z, 0-9, V(_) and V(-).
        type: str
        required: true
      type:
        description:
          - What it is in. V(s3) is a bucket of S3, or of what speaks its language. V(sftp) is another host. V(rclone)
            is whatever that program reaches. V(local) is a second disk or a mounted share.
        type: str
        required: true
        choices: [s3, sftp, rclone, local]
      path:
        description: Directory, for V(local), and for V(sftp) on the other host.
        type: path
      bucket:
        description: Name of the bucket, for V(s3).
        type: str
      prefix:
        description: What the names of all objects begin with, for V(s3).
        type: str
      endpoint:
        description: URL of the store, for V(s3). Unset is Amazon.
        type: str
      region:
        description: Region of the bucket, for V(s3).
        type: str
      addressing:
        description: Whether the bucket is a part of the path or of the host's name, for V(s3).
        type: str
        default: auto
        choices: [auto, path, virtual]
      ca_cert:
        description: File with certificates to trust, for V(s3) with an endpoint of your own.
        type: path
      proxy:
        description: URL of a proxy, for V(s3) and V(rclone). Variables of the environment are not looked at.
        type: str
      storage_class:
        description: Storage class of new objects, for V(s3).
        type: str
      max_parts:
        description: The most parts that the store takes for one object, for V(s3). Some take 1000.
        type: int
        default: 10000
      object_limit:
        description: The largest object that the store takes, for V(s3).
        type: str
        default: 5T
      lock:
        description: Whether objects are locked against removal, for V(s3).
        type: dict
        suboptions:
          mode:
            description:
              - With V(bucket) the bucket has a default retention, and the key needs no right to lock.
              - With V(governance) and V(compliance) each object is locked for C(days).
            type: str
            default: none
            choices: [none, bucket, governance, compliance]
          days:
            description: For how long.
            type: int
      host:
        description: Name of the other host, for V(sftp).
        type: str
      port:
        description: Port of its SSH server, for V(sftp).
        type: int
        default: 22
      user:
        description: User on the other host, for V(sftp).
        type: str
      host_key:
        description: Public keys of the other host, such as V(ssh-ed25519 AAAA...), for V(sftp). No others are trusted.
        type: list
        elements: str
      key_file:
        description: File on this host with the private key of the user, for V(sftp).
        type: path
      remote:
        description: Remote and path, such as V(azure:backups/db), for V(rclone).
        type: str
      config_file:
        description: Configuration of rclone on this host, for V(rclone).
        type: path
      required:
        description:
          - Whether a backup that is missing there is a failure. Required copies also keep local backups from being
            removed before they are copied.
        type: bool
        default: true
      retention:
        description: What is kept there, with the options of M(vya.backupdb.backup_prune). Unset keeps everything.
        type: dict
      prune:
        description:
          - Who removes old backups there. V(here) is this host, V(elsewhere) is another one with other credentials, and
            V(store) are rules of the store itself.
        type: str
        default: elsewhere
        choices: [here, elsewhere, store]
      max_age:
        description: A database whose newest backup there is older than this is late.
        type: str
      verify_budget:
        description: How much may be read from there in a month for drills, such as V(50G).
        type: str
      keep_unsent_max:
        description:
          - How much may wait here for the copy. More is a failure of removing old backups, so that it is seen before
            the disk is full.
        type: str
      bandwidth:
        description: How much is sent in a second at most, such as V(20M).
        type: str
      patience:
        description: For how long a store that is busy or away is tried again, and another run that copies waited for.
        type: str
        default: 10m
      off_site:
        description:
          - Whether it is at another place than the host, for the count of copies in the status. If it is not given, all
            types are but V(local).
        type: bool
  credentials:
    description:
      - What opens the stores, by the names of the copies. The keys are C(access_key_id), C(secret_access_key) and
        C(session_token).
      - A copy without credentials is reached with the role of the machine.
    type: dict
  state_dir:
    description:
      - Directory on the host in which it is kept what each copy holds, and where an upload is gone on with.
    type: path
    default: /var/lib/backupdb
seealso:
  - module: vya.backupdb.backup_job
  - module: vya.backupdb.backup_verify
"""

EXAMPLES = r"""
---
- name: Copy all backups of this host into a bucket
  vya.backupdb.backup_copy:
    repository: /var/backups/backupdb
    host: "{{ inventory_hostname }}"
    copies:
      - name: offsite
        type: s3
        bucket: acme-db
        region: eu-central-1
    credentials:
      offsite:
        access_key_id: "{{ vault_offsite_key }}"
        secret_access_key: "{{ vault_offsite_secret }}"

- name: Copy them to another host, which takes what is added and lets nobody change it
  vya.backupdb.backup_copy:
    repository: /var/backups/backupdb
    copies:
      - name: vault
        type: sftp
        host: vault.example.com
        user: backup-db1
        path: /repository
        host_key: [ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0nbnDPbJgWqfBfPXwvbWVoJvfSUqLeC0tOGZlxsG0z]
        key_file: /etc/backupdb/vault.key
"""

RETURN = r"""
status:
  description:
    - V(ok), or in check mode V(planned) when something would be sent.
    - V(partial) when a required copy does not have everything, V(failed) when nothing was done, and V(busy) when
      another run is copying, for longer than C(patience); in check mode it is not waited for.
  returned: always
  type: str
  sample: ok
message:
  description: The same in words.
  returned: when it could begin
  type: str
  sample: "copy offsite: 2 backups sent (1.2 GiB in 14.2 s)"
lines:
  description: A line for each copy.
  returned: when it could begin
  type: list
  elements: str
  sample: ["copy offsite: 2 backups sent (1.2 GiB in 14.2 s)"]
copies:
  description: What came of each copy.
  returned: when it could begin
  type: list
  elements: dict
  contains:
    name:
      description: Name of the copy.
      type: str
      sample: offsite
    type:
      description: What it is in.
      type: str
      sample: s3
    where:
      description: Its place in words.
      type: str
      sample: s3://acme-db
    required:
      description: Whether a missing backup is a failure.
      type: bool
      sample: true
    status:
      description: V(ok) or V(failed).
      type: str
      sample: ok
    missing:
      description: What the copy did not have before, oldest first, with its size in bytes.
      type: list
      elements: dict
      sample: [{"backup": "db1/shop-pg/orders/20261124T021500Z-3f0c9a52", "bytes": 1052000}]
    sent:
      description: What was sent, in its order.
      type: list
      elements: str
      sample: ["db1/shop-pg/orders/20261124T021500Z-3f0c9a52"]
    cleared:
      description:
        - What broken off copies had left there, and nobody goes on with. It was removed.
      type: list
      elements: str
      sample: []
    still_missing:
      description: How many backups the copy does not have now.
      type: int
      sample: 0
    bytes:
      description: Bytes that went out, also those of what did not arrive.
      type: int
      sample: 1052000
    requests:
      description: In how many requests the missing files go.
      type: int
      sample: 4
    listed:
      description: V(false) when the key may not list, so that it is known only from what this host has sent.
      type: bool
      sample: true
    seconds:
      description: How long it took.
      type: float
      sample: 14.2
    rights:
      description: In check mode what is known of the rights of the key. C(known) is V(yes), V(no) or V(unknown).
      type: list
      elements: dict
      sample: [{"right": "list", "known": "yes", "detail": ""}]
    policy:
      description: In check mode a policy for a key that can only add backups, for V(s3). Else V(null).
      type: str
      sample: "{}"
    error:
      description: What went wrong, or V(null).
      type: str
      sample:
    error_kind:
      description: Kind of the error that ended the copying there, or V(null).
      type: str
      sample:
error_kind:
  description: Kind of the failure, such as V(InvalidOption). The text is in RV(ignore:msg).
  returned: when it could not begin
  type: str
  sample: InvalidOption
"""

from ansible_collections.vya.backupdb.plugins.module_utils.ansible_module import AnsibleModule
from ansible_collections.vya.backupdb.plugins.module_utils.backupdb.copying import run as copying
from ansible_collections.vya.backupdb.plugins.module_utils.backupdb.copying.options import OPTIONS, copy_run_from
from ansible_collections.vya.backupdb.plugins.module_utils.module_support.argument_specs.spec import to_spec
from ansible_collections.vya.backupdb.plugins.module_utils.module_support.detached import SPEC, finish_detachable


def main() -> None:
    """Copy and end with what came of each copy."""
    module = AnsibleModule(
        argument_spec={**to_spec(OPTIONS), **SPEC}, supports_check_mode=True, required_by={"instance": "host"}
    )
    finish_detachable(
        module,
        lambda report: copying.run(copy_run_from(module.params), check_mode=module.check_mode, report=report),
    )


if __name__ == "__main__":
    main()
