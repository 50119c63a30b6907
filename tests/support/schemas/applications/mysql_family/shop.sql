-- Copyright (c) 2026 vya.backupdb contributors
-- GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
-- SPDX-License-Identifier: GPL-3.0-or-later
CREATE TABLE store (id smallint unsigned NOT NULL PRIMARY KEY, code varchar(64) DEFAULT NULL, home int unsigned DEFAULT NULL);
CREATE TABLE product (id int unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY, sku varchar(64) NOT NULL, store smallint unsigned DEFAULT NULL, price decimal(20, 6) NOT NULL, weight float, made timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP, UNIQUE KEY (sku), CONSTRAINT product_store FOREIGN KEY (store) REFERENCES store (id) ON DELETE SET NULL);
ALTER TABLE store ADD CONSTRAINT store_home FOREIGN KEY (home) REFERENCES product (id);
CREATE TABLE product_text (id int NOT NULL AUTO_INCREMENT PRIMARY KEY, attribute smallint unsigned NOT NULL, store smallint unsigned NOT NULL, product int unsigned NOT NULL, value text, UNIQUE KEY place (product, attribute, store), CONSTRAINT text_product FOREIGN KEY (product) REFERENCES product (id) ON DELETE CASCADE);
CREATE TABLE cart (id int unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY, parent int unsigned DEFAULT NULL, state enum('open', 'paid', 'it''s gone', '') NOT NULL DEFAULT 'open', flags set('gift', 'express', 'a b') NOT NULL DEFAULT '', total decimal(65, 30), CONSTRAINT cart_parent FOREIGN KEY (parent) REFERENCES cart (id));
CREATE TABLE cart_log (cart int unsigned, what varchar(40), at_total decimal(65, 30));
DELIMITER //
CREATE TRIGGER cart_changed AFTER UPDATE ON cart FOR EACH ROW BEGIN IF NOT NEW.total <=> OLD.total THEN INSERT INTO cart_log VALUES (NEW.id, 'total', OLD.total); END IF; END//
CREATE TRIGGER cart_made BEFORE INSERT ON cart FOR EACH ROW SET NEW.total = COALESCE(NEW.total, 0)//
DELIMITER ;
INSERT INTO product (sku, price, weight) SELECT CONCAT('SKU-', i), i * 1.000001, i / 3 FROM numbers WHERE i < 150;
INSERT INTO store SELECT i, CONCAT('store_', i), i + 1 FROM numbers WHERE i < 6;
UPDATE product SET store = id % 6;
INSERT INTO product_text (attribute, store, product, value) SELECT a.i, p.store, p.id, CONCAT(a.i, ' of ', p.sku) FROM product p JOIN numbers a ON a.i < 5;
INSERT INTO cart (parent, state, flags, total) SELECT NULLIF(i, 0), 1 + i % 4, i % 8, IF(i % 9, i * 12345678901234567890.123456789012345678901234567890, NULL) FROM numbers WHERE i < 60 ORDER BY i;
UPDATE cart SET total = total / 3 WHERE id % 4 = 0;
CREATE VIEW revenue AS SELECT s.code, SUM(p.price) AS total FROM store s LEFT JOIN product p ON p.store = s.id GROUP BY s.code WITH ROLLUP;
CREATE VIEW open_carts AS SELECT id, total FROM cart WHERE state = 'open' WITH LOCAL CHECK OPTION;
