-- The login of the backups: reads everything, changes nothing, is no superuser.
CREATE ROLE backupdb LOGIN PASSWORD '@PASSWORD@';
GRANT pg_read_all_data TO backupdb;
-- An account of an application, to be found in the backup of the accounts.
CREATE ROLE shop_readers;
CREATE ROLE shop_app LOGIN CONNECTION LIMIT 20;
GRANT shop_readers TO shop_app;
ALTER ROLE shop_app SET statement_timeout TO '30s';
