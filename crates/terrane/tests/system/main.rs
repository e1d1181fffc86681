//! The whole system, from outside: the real binary as a process, real sockets, real files.
//!
//! One file holds one behaviour. They share one test binary, because linking is what takes long.
#![allow(clippy::unwrap_used, reason = "everything here is a test: a panic is how it fails")]

mod accounts;
mod bad_property;
mod canaries;
mod claims;
mod commands;
mod crash;
mod crowd;
mod crowd_border;
mod crowd_crash;
mod crowd_panic;
mod decisions;
mod encryption;
mod fences;
mod forgetting;
mod hostile_frames;
mod interface;
mod meeting;
mod permissions;
mod planet_commands;
mod preparation;
mod resume;
mod shared_database;
mod shutdown;
mod slow_reader;
mod startup;
mod support;
mod tokens;
mod trade;
mod trade_crash;
mod webtransport;
mod zone_replay;
