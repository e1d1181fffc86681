//! Noise in space: the one source of irregularity, over many places at once.
//!
//! [`Fbm`] is a ladder of octaves of gradient noise; it takes [`Positions`], one array per axis, and gives one `f32`
//! per place. The same plain Rust is compiled once for every instruction set that the machine may have and chosen at
//! run time ([`InstructionSet`]). The bits are the same on all of them, in WebAssembly, and for one place alone: only
//! `+ - * sqrt`, integers and comparisons, in a fixed order, never fused.
//!
//! Read first: [`Fbm`], [`Positions`].
//!
//! Nothing here knows metres, planets or levels of detail.

// What is not inlined into the variants of an instruction set is not compiled for it.
#![allow(clippy::inline_always)]

mod fbm;
mod instruction_set;
mod lattice;
mod positions;
#[cfg(test)]
mod tests;

pub use fbm::{Crest, Fbm, OCTAVES_MAX};
pub use instruction_set::{InstructionSet, Task};
pub use positions::Positions;
