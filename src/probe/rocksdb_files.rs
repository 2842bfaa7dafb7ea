//! Reads the directories in which a process keeps RocksDB databases.
