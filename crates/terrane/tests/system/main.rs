//! The whole system, from outside: the real binary as a process, real sockets, real files.
//!
//! One file holds one behaviour. They share one test binary, because linking is what takes long.

mod claims;
mod commands;
mod crash;
mod hostile_frames;
mod interface;
mod meeting;
mod resume;
mod shutdown;
mod slow_reader;
mod startup;
mod support;
mod tokens;
