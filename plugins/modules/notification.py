#!/usr/bin/python
# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module notification."""

from __future__ import annotations

DOCUMENTATION = r"""
module: notification
short_description: Notify people and programs of the result of a run
version_added: 1.0.0
description:
  - Sends one event by mail, to a webhook, to a channel of Slack or Teams, or to a check that waits for pings.
  - It sends what the jobs of hosts send, with the same options. The roles use it on the controller, once for all hosts.
  - A notification that cannot be sent does not fail the task. It is a warning, and is listed in RV(unsent).
  - All notifications are sent at the same time. Certificates and host names are verified.
  - Only host and port of a receiver's address are ever shown.
author:
  - vya.backupdb contributors (@vya)
extends_documentation_fragment:
  - vya.backupdb.attributes
  - vya.backupdb.attributes.actiongroup_backupdb
attributes:
  check_mode:
    support: full
    details:
      - Sends nothing, and returns which notifications would be sent.
  diff_mode:
    support: none
  idempotent:
    support: none
    details:
      - Every run sends the event again. Nothing changes on the host, so RV(ignore:changed) is always V(false).
options:
  event:
    description:
      - What happened. A run that is only partly done is a V(failure).
    type: str
    required: true
    choices: [start, success, failure]
  title:
    description:
      - What happened, in one line. It is the subject of a mail.
    type: str
    required: true
  lines:
    description:
      - More about it. Line breaks and control characters in a line are replaced by spaces.
      - Text that is longer than receivers accept is cut, and the last line says so.
    type: list
    elements: str
    default: []
  host:
    description:
      - Host on which it happened.
    type: str
    default: ""
  job:
    description:
      - Name of the job that ran.
    type: str
    default: ""
  details:
    description:
      - Data for programs, without secrets. Only webhooks get it.
    type: dict
    default: {}
  notifications:
    description:
      - Where to send the event. Notifications that are not about O(event) are left out.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description:
          - Name of the notification, by which results refer to it.
        type: str
        required: true
      type:
        description:
          - V(email) sends a mail, V(webhook) a POST with the event as JSON.
          - V(slack) is for incoming webhooks of Slack, Mattermost and Rocket.Chat, V(teams) for those and the workflows
            of Microsoft Teams.
          - V(ping) is for checks such as those of Healthchecks. It sends to O(notifications[].url), with C(/start)
            appended when something begins and C(/fail) when it failed.
          - V(apprise) is for the many services that the Python library C(apprise) knows, such as Telegram, Matrix,
            ntfy, Pushover, Opsgenie or PagerDuty. The library must be installed where the notification is sent.
        type: str
        required: true
        choices: [email, webhook, slack, teams, ping, apprise]
      events:
        description:
          - Events that it is sent for. The default is V(failure), and for V(ping) all events.
        type: list
        elements: str
        choices: [start, success, failure]
      url:
        description:
          - Address of the receiver, with C(https) or C(http). It counts as a secret. Redirects are not followed.
          - For V(apprise) an address of that library, such as C(tgram://TOKEN/CHAT). Only its scheme is ever shown.
          - Required unless O(notifications[].type=email).
        type: str
      smtp_host:
        description:
          - Mail server. Required for V(email).
        type: str
      smtp_port:
        description:
          - Its port. Not set means 587, with O(notifications[].smtp_tls=tls) 465, and with V(none) 25.
        type: int
      smtp_tls:
        description:
          - V(starttls) begins TLS on the open connection, and sends nothing to a server that does not offer it. V(tls)
            uses TLS from the beginning. With V(none) everything is sent as plain text, and a login is refused.
        type: str
        default: starttls
        choices: [starttls, tls, none]
      smtp_user:
        description:
          - User to log in as. Not set means no login.
        type: str
      smtp_password:
        description:
          - Password of O(notifications[].smtp_user).
        type: str
      from:
        description:
          - Mail address of the sender, such as V(backup@example.org). Required for V(email).
        type: str
      to:
        description:
          - Mail addresses of the recipients. Required for V(email).
        type: list
        elements: str
      ca_cert:
        description:
          - File on the host with certificates of the authorities to trust, instead of those that the host trusts.
        type: path
      timeout:
        description:
          - How long one attempt may take, such as V(10s).
        type: str
        default: 10s
      attempts:
        description:
          - How often to try, up to 10, when the receiver may have only a temporary problem. A start is tried once, so
            that it does not delay the run.
        type: int
        default: 3
      backoff:
        description:
          - Wait before the second attempt, such as V(5s). It doubles with each further one.
        type: str
        default: 5s
seealso:
  - module: vya.backupdb.database_backup
"""

EXAMPLES = r"""
---
- name: Notify the channel and the monitoring that the nightly copy failed
  vya.backupdb.notification:
    event: failure
    title: The copy to the second site failed
    lines:
      - "rsync ended with status 23"
    host: "{{ inventory_hostname }}"
    notifications:
      - name: channel
        type: slack
        url: "{{ vault_slack_url }}"
      - name: on-call
        type: email
        smtp_host: mail.example.org
        smtp_user: backup
        smtp_password: "{{ vault_smtp_password }}"
        from: backup@example.org
        to: [dba@example.org]
      - name: monitoring
        type: ping
        url: "{{ vault_ping_url }}"
  delegate_to: localhost
  become: false
"""

RETURN = r"""
notifications:
  description: The notifications that are about the event, in the order given.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: The name given.
      type: str
      sample: channel
    type:
      description: The type given.
      type: str
      sample: slack
    sent:
      description: Whether the receiver took it.
      type: bool
      sample: false
    attempts:
      description: How often it was tried; 0 in check mode and when the options cannot be used.
      type: int
      sample: 3
    error:
      description: Why it was not sent, or V(null).
      type: str
      sample: "hooks.example.org answered 503 Service Unavailable"
unsent:
  description: Names of the notifications that could not be sent.
  returned: always
  type: list
  elements: str
  sample: [channel]
"""

from ansible_collections.vya.backupdb.plugins.module_utils.ansible_module import AnsibleModule
from ansible_collections.vya.backupdb.plugins.module_utils.backupdb.notify.message import Event
from ansible_collections.vya.backupdb.plugins.module_utils.backupdb.notify.options import EVENT_OPTIONS
from ansible_collections.vya.backupdb.plugins.module_utils.backupdb.notify.sending import send_all
from ansible_collections.vya.backupdb.plugins.module_utils.module_support.argument_specs.spec import to_spec
from ansible_collections.vya.backupdb.plugins.module_utils.module_support.run_module import printable


def main() -> None:
    """Send the event, and report what could not be sent."""
    module = AnsibleModule(argument_spec=to_spec(EVENT_OPTIONS), supports_check_mode=True)
    options = module.params
    event = Event(
        kind=options["event"],
        title=options["title"],
        lines=tuple(options["lines"]),
        host=options["host"],
        job=options["job"],
        details=options["details"],
    )
    outcomes = printable(send_all(options["notifications"], event, check_mode=module.check_mode))
    unsent = [outcome for outcome in outcomes if outcome["error"]]
    for outcome in unsent:
        module.warn(f"The notification {outcome['name']} was not sent: {outcome['error']}")
    module.exit_json(changed=False, notifications=outcomes, unsent=[outcome["name"] for outcome in unsent])


if __name__ == "__main__":
    main()
