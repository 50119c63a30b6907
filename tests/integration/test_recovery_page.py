# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/recovery.md: every command of the page, in its order, after the databases were lost."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

from backupdb import backup
from support.ansible import ROOT
from support.library import IDENTITY, instance_of, request_for
from support.servers import PrivateMariaDB, PrivatePostgres, make_server

PAGE = ROOT / "docs" / "recovery.md"
HOW_IT_ENDED = "echo THE BLOCK ENDED WITH $?\n"


def commands(repository: Path, identity: Path) -> str:
    """The page's commands as one script that tells how each block ended."""
    blocks = re.findall(r"```sh\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) > 10
    script = "".join(f"{block}{HOW_IT_ENDED}" for block in blocks if "--list | grep" not in block)
    # The search for a table: grep's status tells whether the last part has it.
    script += "".join(block for block in blocks if "--list | grep" in block)
    for on_page, here in (
        ("cd /var/backups/backupdb\n", f"cd {repository}\n"),
        ("/safe/identity.txt", str(identity)),
        ("collection=~/.ansible/collections/ansible_collections/vya/backupdb\n", f"collection={ROOT}\n"),
    ):
        assert on_page in script
        script = script.replace(on_page, here)
    return script


def test_every_command_of_the_recovery_page_works_as_written(scratch: Path) -> None:
    repository = scratch / "repository"
    repository.mkdir(mode=0o700)
    identity = scratch / "identity.txt"
    identity.touch(mode=0o600)
    identity.write_text(f"{IDENTITY.reveal()}\n", encoding="utf-8")
    with make_server("postgres15") as shop, make_server("mariadb") as wiki:
        assert isinstance(shop, PrivatePostgres)
        assert isinstance(wiki, PrivateMariaDB)
        shop.sql("CREATE ROLE clerk LOGIN PASSWORD 'a long password of a clerk'")
        shop.sql("CREATE DATABASE shop")
        shop.sql("CREATE TABLE orders AS SELECT g AS id FROM generate_series(1, 500) g", database="shop")
        shop.sql("CREATE TABLE customers AS SELECT g AS id FROM generate_series(1, 50) g", database="shop")
        shop.sql("GRANT SELECT ON orders TO clerk", database="shop")
        wiki.sql("CREATE DATABASE wiki")
        wiki.sql(
            "CREATE TABLE wiki.pages (id INT PRIMARY KEY) ENGINE=InnoDB AS SELECT seq AS id FROM seq_1_to_300",
            database="wiki",
        )
        wiki.sql(
            "CREATE TABLE wiki.drafts (id INT PRIMARY KEY) ENGINE=InnoDB AS SELECT seq AS id FROM seq_1_to_30",
            database="wiki",
        )
        wiki.sql("CREATE USER editor@localhost IDENTIFIED BY 'a long password of an editor'")
        wiki.sql("GRANT SELECT ON wiki.pages TO editor@localhost")
        for server, name in ((shop, "shop"), (wiki, "wiki")):
            for suffix, jobs in (("", 1), ("-jobs", 2)):
                named = f"{name}-{'pg' if name == 'shop' else 'db'}{suffix}"
                options = {"host": "db1.example.org", "databases": [name], "jobs": jobs}
                result = backup.run(request_for(instance_of(server, id=named), repository, **options))
                assert result["status"] == "ok", result["message"]
            server.sql(f"DROP DATABASE {name}")
        shop.sql("DROP ROLE clerk")
        wiki.sql("DROP USER editor@localhost")

        home = scratch / "home"
        home.mkdir()
        shutil.copy(wiki.client_file, home / ".my.cnf")
        done = subprocess.run(
            ["bash", "-c", commands(repository, identity)],
            env={**shop.client_environment(), "HOME": str(home), "PATH": os.environ["PATH"]},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
            text=True,
            errors="replace",
        )
        said = done.stdout
        assert said.count("THE BLOCK ENDED WITH 0") == said.count("THE BLOCK ENDED WITH") > 10, said
        assert said.count("TABLE DATA public orders ") == 1
        for trouble in ("NOT READABLE", "FAILED", "command not found", "No such file"):
            assert trouble not in said, said
        for name in ("shop", "shop_parts", "shop_table"):
            assert shop.sql("SELECT count(*) FROM orders", database=name) == [(500,)], said
        for name in ("shop", "shop_parts"):
            assert shop.sql("SELECT count(*) FROM customers", database=name) == [(50,)]
        assert shop.sql("SELECT 1", database="shop", user="clerk", password="a long password of a clerk") == [(1,)]
        assert shop.sql("SELECT has_table_privilege('clerk', 'orders', 'SELECT')", database="shop") == [(True,)]
        for name in ("wiki", "wiki_old_client", "wiki_parts"):
            assert wiki.sql(f"SELECT (SELECT count(*) FROM {name}.pages), (SELECT count(*) FROM {name}.drafts)") == [
                (300, 30)
            ]
        assert wiki.sql("SELECT count(*) FROM mysql.user WHERE user = 'editor'") == [(1,)]
        assert re.search(r"^db1.example.org/shop-pg-jobs 'shop' .* complete ", said, re.MULTILINE), "the list"
