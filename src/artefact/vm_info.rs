//! HotSpot's `VM.info`: where the heap, the archive, the class space and the code lie.
