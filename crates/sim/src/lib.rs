//! The authoritative zone, one tick at a time: bodies, interest, cell streams
