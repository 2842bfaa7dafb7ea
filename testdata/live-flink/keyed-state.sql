-- Two operators with state of their own in RocksDB: an aggregate over ROWS records, and the two newest of each group.
-- The second source never ends, so that the state stays when the records are in.
CREATE TABLE many (k BIGINT, v STRING) WITH (
  'connector' = 'datagen', 'number-of-rows' = 'ROWS', 'rows-per-second' = '1000000',
  'fields.k.min' = '1', 'fields.k.max' = 'ROWS', 'fields.v.length' = '150'
);
CREATE TABLE few (k BIGINT, v STRING) WITH (
  'connector' = 'datagen', 'rows-per-second' = '2',
  'fields.k.min' = '1', 'fields.k.max' = 'ROWS', 'fields.v.length' = '150'
);
CREATE TABLE counted (k BIGINT, c BIGINT, v STRING) WITH ('connector' = 'blackhole');
CREATE TABLE newest (k BIGINT, v STRING, n BIGINT) WITH ('connector' = 'blackhole');
CREATE TEMPORARY VIEW records AS SELECT k, v, PROCTIME() AS t FROM many UNION ALL SELECT k, v, PROCTIME() AS t FROM few;
INSERT INTO counted SELECT k, COUNT(*), MAX(v) FROM records GROUP BY k;
INSERT INTO newest SELECT k, v, n FROM (
  SELECT k, v, ROW_NUMBER() OVER (PARTITION BY k ORDER BY t DESC) AS n FROM records
) WHERE n <= 2;
