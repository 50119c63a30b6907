# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make a sample of everything that a version keeps on a host, to be read by all later versions.

    python tests/samples/make.py tests/samples/version_1_2_0
    python tests/samples/make.py tests/samples/version_1_2_0 --checkout ../checkout-of-1.2.0

The second form makes the sample with another checkout's code; its tests' own support starts the servers. Only what
users call is called here, modules and the command line, so that this script makes samples of later versions as well.
Needs root, PostgreSQL 15, MariaDB 10.11 and Ansible. The folder PLACE is made for the time of the work, so that the
paths inside the sample are the same wherever it is made.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PLACE = Path("/srv/backupdb-sample")
RUNS = Path("/var/tmp")  # noqa: S108  where detached runs leave their results
# Archives are kept with this behind their names, so that tools which look at text leave them alone.
ARCHIVE_SUFFIX = ".bin"

# Throw-away logins: whoever reads the sample brings them back out of its accounts.
USER = "sample_backup"
PASSWORD = "sample-Vq7mT2xK9cRw4ZsB"
READER = "sample_reader"
READER_PASSWORD = "sample-Hd3nL8yP5gJe6FuA"
PASSPHRASE = "sample correct horse battery staple"

POSTGRESQL = """
CREATE ROLE {user} SUPERUSER LOGIN PASSWORD '{password}';
CREATE ROLE {reader} LOGIN PASSWORD '{reader_password}' IN ROLE pg_read_all_data;
CREATE ROLE shop_owner NOLOGIN;
CREATE ROLE shop_app LOGIN PASSWORD 'sample-shop' IN ROLE shop_owner;
"""
POSTGRESQL_SHOP = """
CREATE TYPE state AS ENUM ('new', 'paid', 'sent');
CREATE TABLE customers (id serial PRIMARY KEY, name text NOT NULL);
CREATE TABLE orders (id serial PRIMARY KEY, customer int NOT NULL REFERENCES customers, state state DEFAULT 'new',
    amount numeric(8, 2), ordered date DEFAULT '2026-01-01');
CREATE INDEX orders_state ON orders (state);
CREATE VIEW paid_orders AS SELECT * FROM orders WHERE state = 'paid';
CREATE FUNCTION total(int) RETURNS numeric LANGUAGE sql STABLE
    AS 'SELECT sum(amount) FROM orders WHERE customer = $1';
INSERT INTO customers (name) SELECT 'Renée ' || g FROM generate_series(1, 20) g;
INSERT INTO orders (customer, amount) SELECT 1 + g % 20, g * 1.5 FROM generate_series(1, 100) g;
ALTER TABLE orders OWNER TO shop_owner;
GRANT SELECT ON paid_orders TO shop_app;
"""
# A user mapping's options are shown to superusers only, so the reader's backups are partial.
POSTGRESQL_WIKI = """
CREATE TABLE pages (id int PRIMARY KEY, body text);
INSERT INTO pages VALUES (1, 'Welcome'), (2, 'Renée');
CREATE FOREIGN DATA WRAPPER far;
CREATE SERVER away FOREIGN DATA WRAPPER far;
CREATE USER MAPPING FOR postgres SERVER away OPTIONS (code 'x');
"""
MARIADB = """
CREATE USER '{user}'@'%' IDENTIFIED BY '{password}';
GRANT ALL PRIVILEGES ON *.* TO '{user}'@'%' WITH GRANT OPTION;
CREATE USER 'shop_app'@'%' IDENTIFIED BY 'sample-shop';
CREATE DATABASE shop CHARACTER SET utf8mb4;
GRANT SELECT, INSERT ON shop.* TO 'shop_app'@'%';
"""
MARIADB_SHOP = """
CREATE TABLE customers (id int AUTO_INCREMENT PRIMARY KEY, name varchar(50) NOT NULL);
CREATE TABLE orders (id int AUTO_INCREMENT PRIMARY KEY, customer int NOT NULL, amount decimal(8, 2),
    FOREIGN KEY (customer) REFERENCES customers (id));
CREATE VIEW large_orders AS SELECT * FROM orders WHERE amount > 100;
CREATE TRIGGER no_gifts BEFORE INSERT ON orders FOR EACH ROW SET NEW.amount = GREATEST(NEW.amount, 0);
CREATE FUNCTION total(one int) RETURNS decimal(10, 2) READS SQL DATA
    RETURN (SELECT SUM(amount) FROM orders WHERE customer = one);
INSERT INTO customers (name) SELECT CONCAT('Renée ', seq) FROM seq_1_to_20;
INSERT INTO orders (customer, amount) SELECT 1 + seq % 20, seq * 1.5 FROM seq_1_to_100;
"""


def main() -> None:
    parser = argparse.ArgumentParser(description="Make a sample of what a version keeps on a host.")
    parser.add_argument("folder", type=Path, help="new folder of the sample")
    parser.add_argument("--checkout", type=Path, default=ROOT, help="whose code makes it (default: this one)")
    options = parser.parse_args()
    checkout = options.checkout.resolve()
    sys.path[:0] = [str(checkout / "plugins" / "module_utils"), str(checkout / "tests")]
    if PLACE.exists():
        raise SystemExit(f"{PLACE} is there already; remove it")
    PLACE.mkdir(mode=0o755)
    try:
        make_everything()
        keep(options.folder.resolve())
    finally:
        shutil.rmtree(PLACE)


