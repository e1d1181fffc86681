//! How often somebody may ask: token buckets by account and address.
//!
//! A [`Limit`] is a thing that is counted, a [`Policy`] how often it may happen (configuration), a [`Buckets`] where
//! the counts are: in this process, or, for several nodes, wherever all of them can see. [`Limiter::take`] asks for one
//! more and gives a 429 problem with `Retry-After` if there is none.
//!
//! It decides nothing by who somebody is and remembers no address or name: only a keyed hash of each key.
//!
//! Read first: [`Limiter::take`], [`Limit`], [`InProcess`].

mod buckets;
mod fields;
mod in_process;
mod limit;
mod limiter;
mod policy;

pub use buckets::{Buckets, Level, Taking};
pub use fields::{RATE_LIMIT, RATE_LIMIT_POLICY, add_fields};
pub use in_process::{InProcess, KEYS_MAX};
pub use limit::Limit;
pub use limiter::{Limiter, QUOTA_EXCEEDED, Taken};
pub use policy::{Policies, Policy};
