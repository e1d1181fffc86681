//! The planet server: one binary, all roles
fn main() {}
