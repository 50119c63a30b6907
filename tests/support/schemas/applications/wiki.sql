-- Copyright (c) 2026 vya.backupdb contributors
-- GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
-- SPDX-License-Identifier: GPL-3.0-or-later
--
-- A wiki in a schema of its own, with triggers that keep a search column.
CREATE SCHEMA mediawiki AUTHORIZATION app_owner;
SET search_path = mediawiki;
CREATE SEQUENCE page_id_seq INCREMENT -3 MINVALUE -9000 MAXVALUE 9000 START 9000 CYCLE CACHE 5;
CREATE TABLE page (id int PRIMARY KEY DEFAULT nextval('page_id_seq'), namespace smallint, title text, touched timestamptz, titlevector tsvector);
CREATE TABLE revision (id serial, page int REFERENCES page DEFERRABLE INITIALLY DEFERRED, content bytea, sha char(31));
CREATE FUNCTION fill() RETURNS trigger LANGUAGE plpgsql SET search_path = mediawiki, pg_temp AS $$ BEGIN NEW.titlevector := to_tsvector('simple', NEW.title); RETURN NEW; END $$;
CREATE TRIGGER fill BEFORE INSERT OR UPDATE OF title ON page FOR EACH ROW WHEN (NEW.title <> '') EXECUTE FUNCTION fill();
INSERT INTO page (namespace, title, touched) SELECT n % 16, 'Page_' || n, 'epoch' FROM generate_series(1, 200) n;
INSERT INTO revision (page, content, sha) SELECT id, decode(repeat(md5(id::text), 100), 'hex') || '\x00ff0a5c'::bytea, 'x' FROM page;
ALTER SEQUENCE page_id_seq OWNED BY page.id;
ALTER TABLE page OWNER TO app_owner;
ALTER TABLE page DISABLE TRIGGER fill;
ALTER DEFAULT PRIVILEGES FOR ROLE app_owner IN SCHEMA mediawiki GRANT SELECT ON TABLES TO app_reader;
ALTER DATABASE wiki SET search_path = mediawiki, public;
