//! Headless clients: they log in, walk, turn, stop, talk and trade, and report what they saw.
//!
//! [`Site`] is a running server, [`Client`] one player on it, written against the published protocol with the same
//! `wire` and `motion` as the browser: system tests use it. [`run`] lets many of them loose in a [`Scenario`] and gives a
//! [`Report`]. Most of a crowd are *light*: they send like a page and read of each frame only the head, so that thousands
//! of them fit beside the server that is measured. The others *watch*: they decode and predict everything.
//!
//! The crate refuses to decide whether a report is good enough, and to speak TLS: it is for servers on this machine or
//! behind a tunnel.
//!
//! Read first: [`Client`], [`run`], `light`.

mod churn;
mod client;
mod files_limit;
mod light;
mod market;
mod mind;
mod report;
mod run;
mod scenario;
mod server_cost;
mod site;
mod table;
mod tally;
mod times;
mod watcher;

pub use client::{Client, ClientError, ConnectOptions, Event};
pub use files_limit::{TooFewFiles, allow_sockets};
pub use report::{AddError, Figures, Report};
pub use run::{BotsConfig, RunError, run};
pub use scenario::Scenario;
pub use server_cost::{ServerCost, ServerToWatch};
pub use site::{DeviceKey, Login, Site, SiteError};
pub use tally::Tally;
pub use times::Times;
