// A thousand join within five seconds while three hundred never read; twenty who were there first watch:
// `node bench/storm.mjs BINARY STORM [JOINS] [DEAF]` (crates/bots/examples/storm.rs).
import { spawn } from "node:child_process";
import { CROWDED, costOf, newFolder, removeFolder, startServer, stopServer } from "./server.mjs";

const [binary, storm, joins = "1000", deaf = "300"] = process.argv.slice(2);
const folder = newFolder();
const server = await startServer(binary, folder, CROWDED);
const child = spawn(storm, [server.url, joins, deaf], { stdio: ["ignore", "inherit", "inherit"] });
const code = await new Promise((resolve) => child.on("exit", resolve));
console.log(`server memory, peak  ${costOf(server.child.pid).peak_mib.toFixed(0)} MiB`);
await stopServer(server);
removeFolder(folder);
process.exit(code ?? 1);
