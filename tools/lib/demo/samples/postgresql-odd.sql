CREATE TABLE "Straße & ""Nr.""" ("Name; --" text PRIMARY KEY);
INSERT INTO "Straße & ""Nr.""" SELECT 'Haus ' || n || ' 🏠' FROM generate_series(1, 100) n;
