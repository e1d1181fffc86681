//! What the browser runs of our Rust: terrain, movement, stream decoding
