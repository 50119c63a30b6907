# Copyright (c) 2026 vya.backupdb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which definitions and settings of a stream the restoring login carries out itself."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from backupdb.engines.mysql.restore.definitions import is_alteration, objection, setting_of

AS_DUMPED = (
    b"/*!50003 CREATE*/ /*!50017 DEFINER=`root`@`localhost`*/ /*!50003 TRIGGER `a` BEFORE INSERT ON `t` FOR EACH ROW"
    b" SET NEW.x = '*/' */",
    b"/*!50106 CREATE*/ /*!50117 DEFINER=`root`@`%`*/ /*!50106 EVENT `e` ON SCHEDULE EVERY 1 DAY STARTS '2026-01-01"
    b" 00:00:00' ON COMPLETION NOT PRESERVE ENABLE COMMENT 'x' DO SELECT 1 */",
    b"/*!50106 CREATE EVENT `e` ON SCHEDULE EVERY '1:30' HOUR_MINUTE STARTS '2026-01-01 00:00:00' ENDS '2027-01-01"
    b" 00:00:00' ON COMPLETION PRESERVE DISABLE ON SLAVE DO BEGIN END */",
    b"CREATE EVENT `e` ON SCHEDULE AT '2026-01-01 00:00:00' ON COMPLETION PRESERVE DISABLE DO SELECT 1",
    b"/*!50001 CREATE ALGORITHM=UNDEFINED */\n/*!50013 DEFINER=`root`@`localhost` SQL SECURITY DEFINER */\n"
    b"/*!50001 VIEW `v` AS SELECT 1 AS `a` */",
    b"/*!50001 CREATE DEFINER=`/*!60000 `@`*/` VIEW `a``b /*!*/` AS SELECT 1 AS `a` */",
    b"CREATE DEFINER=`root`@`localhost` FUNCTION `f`() RETURNS int(11)\nRETURN 1",
    b'CREATE DEFINER="root"@"localhost" PROCEDURE "p"(IN "a" INT)\nSELECT 1',
    b"CREATE DEFINER=`root`@`localhost` AGGREGATE FUNCTION `sum_of` (x INT) RETURNS INT BEGIN END",
    b"CREATE DEFINER=`root`@`localhost` PACKAGE BODY `k` AS PROCEDURE p AS BEGIN NULL; END; END",
    b"/*!50003 CREATE*/ /*!50017 DEFINER=`r`@`h`*/ /*!50003 trigger own.a /* mine */ after update on `own`.t for each"
    b" row begin end */",
)
REFUSED = (
    b"DROP DATABASE x",
    b"CREATE TABLE `t` (a int)",
    b"CREATE USER `x`",
    b"CREATE FUNCTION `f` RETURNS STRING SONAME 'f.so'",
    b"CREATE PROCEDURE `other`.`p`() SELECT 1",
    b"CREATE TRIGGER `a` BEFORE INSERT ON `other`.`t` FOR EACH ROW SET @x = 1",
    b"CREATE TRIGGER `other`.`a` BEFORE INSERT ON `t` FOR EACH ROW SET @x = 1",
    b"/*!999999 CREATE PROCEDURE `p`() SELECT 1 */ DROP DATABASE x",
    b"/*!60000 CREATE PROCEDURE `p`() SELECT 1 */ DROP DATABASE x",
    b"/*!5000 CREATE PROCEDURE `p`() SELECT 1 */ DROP DATABASE x",
    b"/*!0500003 CREATE PROCEDURE `p`() SELECT 1 */ DROP DATABASE x",
    b"CREATE /*M!999999 VIEW `p` */ DATABASE x",
    b"CREATE DEFINER=`a`@`b` /* ` */ /*!60000 VIEW `p` */ DATABASE x",
    b"CREATE TRIGGER /* ` */ /*!60000 `p` */ `a` BEFORE INSERT ON `t` FOR EACH ROW SET @x = 1",
    b"CREATE VIEW /*!60000 `p` AS SELECT 1 */ `q` AS SELECT 2",
    b"CREATE EVENT `e` ON SCHEDULE EVERY 1 DAY DO DROP DATABASE x",
    b"CREATE EVENT `e` ON SCHEDULE EVERY 1 DAY COMMENT ' ON COMPLETION PRESERVE DISABLE ' DO DROP DATABASE x",
    b"CREATE EVENT `e` ON SCHEDULE AT f() ON COMPLETION PRESERVE DISABLE DO DROP DATABASE x",
)


@dataclass(frozen=True)
class Reads:
    """A server of one version, which reads no comments of MariaDB's own unless it is MariaDB."""

    version: int
    is_mariadb: bool

    def runs_comment(self, *, of_mariadb: bool, version: int) -> bool:
        return version <= self.version and (self.is_mariadb or not of_mariadb) and version != 60000


SERVERS = (Reads(101119, is_mariadb=True), Reads(90704, is_mariadb=False))


@pytest.mark.parametrize("server", SERVERS)
@pytest.mark.parametrize("definition", AS_DUMPED)
def test_definitions_as_dump_clients_write_them_are_carried_out(definition: bytes, server: Reads) -> None:
    assert objection(definition, "own", server) is None


@pytest.mark.parametrize("server", SERVERS)
@pytest.mark.parametrize("definition", REFUSED)
def test_other_definitions_are_not(definition: bytes, server: Reads) -> None:
    assert objection(definition, "own", server) is not None


def test_a_setting_is_taken_whole_or_not_at_all() -> None:
    assert setting_of(b"/*!50003 SET sql_mode              = 'A,B' */") == (b"sql_mode", False)
    assert setting_of(b"/*!50003 SET sql_mode = @saved_sql_mode */") == (b"sql_mode", True)
    assert setting_of(b"SET character_set_client = utf8mb4") == (b"character_set_client", False)
    assert setting_of(b"/*!40103 SET TIME_ZONE='+00:00' */") == (b"time_zone", False)
    assert setting_of(b"SET @OLD_SQL_MODE=@@SQL_MODE, SQL_MODE='NO_AUTO_VALUE_ON_ZERO'") is None
    for forged in (
        b"SET sql_mode = '', GLOBAL max_connections = 7",
        b"SET sql_mode = (SELECT f())",
        b"SET time_zone = @@global.time_zone",
        b"/*!50003 SET sql_mode = '' */ SELECT 1",
    ):
        with pytest.raises(ValueError, match="no dump client"):
            setting_of(forged)


def test_a_database_is_altered_in_its_character_set_only() -> None:
    assert is_alteration(b"ALTER DATABASE `a` CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci ")
    assert not is_alteration(b"ALTER DATABASE `a` CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci ENCRYPTION 'N'")
    assert not is_alteration(b"ALTER DATABASE `a` READ ONLY = 1")
