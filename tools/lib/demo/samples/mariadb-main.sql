CREATE TABLE pages (id int AUTO_INCREMENT PRIMARY KEY, title varchar(200) NOT NULL, body mediumtext NOT NULL);
CREATE TABLE revisions (id int AUTO_INCREMENT PRIMARY KEY, page int NOT NULL REFERENCES pages (id), at datetime NOT NULL);
CREATE VIEW newest AS SELECT p.title, max(r.at) AS changed FROM pages p JOIN revisions r ON r.page = p.id GROUP BY p.title;
CREATE FUNCTION revisions_of(wanted int) RETURNS int READS SQL DATA
    RETURN (SELECT count(*) FROM revisions WHERE page = wanted);
DELIMITER //
CREATE TRIGGER pages_have_revisions AFTER INSERT ON pages FOR EACH ROW
BEGIN
    INSERT INTO revisions (page, at) VALUES (NEW.id, now());
END //
DELIMITER ;
CREATE EVENT forget_old_revisions ON SCHEDULE EVERY 1 DAY DISABLE DO
    DELETE FROM revisions WHERE at < now() - INTERVAL 1 YEAR;
INSERT INTO pages (title, body) SELECT concat('Größe 📏 ', seq), repeat('text ', 200) FROM seq_1_to_3000;
