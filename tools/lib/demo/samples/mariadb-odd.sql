CREATE TABLE `Straße & "Nr."` (`Name; --` varchar(100) PRIMARY KEY);
INSERT INTO `Straße & "Nr."` SELECT concat('Haus ', seq, ' 🏠') FROM seq_1_to_100;
