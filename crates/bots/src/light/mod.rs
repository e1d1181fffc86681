//! Clients that cost next to nothing: thousands of them share one thread and one buffer.
//!
//! A light client enters like any other and sends inputs like any other. Of what it receives it reads the head of each
//! frame (its own body, the tick) and leaves the rest. It predicts nothing.

mod enter;
mod frames;
mod reactor;
#[cfg(test)]
mod tests;

pub(crate) use enter::enter;
pub(crate) use reactor::{LightSettings, Lights};
