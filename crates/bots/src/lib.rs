//! Headless clients: they log in, walk, turn, stop and talk, and report what they saw.
//!
//! [`Site`] is a running server, [`Client`] one player on it, written against the published protocol with the same
//! `wire` and `motion` as the browser: system tests use it. [`run`] lets many of them loose and gives a [`Report`].
//!
//! The crate refuses to decide whether a report is good enough, and to speak TLS: it is for servers on this machine or
//! behind a tunnel.
//!
//! Read first: [`Client`], [`run`].

mod client;
mod report;
mod run;
mod site;
mod walker;

pub use client::{Client, ClientError, ConnectOptions, Event};
pub use report::Report;
pub use run::{BotsConfig, run};
pub use site::{DeviceKey, Login, Site, SiteError};
