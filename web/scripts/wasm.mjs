// Builds crates/browser for the browser and puts the module where the client imports it. With --checks it builds the one
// for tests instead, which holds the global stage as well: target/wasm32-wasip1/browser/browser_checks.wasm.
import { spawnSync } from "node:child_process";
import { copyFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const web = join(dirname(fileURLToPath(import.meta.url)), "..");
const root = join(web, "..");
const target = process.env["CARGO_TARGET_DIR"] ?? join(root, "target");
const module = join(target, "wasm32-wasip1", "browser", "browser.wasm");

/** Builds the module with some features and copies it. */
function build(features, destination) {
  const cargo = spawnSync(
    "cargo",
    [
      ...["build", "--locked", "--quiet", "-p", "browser", "--target", "wasm32-wasip1"],
      ...["--profile", "browser", "--features", features],
    ],
    { cwd: root, stdio: "inherit" },
  );
  if (cargo.error) {
    console.error(
      `Could not run cargo (${cargo.error.message}). Install Rust with the target wasm32-wasip1.`,
    );
    process.exit(1);
  }
  if (cargo.status !== 0) {
    console.error("The WebAssembly build failed; cargo's message above says where.");
    process.exit(1);
  }
  copyFileSync(module, destination);
  console.log(`${destination}: ${(statSync(destination).size / 1024).toFixed(0)} KiB`);
}

if (process.argv.includes("--checks")) build("checks", join(dirname(module), "browser_checks.wasm"));
else build("", join(web, "src", "core", "terrane.wasm"));
