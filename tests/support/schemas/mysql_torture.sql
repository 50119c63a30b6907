-- A small database with one of each thing that a dump can lose.
SET NAMES utf8mb4;
SET SESSION sql_mode = '';

CREATE TABLE `parent` (
  `id` INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
  `name` VARCHAR(60) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL DEFAULT 'x''y"z\\',
  `created` TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
  UNIQUE KEY `name` (`name`),
  KEY `functional` ((LOWER(`name`)))
) ENGINE=InnoDB COMMENT='the parent''s "comment" \\ with ; and emoji 🐬';
INSERT INTO `parent` (`id`, `name`, `created`) VALUES
  (1, 'plain', '2024-01-31 23:59:59.123456'), (2, 'four bytes 🐘🦭𝔘', '2024-06-30 12:00:00'), (3, '', '1970-01-02 00:00:00');
SET SESSION sql_mode = 'NO_AUTO_VALUE_ON_ZERO';
INSERT INTO `parent` (`id`, `name`, `created`) VALUES (0, 'id zero', '2000-01-01 00:00:00');
SET SESSION sql_mode = '';

CREATE TABLE `child` (
  `parent_id` INT NOT NULL,
  `at` DATETIME NOT NULL DEFAULT '0000-00-00 00:00:00',
  `on_day` DATE NOT NULL DEFAULT '0000-00-00',
  `price` DECIMAL(30,10) NOT NULL,
  `double_price` DECIMAL(31,10) GENERATED ALWAYS AS (`price` * 2) VIRTUAL,
  `rounded` BIGINT GENERATED ALWAYS AS (ROUND(`price`)) STORED,
  `secret` INT NOT NULL DEFAULT 7 INVISIBLE,
  `kind` ENUM('a','b''c','ä') NOT NULL DEFAULT 'a',
  `flags` SET('x','y') NULL,
  `bits` BIT(13) NULL,
  `real` DOUBLE NULL,
  `spot` POINT NULL,
  `json` JSON NULL,
  KEY `rounded` (`rounded` DESC) INVISIBLE,
  CONSTRAINT `positive` CHECK (`price` >= 0),
  CONSTRAINT `to_parent` FOREIGN KEY (`parent_id`) REFERENCES `parent` (`id`) ON DELETE CASCADE
) ENGINE=InnoDB;
INSERT INTO `child` (`parent_id`, `at`, `on_day`, `price`, `secret`, `kind`, `flags`, `bits`, `real`, `spot`, `json`) VALUES
  (1, '0000-00-00 00:00:00', '0000-00-00', 12345678901234567890.0123456789, 1, 'b''c', 'x,y', b'1010101010101', 1e308, POINT(1.5, -2), '{"a": [1, null, "🐬"]}'),
  (2, '2024-01-01 10:00:00', '2024-00-00', 0.0000000001, 2, 'ä', NULL, NULL, NULL, NULL, NULL),
  (2, '9999-12-31 23:59:59', '9999-12-31', 5, 3, '', '', b'0', -0.1, NULL, '[]');

SET SESSION cte_max_recursion_depth = 5000;
SET SESSION group_concat_max_len = 10000;
CREATE TABLE `blobs` (`id` INT NOT NULL PRIMARY KEY, `body` LONGBLOB NULL, `word` VARBINARY(20) NULL) ENGINE=InnoDB;
INSERT INTO `blobs` VALUES (1, (
  WITH RECURSIVE `n` AS (SELECT 0 AS `i` UNION ALL SELECT `i` + 1 FROM `n` WHERE `i` < 255)
  SELECT UNHEX(GROUP_CONCAT(LPAD(HEX(`i`), 2, '0') ORDER BY `i` SEPARATOR '')) FROM `n`), X'00');
INSERT INTO `blobs` VALUES (2, '', ''), (3, NULL, NULL), (4, REPEAT(X'00FF0A0D275C22', 3000), X'271A5C00');

CREATE TABLE `old_engine` (`id` INT NOT NULL PRIMARY KEY, `t` TEXT CHARACTER SET latin1) ENGINE=MyISAM;
INSERT INTO `old_engine` VALUES (1, 'café'), (2, REPEAT('long ', 200));

CREATE TABLE `parts` (`id` INT NOT NULL, `y` INT NOT NULL, PRIMARY KEY (`id`, `y`)) ENGINE=InnoDB
  PARTITION BY RANGE (`y`) (PARTITION `p0` VALUES LESS THAN (2000), PARTITION `p1` VALUES LESS THAN MAXVALUE);
INSERT INTO `parts` WITH RECURSIVE `n` AS (SELECT 1 AS `i` UNION ALL SELECT `i` + 1 FROM `n` WHERE `i` < 200)
  SELECT `i`, 1990 + `i` MOD 20 FROM `n`;

CREATE TABLE `back``tick and 'quote' "both" %_;$(x)` (`a``b` INT) ENGINE=InnoDB;
INSERT INTO `back``tick and 'quote' "both" %_;$(x)` VALUES (1);
CREATE TABLE `-dash` (`a` INT) ENGINE=InnoDB;
CREATE TABLE `Case` (`a` INT) ENGINE=InnoDB;
CREATE TABLE `case` (`a` INT) ENGINE=InnoDB;
INSERT INTO `Case` VALUES (1);
INSERT INTO `case` VALUES (2), (3);
CREATE TABLE `únïcode 表` (`ключ` INT) ENGINE=InnoDB;
INSERT INTO `únïcode 表` VALUES (1), (1), (NULL);
CREATE TABLE `audit` (`id` INT NOT NULL AUTO_INCREMENT PRIMARY KEY, `what` TEXT) ENGINE=InnoDB;

CREATE VIEW `z_below` AS
  SELECT `p`.`name`, COUNT(`c`.`parent_id`) AS `n` FROM `parent` `p` LEFT JOIN `child` `c` ON `c`.`parent_id` = `p`.`id`
  GROUP BY `p`.`name`;
CREATE SQL SECURITY INVOKER VIEW `a_on_top` AS SELECT `name`, `n` FROM `z_below` WHERE `name` <> '🐬';

DELIMITER //
CREATE FUNCTION `twice`(`x` INT) RETURNS INT DETERMINISTIC COMMENT 'it''s twice'
BEGIN
  -- a comment; with a semicolon and 'quotes'
  RETURN `x` * 2;
END//
CREATE PROCEDURE `count_them`(IN `wanted` VARCHAR(60), OUT `n` INT)
  SELECT COUNT(*) INTO `n` FROM `parent` WHERE `name` = `wanted` OR `name` = '🐘'//
CREATE TRIGGER `child_added` AFTER INSERT ON `child` FOR EACH ROW
  INSERT INTO `audit` (`what`) VALUES (CONCAT('added ', NEW.`parent_id`))//
CREATE TRIGGER `child_added_too` AFTER INSERT ON `child` FOR EACH ROW FOLLOWS `child_added`
BEGIN
  INSERT INTO `audit` (`what`) VALUES ('second; trigger');
END//
CREATE EVENT `nightly` ON SCHEDULE EVERY 1 DAY STARTS '2030-01-01 00:00:00' ON COMPLETION PRESERVE DISABLE
  COMMENT 'sleeps' DO DELETE FROM `audit` WHERE `id` < 0//
DELIMITER ;
INSERT INTO `child` (`parent_id`, `price`) VALUES (3, 1);
