// Writes src/gen from the contracts the server publishes: the protobuf messages and the OpenAPI document.
// With --check nothing is written: it fails when the committed files differ from what would be.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const web = join(dirname(fileURLToPath(import.meta.url)), "..");
const root = join(web, "..");
const bin = (name) => join(web, "node_modules", ".bin", name);
const isCheck = process.argv.includes("--check");
const committed = join(web, "src", "gen");
const out = isCheck ? mkdtempSync(join(tmpdir(), "terrane-gen-")) : committed;

function run(command, args) {
  const done = spawnSync(command, args, { cwd: web, stdio: ["ignore", "inherit", "inherit"] });
  if (done.error || done.status !== 0) {
    console.error(
      `${args[0] ?? ""} failed${done.error ? `: ${done.error.message}` : ""}. Have you run npm ci in web/?`,
    );
    process.exit(1);
  }
}

mkdirSync(out, { recursive: true });
const template = JSON.stringify({
  version: "v2",
  plugins: [{ local: bin("protoc-gen-es"), out, opt: ["target=ts"] }],
});
run(bin("buf"), ["generate", join(root, "crates", "wire", "proto"), "--template", template]);
const openapi = join(root, "docs", "openapi.json");
if (existsSync(openapi)) {
  run(bin("openapi-typescript"), [openapi, "--output", join(out, "openapi.ts")]);
}

if (isCheck) {
  const names = new Set([...readdirSync(out), ...readdirSync(committed)]);
  const read = (folder, name) =>
    existsSync(join(folder, name)) ? readFileSync(join(folder, name), "utf8") : "";
  const stale = [...names].filter((name) => read(out, name) !== read(committed, name));
  rmSync(out, { recursive: true });
  if (stale.length > 0) {
    console.error(`src/gen is stale (${stale.join(", ")}): run npm run gen and commit the result.`);
    process.exit(1);
  }
}
