CREATE DATABASE wiki CHARACTER SET utf8mb4;
CREATE DATABASE `odd name; --`;
CREATE TABLE wiki.page (id INT PRIMARY KEY, title VARCHAR(200) NOT NULL, body TEXT) ENGINE = InnoDB;
USE wiki;
INSERT INTO page
  WITH RECURSIVE numbers AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM numbers WHERE n < 900)
  SELECT n, CONCAT('Seite für ', n), REPEAT(SHA2(n, 256), 5) FROM numbers;
CREATE VIEW wiki.titles AS SELECT title FROM wiki.page;
CREATE TRIGGER wiki.page_title BEFORE INSERT ON wiki.page FOR EACH ROW SET NEW.title = TRIM(NEW.title);
CREATE TABLE `odd name; --`.t (id INT) ENGINE = InnoDB;
INSERT INTO `odd name; --`.t VALUES (1), (2);
