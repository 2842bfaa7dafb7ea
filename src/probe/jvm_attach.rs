//! HotSpot's attach protocol, by its socket.
