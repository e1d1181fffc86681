//! One body, moved by the rules of crate `motion`.
