//! Builds anew when the client was built anew: the embedding macro alone would miss a file that is new.

fn main() {
    println!("cargo::rerun-if-changed=../../web/dist");
}
