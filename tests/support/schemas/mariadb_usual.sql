-- What many applications have, in the manner of the sample databases that everybody knows.
CREATE TABLE actor (actor_id smallint UNSIGNED AUTO_INCREMENT PRIMARY KEY, name varchar(45) NOT NULL,
    last_update timestamp DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP, KEY idx_name (name));
CREATE TABLE film (film_id smallint UNSIGNED AUTO_INCREMENT PRIMARY KEY, title varchar(255) NOT NULL,
    release_year year, rating enum('G', 'PG-13', 'R') DEFAULT 'G',
    special_features set('Trailers', 'Deleted Scenes'), rental_rate decimal(4, 2) DEFAULT 4.99);
CREATE TABLE film_actor (actor_id smallint UNSIGNED, film_id smallint UNSIGNED, PRIMARY KEY (actor_id, film_id),
    FOREIGN KEY (actor_id) REFERENCES actor (actor_id), FOREIGN KEY (film_id) REFERENCES film (film_id));
CREATE TABLE film_text (film_id smallint PRIMARY KEY, title varchar(255), FULLTEXT KEY (title));
CREATE TABLE address (id int AUTO_INCREMENT PRIMARY KEY, place geometry NOT NULL, SPATIAL KEY (place));
CREATE TRIGGER ins_film AFTER INSERT ON film FOR EACH ROW
    INSERT INTO film_text VALUES (NEW.film_id, NEW.title);
CREATE VIEW actor_info AS SELECT a.name, GROUP_CONCAT(f.title ORDER BY f.title) AS films
    FROM actor a JOIN film_actor USING (actor_id) JOIN film f USING (film_id) GROUP BY a.name;
CREATE FUNCTION in_stock(id int) RETURNS boolean READS SQL DATA RETURN EXISTS (SELECT 1 FROM film WHERE film_id = id);
INSERT INTO actor (name) SELECT CONCAT('Penélope ', seq) FROM seq_1_to_200;
INSERT INTO film (title, release_year, special_features)
    SELECT CONCAT('Academy Dinosaur ', seq), 2006, 'Trailers,Deleted Scenes' FROM seq_1_to_1000;
INSERT INTO film_actor SELECT 1 + seq % 200, 1 + seq % 1000 FROM seq_1_to_1000;
INSERT INTO address (place) SELECT POINT(seq, -seq) FROM seq_1_to_100;
CREATE EVENT refresh ON SCHEDULE EVERY 1 DAY DO DELETE FROM film_text WHERE film_id < 0;
