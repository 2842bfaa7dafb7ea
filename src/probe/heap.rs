//! Walks the chunks of glibc's malloc in a live process, without stopping it.
