//! glibc's malloc: arenas, heaps and chunks, out of the bytes of a process's memory.
