CREATE TABLE customers (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL);
CREATE TABLE orders (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer integer NOT NULL REFERENCES customers,
    cents integer NOT NULL CHECK (cents > 0),
    placed timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE journal (at timestamptz NOT NULL DEFAULT now(), what text NOT NULL);
CREATE VIEW turnover AS
    SELECT c.name, count(*) AS orders, sum(o.cents) AS cents FROM customers c JOIN orders o ON o.customer = c.id GROUP BY 1;
CREATE FUNCTION note_order() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    INSERT INTO journal (what) VALUES ('order ' || NEW.id);
    RETURN NEW;
END $body$;
CREATE TRIGGER orders_are_noted AFTER INSERT ON orders FOR EACH ROW EXECUTE FUNCTION note_order();
INSERT INTO customers (name) SELECT 'Zoë Müller ' || n FROM generate_series(1, 500) n;
INSERT INTO orders (customer, cents) SELECT 1 + n % 500, 100 + n FROM generate_series(1, 5000) n;
-- A large object. Unlike for tables, the right to read it has to be given for each one.
SELECT lo_from_bytea(0, decode(repeat('00ff10', 50000), 'hex')) AS photo \gset
GRANT SELECT ON LARGE OBJECT :photo TO backupdb;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO shop_readers;
