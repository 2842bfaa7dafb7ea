//! Jobs in SQL that several failures run.

/// A stream of ever new keys, each with a text of so many characters, into keyed state.
pub fn many_keys(keys: u64, characters: u32) -> String {
    format!(
        "CREATE TABLE records (k BIGINT, v STRING) WITH ('connector' = 'datagen', 'rows-per-second' = '1000000', \
         'fields.k.min' = '1', 'fields.k.max' = '{keys}', 'fields.v.length' = '{characters}');\n\
         CREATE TABLE gone (k BIGINT, c BIGINT, v STRING) WITH ('connector' = 'blackhole');\n\
         INSERT INTO gone SELECT k, COUNT(*), MAX(v) FROM records GROUP BY k;\n"
    )
}

/// A small job that goes on and on: two queries over a hundred thousand records and two a second, so that there are
/// several vertices and exchanges.
pub fn small() -> String {
    let source = |name: &str, rate: u32, more: &str| {
        format!(
            "CREATE TABLE {name} (k BIGINT, v STRING) WITH ('connector' = 'datagen', 'rows-per-second' = '{rate}'{more}, \
             'fields.k.min' = '1', 'fields.k.max' = '1000', 'fields.v.length' = '150');\n"
        )
    };
    let all = "(SELECT * FROM burst UNION ALL SELECT * FROM trickle)";
    format!(
        "{}{}CREATE TABLE counted (k BIGINT, c BIGINT, v STRING) WITH ('connector' = 'blackhole');\n\
         CREATE TABLE ranked (k BIGINT, v STRING, rank_number BIGINT) WITH ('connector' = 'blackhole');\n\
         INSERT INTO counted SELECT k, COUNT(*), MAX(v) FROM {all} GROUP BY k;\n\
         INSERT INTO ranked SELECT k, v, rank_number FROM (SELECT k, v, ROW_NUMBER() OVER (PARTITION BY k ORDER BY v DESC) \
         AS rank_number FROM {all}) WHERE rank_number <= 2;\n",
        source("burst", 1_000_000, ", 'number-of-rows' = '100000'"),
        source("trickle", 2, ""),
    )
}

/// A bounded job whose exchanges are files: so many rows with a text of so many characters.
pub fn batch(rows: u64, characters: u32) -> String {
    format!(
        "SET 'execution.runtime-mode' = 'batch';\n\
         CREATE TABLE records (k BIGINT, v STRING) WITH ('connector' = 'datagen', 'rows-per-second' = '1000000', \
         'number-of-rows' = '{rows}', 'fields.k.min' = '1', 'fields.k.max' = '2000000', 'fields.v.length' = '{characters}');\n\
         CREATE TABLE gone (k BIGINT, v STRING) WITH ('connector' = 'blackhole');\n\
         INSERT INTO gone SELECT k, MAX(v) FROM records GROUP BY k;\n"
    )
}

/// A job that fails when it has read so many rows, each into the state of two queries: its last row divides by zero.
pub fn failing(rows: u64) -> String {
    format!(
        "CREATE TABLE records (k BIGINT, n BIGINT, v STRING) WITH ('connector' = 'datagen', 'rows-per-second' = '1000000', \
         'fields.k.min' = '1', 'fields.k.max' = '{rows}', 'fields.n.kind' = 'sequence', 'fields.n.start' = '1', \
         'fields.n.end' = '{rows}', 'fields.v.length' = '150');\n\
         CREATE TABLE counted (k BIGINT, c BIGINT, v STRING, n BIGINT) WITH ('connector' = 'blackhole');\n\
         CREATE TABLE ranked (k BIGINT, v STRING, rank_number BIGINT) WITH ('connector' = 'blackhole');\n\
         INSERT INTO counted SELECT k, COUNT(*), MAX(v), MAX(1 / ({rows} - n)) FROM records GROUP BY k;\n\
         INSERT INTO ranked SELECT k, v, rank_number FROM (SELECT k, v, ROW_NUMBER() OVER (PARTITION BY k ORDER BY v DESC) \
         AS rank_number FROM records) WHERE rank_number <= 2;\n"
    )
}
