//! What the browser runs of the server's own Rust: terrain, movement and stream decoding.
//!
//! Built for `wasm32-wasip1` as a reactor with plain C functions; one instance per thread. The rules of the
//! boundary:
//!
//! - Numbers go by value. A planet, a body or a stream is a handle: the address of what `…_new` made.
//! - Longer data goes through memory that the caller takes with [`alloc`] and gives back with [`dealloc`];
//!   vectors are three `f64`.
//! - A cell is its S2 id as `u64`, 0 for "none". Ids and levels that are not valid are answered with 0, never
//!   with a panic: a panic ends the instance.
//!
//! Nothing is decided here; each function hands over to an inner crate.

// This crate is the boundary to JavaScript: exported symbols and raw addresses are what it is made of.
#![allow(unsafe_code)]

pub mod body;
pub mod cells;
mod growth;
mod mesh;
pub mod planet;
pub mod plants;
mod river_mask;
mod shore;
pub mod stream;
mod surface;
pub mod tile;
mod tracks;
pub mod weather;

use std::alloc::Layout;

/// Enough for every array that crosses the boundary.
const ALIGNMENT_BYTES: usize = 16;

/// Memory of `bytes` bytes for the caller, aligned to 16. Zero bytes are answered with an address not to be used.
#[unsafe(no_mangle)]
pub extern "C" fn alloc(bytes: usize) -> *mut u8 {
    let Ok(layout) = Layout::from_size_align(bytes, ALIGNMENT_BYTES) else { return std::ptr::null_mut() };
    if bytes == 0 {
        return std::ptr::without_provenance_mut(ALIGNMENT_BYTES);
    }
    // SAFETY: the layout has a size above zero.
    let address = unsafe { std::alloc::alloc(layout) };
    if address.is_null() {
        std::alloc::handle_alloc_error(layout);
    }
    address
}

/// Gives back what [`alloc`] gave.
///
/// # Safety
/// `address` came from `alloc(bytes)` and is not used afterwards.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dealloc(address: *mut u8, bytes: usize) {
    if bytes == 0 {
        return;
    }
    let layout = Layout::from_size_align(bytes, ALIGNMENT_BYTES).expect("alloc has made this layout");
    // SAFETY: the caller's promise above.
    unsafe { std::alloc::dealloc(address, layout) }
}

/// Writes values where the caller wants them.
///
/// # Safety
/// `out` has room for all of `values` and is aligned for them.
unsafe fn write_values<T: Copy>(out: *mut T, values: &[T]) {
    // SAFETY: the caller's promise above; memory handed in by JavaScript does not overlap ours.
    unsafe { std::ptr::copy_nonoverlapping(values.as_ptr(), out, values.len()) }
}
