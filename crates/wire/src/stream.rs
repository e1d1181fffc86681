//! The stream of one cell.

/// Version of the stream format; part of the protocol hash.
pub const STREAM_VERSION: u32 = 1;
