//! RocksDB's `OPTIONS-*` file: an INI text of all options, written when a database is opened and when its column families or
//! options change (`options/options_parser.cc`). The one with the highest number counts.
//!
//! Sections are `[Version]`, `[DBOptions]`, `[CFOptions "name"]` and `[TableOptions/BlockBasedTable "name"]`; in names and values `\`
//! takes the next character literally, but `\n` and `\r`, and `#` begins a comment.

use super::Stated;
use crate::model::Bytes;

/// No more lines are read: a section has some 80, a database has one or two a column family.
const MOST_LINES: usize = 1 << 20;

/// What the file states. An option that is not known here is kept as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RocksDbOptions {
    /// The sections in their order.
    pub sections: Vec<Section>,
}

/// A section and its options.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// What it is about.
    pub title: Title,
    /// Where it begins, from 1.
    pub line: u32,
    /// Its options in their order: name, and value as written.
    pub options: Vec<(String, Stated<String>)>,
}

/// What a section is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Title {
    /// Who wrote the file.
    Version,
    /// The database as a whole.
    Database,
    /// A column family.
    ColumnFamily(String),
    /// How a column family's files are built.
    Table {
        /// `BlockBasedTable` and others.
        factory: String,
        /// The column family.
        family: String,
    },
    /// Another, as written.
    Other(String),
}

/// What a column family is made with: its own section and that of its tables.
#[derive(Clone, Copy, Debug)]
pub struct FamilyOptions<'a> {
    name: &'a str,
    own: &'a Section,
    table: Option<(&'a str, &'a Section)>,
}

/// What a text states.
pub fn read(text: &[u8]) -> RocksDbOptions {
    let text = String::from_utf8_lossy(text);
    let mut sections: Vec<Section> = Vec::new();
    for (index, line) in text.lines().enumerate().take(MOST_LINES) {
        let line = without_comment(line).trim();
        let at = Stated::at(index, ()).line;
        if let Some(title) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            sections.push(Section { title: title_of(title), line: at, options: Vec::new() });
        } else if let (Some((name, value)), Some(section)) = (line.split_once('='), sections.last_mut()) {
            let value = Stated { what: unescaped(value.trim()), line: at };
            section.options.push((unescaped(name.trim()), value));
        }
    }
    RocksDbOptions { sections }
}

impl RocksDbOptions {
    /// The RocksDB that wrote it.
    pub fn version(&self) -> Option<&str> {
        self.sections.iter().find(|section| section.title == Title::Version)?.value("rocksdb_version")
    }

    /// The options of the database as a whole.
    pub fn database(&self) -> Option<&Section> {
        self.sections.iter().find(|section| section.title == Title::Database)
    }

    /// How many files are kept open, -1 for all.
    pub fn max_open_files(&self) -> Option<i64> {
        self.database()?.value("max_open_files")?.parse().ok()
    }

    /// The column families in their order.
    pub fn column_families(&self) -> impl Iterator<Item = FamilyOptions<'_>> {
        self.sections.iter().enumerate().filter_map(|(at, own)| {
            let Title::ColumnFamily(name) = &own.title else { return None };
            // RocksDB writes the section of the tables right behind.
            let table = self.sections.get(at + 1).and_then(|next| match &next.title {
                Title::Table { factory, family } if family == name => Some((factory.as_str(), next)),
                _ => None,
            });
            Some(FamilyOptions { name, own, table })
        })
    }
}

impl Section {
    /// An option's value as written; the last counts where there are several.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.options.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value.what.as_str())
    }
}

impl<'a> FamilyOptions<'a> {
    /// The column family's name.
    pub fn name(&self) -> &'a str {
        self.name
    }

    /// A memtable is flushed at this size.
    pub fn write_buffer_size(&self) -> Option<Bytes> {
        bytes(self.own.value("write_buffer_size")?)
    }

    /// What a memtable allocates at a time.
    pub fn arena_block_size(&self) -> Option<Bytes> {
        bytes(self.own.value("arena_block_size")?)
    }

    /// How many memtables there may be.
    pub fn max_write_buffer_number(&self) -> Option<u64> {
        self.own.value("max_write_buffer_number")?.parse().ok()
    }

    /// `kCompactionStyleLevel` and others.
    pub fn compaction_style(&self) -> Option<&'a str> {
        self.own.value("compaction_style")
    }

    /// `BlockBasedTable` and others.
    pub fn table_factory(&self) -> Option<&'a str> {
        self.table.map(|(factory, _)| factory).or_else(|| self.own.value("table_factory"))
    }

    /// A data block's size before it is compressed.
    pub fn block_size(&self) -> Option<Bytes> {
        bytes(self.table_value("block_size")?)
    }

    /// Whether index and filter blocks are in the cache and not beside it.
    pub fn cache_index_and_filter_blocks(&self) -> Option<bool> {
        flag(self.table_value("cache_index_and_filter_blocks")?)
    }

    /// Whether there is no cache at all.
    pub fn no_block_cache(&self) -> Option<bool> {
        flag(self.table_value("no_block_cache")?)
    }

    /// Whether filters are split into blocks of their own.
    pub fn partition_filters(&self) -> Option<bool> {
        flag(self.table_value("partition_filters")?)
    }

    /// The filter's name; `nullptr` is none.
    pub fn filter_policy(&self) -> Option<&'a str> {
        self.table_value("filter_policy")
    }

    /// An option of the column family as written.
    pub fn value(&self, name: &str) -> Option<&'a str> {
        self.own.value(name)
    }

    /// An option of its tables as written.
    pub fn table_value(&self, name: &str) -> Option<&'a str> {
        self.table.and_then(|(_, section)| section.value(name))
    }
}

