-- What many applications have, in the manner of the sample databases that everybody knows.
CREATE TYPE rating AS ENUM ('G', 'PG-13', 'R');
CREATE DOMAIN year AS integer CHECK (VALUE >= 1901 AND VALUE <= 2155);
CREATE TABLE actor (actor_id serial PRIMARY KEY, name text NOT NULL, last_update timestamp DEFAULT now());
CREATE TABLE film (film_id serial PRIMARY KEY, title text NOT NULL, release_year year, fulltext tsvector,
    rating rating DEFAULT 'G', special_features text[], rental_rate numeric(4, 2) DEFAULT 4.99);
CREATE TABLE film_actor (actor_id int REFERENCES actor, film_id int REFERENCES film,
    PRIMARY KEY (actor_id, film_id));
CREATE INDEX film_fulltext ON film USING gist (fulltext);
CREATE TRIGGER film_fulltext BEFORE INSERT OR UPDATE ON film FOR EACH ROW
    EXECUTE FUNCTION tsvector_update_trigger(fulltext, 'pg_catalog.english', title);
CREATE VIEW actor_info AS SELECT a.name, array_agg(f.title ORDER BY f.title) AS films
    FROM actor a JOIN film_actor USING (actor_id) JOIN film f USING (film_id) GROUP BY a.name;
CREATE TABLE payment (id bigserial, paid date NOT NULL, amount numeric(5, 2)) PARTITION BY RANGE (paid);
CREATE TABLE payment_2026_01 PARTITION OF payment FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
CREATE TABLE payment_2026_02 PARTITION OF payment FOR VALUES FROM ('2026-02-01') TO ('2026-03-01');
INSERT INTO actor (name) SELECT 'Penélope ' || g FROM generate_series(1, 200) g;
INSERT INTO film (title, release_year, special_features)
    SELECT 'Academy Dinosaur ' || g, 2006, ARRAY['Trailers', 'Deleted "Scenes"'] FROM generate_series(1, 1000) g;
INSERT INTO film_actor SELECT 1 + g % 200, 1 + g % 1000 FROM generate_series(1, 1000) g;
INSERT INTO payment (paid, amount) SELECT '2026-01-01'::date + g % 59, 2.99 FROM generate_series(1, 5000) g;
CREATE MATERIALIZED VIEW sales AS SELECT paid, sum(amount) FROM payment GROUP BY paid;
CREATE FUNCTION in_stock(int) RETURNS boolean LANGUAGE sql AS 'SELECT EXISTS (SELECT FROM film WHERE film_id = $1)';
