//! Decoding of the realtime stream.