def make_everything() -> None:
    """Start servers, fill them, and run jobs and modules against them."""
    from support.servers import make_server

    postgresql, mariadb = make_server("postgres15"), make_server("mariadb")
    try:
        for server in (postgresql, mariadb):
            server.start()
        fill(postgresql, mariadb)
        run_jobs(postgresql, mariadb)
    finally:
        for server in (postgresql, mariadb):
            server.remove()


def fill(postgresql: Any, mariadb: Any) -> None:
    """Make accounts and databases."""
    names = {"user": USER, "password": PASSWORD, "reader": READER, "reader_password": READER_PASSWORD}
    postgresql.run_sql_script(POSTGRESQL.format(**names), database="postgres")
    for name, script in (("shop", POSTGRESQL_SHOP), ("wiki", POSTGRESQL_WIKI)):
        postgresql.sql(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING UTF8")
        postgresql.run_sql_script(script, database=name)
    mariadb.run_sql_script(MARIADB.format(**names))
    mariadb.run_sql_script(MARIADB_SHOP, database="shop")


def run_jobs(postgresql: Any, mariadb: Any) -> None:
    """Define jobs by the modules, run each by the command line, then pin a backup and back up detached."""
    from support.ansible import Ansible
    from support.jobs import JobHost

    host = JobHost(PLACE)
    with tempfile.TemporaryDirectory() as home:
        ansible = Ansible(Path(home))

        def module(name: str, options: dict[str, Any]) -> dict[str, Any]:
            run = ansible.run_module(f"vya.backupdb.{name}", options)
            if run.failed:
                raise SystemExit(run.output)
            return run.result

        def entry(server: Any, instance: str, **more: Any) -> dict[str, Any]:
            # The repository's host is named here; by default it would be the name of this machine.
            login = {"login_user": USER, "accounts": False, "databases": ["shop"]}
            return {**host.backup_of(server, instance=instance), "host": "db1", **login, **more}

        def job(name: str, backups: list[dict[str, Any]], *, exit_status: int = 0, **more: Any) -> dict[str, Any]:
            source = {"source": "file", "path": str(host.credentials / name)}
            common = {"config_dir": str(host.config_dir), "state_dir": str(host.state_dir), "credentials": source}
            module("backup_job", {"name": name, "backups": backups, **common, **more})
            status, result = host.run(name)
            if status != exit_status:
                raise SystemExit(f"job {name} ended with {status}: {json.dumps(result, indent=1)}")
            return result

        def secrets(name: str, instances: list[str], password: str = PASSWORD, **more: Any) -> None:
            logins = {instance: {"login_password": password} for instance in instances}
            options = {"name": name, "directory": str(host.credentials), "encrypt": "never"}
            module("job_credentials", {**options, "secrets": {"logins": logins, **more}})

        both = {"row_counts": True, "fingerprints": True, "accounts": True}
        metrics = PLACE / "metrics"
        metrics.mkdir()
        hook = {"name": "hook", "type": "webhook", "events": ["failure"]}  # nothing fails, so nobody is told
        secrets("nightly", ["pg15", "mariadb"], notifications={"hook": {"url": "http://127.0.0.1:1/sample"}})
        nightly = {
            "backups": [entry(postgresql, "pg15", **both), entry(mariadb, "mariadb", **both)],
            "retention": {"keep_last": 5},
            "on_calendar": "*-*-* 02:00:00",
            "notifications": [hook],
            "metrics_dir": str(metrics),
        }
        drill = {"every": "7d", "identity_file": str(host.identity_file), "database": "shop"}
        job("nightly", **nightly)
        time.sleep(1.1)  # a second backup has another second in its name
        newest = job("nightly", drill=drill, **nightly)

        store = {"path": str(host.credentials / "store.json"), "login_user": USER, "login_password": PASSWORD}
        for instance in ("pg15_parts", "mariadb_parts"):
            module("credential_store", {"id": instance, **store})
        parts = [entry(postgresql, "pg15_parts", jobs=2), entry(mariadb, "mariadb_parts", jobs=2)]
        job("parts", parts, credentials={"source": "store", "path": store["path"]})

        secrets("passphrase", ["pg15_passphrase"], passphrase=PASSPHRASE)
        job("passphrase", [entry(postgresql, "pg15_passphrase", recipients=None, compression="gzip")])

        secrets("plain", ["mariadb_plain"])
        plain = {"encryption": "none", "recipients": None, "compression": "none"}
        job("plain", [entry(mariadb, "mariadb_plain", **plain)])

        secrets("partial", ["pg15_partial"], READER_PASSWORD)
        partial = entry(postgresql, "pg15_partial", login_user=READER, databases=["wiki"])
        job("partial", [partial], exit_status=1)

        shop = next(found for found in newest["backups"][0]["databases"] if found["name"] == "shop")
        which = {"instance": "pg15", "database": "shop", "backup_id": Path(shop["path"]).name}
        module("backup_pin", {"repository": str(host.repository), "reason": "kept as a sample", **which})

        detached = module("database_backup", {**entry(postgresql, "pg15_detached"), "login_password": PASSWORD})
        run = RUNS / f"backupdb-run-{detached['run_id']}"
        shutil.copytree(run, PLACE / "detached" / run.name)
        shutil.rmtree(run)


def keep(folder: Path) -> None:
    """Copy what was made to where it is kept."""
    shutil.copytree(PLACE, folder)
    for manifest in (folder / "repository").rglob("manifest.json"):
        for archive in json.loads(manifest.read_bytes())["archives"]:
            path = manifest.with_name(archive["name"])
            path.rename(path.with_name(path.name + ARCHIVE_SUFFIX))


if __name__ == "__main__":
    main()
