//! Turns `proto/terrane.proto` into Rust, without a `protoc` on the machine.

fn main() {
    println!("cargo:rerun-if-changed=proto/terrane.proto");
    let files = protox::compile(["proto/terrane.proto"], ["proto"]).expect("the schema is valid");
    prost_build::Config::new().compile_fds(files).expect("the build folder can be written");
}