fn bytes(text: &str) -> Option<Bytes> {
    text.parse().ok().map(Bytes::new)
}

fn flag(text: &str) -> Option<bool> {
    text.parse().ok()
}

/// What stands before a `#` that no `\` takes literally.
fn without_comment(line: &str) -> &str {
    let mut escaped = false;
    for (at, byte) in line.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'#' => return &line[..at],
            _ => {}
        }
    }
    line
}

fn unescaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        plain.push(match (c, c == '\\') {
            (_, true) => match rest.next() {
                Some('n') => '\n',
                Some('r') => '\r',
                Some(other) => other,
                None => break,
            },
            (c, false) => c,
        });
    }
    plain
}

fn title_of(title: &str) -> Title {
    let title = title.trim();
    let (kind, name) = match title.split_once(" \"") {
        Some((kind, name)) => (kind.trim(), unescaped(name.strip_suffix('"').unwrap_or(name))),
        None => (title, String::new()),
    };
    match kind {
        "Version" => Title::Version,
        "DBOptions" => Title::Database,
        "CFOptions" => Title::ColumnFamily(name),
        _ => match kind.strip_prefix("TableOptions/") {
            Some(factory) => Title::Table { factory: factory.to_owned(), family: name },
            None => Title::Other(title.to_owned()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FLINK_1_20: &[u8] = include_bytes!("../../testdata/rocksdb/flink-1.20/OPTIONS-000013");
    const FLINK_2_3: &[u8] = include_bytes!("../../testdata/rocksdb/flink-2.3/OPTIONS-000013");

    #[test]
    fn real_files_of_two_ages_tell_their_arena_blocks() {
        for (text, version, arena) in [(FLINK_1_20, "6.20.3", Bytes::mib(8)), (FLINK_2_3, "8.10.0", Bytes::mib(1))] {
            let options = read(text);
            assert_eq!(options.version(), Some(version));
            assert_eq!(options.max_open_files(), Some(-1));
            let families: Vec<_> = options.column_families().collect();
            assert!(families.len() >= 3, "{families:?}");
            for family in families {
                assert_eq!(family.arena_block_size(), Some(arena), "{}", family.name());
                assert_eq!(family.write_buffer_size(), Some(Bytes::mib(64)));
                assert_eq!(family.max_write_buffer_number(), Some(2));
                assert_eq!(family.compaction_style(), Some("kCompactionStyleLevel"));
                assert_eq!(family.table_factory(), Some("BlockBasedTable"));
                assert_eq!(family.block_size(), Some(Bytes::kib(4)));
                assert_eq!(family.cache_index_and_filter_blocks(), Some(true));
                assert_eq!((family.no_block_cache(), family.partition_filters()), (Some(false), Some(false)));
                assert_eq!(family.filter_policy(), Some("nullptr"));
            }
        }
    }

    #[test]
    fn names_and_values_are_unescaped_and_comments_are_left_out() {
        let text = b"# head\n[CFOptions \"a\\#b\\\\c\"] # why\n  prefix=x\\:y\\nz # behind\n  unknown_one={a=1;b=2;}\n  prefix=w\n\
                     [Shape \"q\"]\n  k\n";
        let options = read(text);
        let family = options.column_families().next().unwrap();
        assert_eq!((family.name(), family.value("unknown_one")), ("a#b\\c", Some("{a=1;b=2;}")));
        assert_eq!(options.sections[0].options[0].1, Stated { what: "x:y\nz".to_owned(), line: 3 });
        assert_eq!(family.value("prefix"), Some("w"));
        assert_eq!(family.table_factory(), None);
        assert_eq!(options.sections[1].title, Title::Other("Shape \"q\"".to_owned()));
    }

    #[test]
    fn a_file_that_is_cut_off_gives_what_it_holds() {
        let whole = read(FLINK_2_3);
        for end in (0..FLINK_2_3.len()).step_by(997) {
            let part = read(&FLINK_2_3[..end]);
            assert!(part.sections.len() <= whole.sections.len());
            for (cut, full) in part.sections.iter().zip(&whole.sections).take(part.sections.len().saturating_sub(1)) {
                assert_eq!(cut, full);
            }
        }
    }
}
