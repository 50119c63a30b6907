-- mariadb-install-db makes root without a password for every name of this machine.
DELETE FROM mysql.global_priv WHERE user = 'root' AND host NOT IN ('localhost', '127.0.0.1');
FLUSH PRIVILEGES;
-- The login of the backups: reads everything, changes nothing.
CREATE USER backupdb@'127.0.0.1' IDENTIFIED BY '@PASSWORD@';
GRANT SELECT, SHOW VIEW, TRIGGER, EVENT, LOCK TABLES, SHOW DATABASES, PROCESS, RELOAD, BINLOG MONITOR
    ON *.* TO backupdb@'127.0.0.1';
-- An account of an application, to be found in the backup of the accounts.
CREATE ROLE wiki_readers;
GRANT SELECT ON wiki.* TO wiki_readers;
CREATE USER wiki_app@'localhost' WITH MAX_USER_CONNECTIONS 20;
GRANT wiki_readers TO wiki_app@'localhost';
SET DEFAULT ROLE wiki_readers FOR wiki_app@'localhost';
