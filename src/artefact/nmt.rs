//! HotSpot's native memory tracking, as `VM.native_memory` prints it.
