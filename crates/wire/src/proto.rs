//! The control messages, generated from `proto/terrane.proto`.

#![allow(missing_docs, clippy::pedantic)]

include!(concat!(env!("OUT_DIR"), "/terrane.v1.rs"));
