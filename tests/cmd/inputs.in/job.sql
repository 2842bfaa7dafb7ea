-- Orders by hour.
SET 'execution.runtime-mode' = 'streaming';
SET 'taskmanager.memory.process.size' = '2g'; -- in an application cluster
CREATE TABLE orders (id BIGINT) WITH ('connector' = 'datagen');
