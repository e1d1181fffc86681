// A server and bots on one machine: `node bench/crowd.mjs BINARY BARE [RUN…]`.
//
// A run is SCENARIO:CLIENTS@SENDS, for example `crowd:2000@10`; a number alone is that many strollers. In the same
// minute the same machine sends as many bytes as often without a server around it (`BARE`, crates/bots/examples/
// bare_sends.rs): how much of its rate the server reaches says more than either rate.
import { CROWDED, newFolder, output, removeFolder, runBots, startServer, stopServer } from "./server.mjs";

const SECONDS = process.env.SECONDS ?? "30";
const BARE_SECONDS = "10";
const INPUT_HZ = process.env.INPUT_HZ ?? "6";
const [binary, bare, ...runs] = process.argv.slice(2);

let worst = 0;
for (const run of runs) {
  const [, scenario = "stroll", count, hz = "10"] = run.match(/^(?:(\w+):)?(\d+)(?:@(\d+))?$/) ?? [];
  if (!count) throw new Error(`not a run: ${run}`);
  console.log(`--- ${scenario}, ${count} clients, ${hz} sends a second asked for`);
  const folder = newFolder();
  const tick_hz = String([30, 20, 60].find((tick) => tick % Number(hz) === 0));
  const server = await startServer(binary, folder, { ...CROWDED, TERRANE_ZONE_TICK_HZ: tick_hz, TERRANE_ZONE_SEND_HZ: hz });
  const words = [scenario, "--count", count, "--seconds", SECONDS, "--seed", "1", "--input-hz", INPUT_HZ, "--logins", "64"];
  const { code, report } = await runBots(binary, server, words);
  await stopServer(server);
  removeFolder(folder);
  worst = Math.max(worst, code ?? 1);
  if (!report?.connected) continue;
  const reached = report.frames_per_s * report.connected;
  const bytes = Math.max(64, Math.round(report.bytes_per_s / Math.max(report.frames_per_s, 1)));
  const { text } = await output(bare, [count, String(bytes), BARE_SECONDS]);
  const { messages_per_s, cpu_us_per_message } = JSON.parse(text);
  console.log(`reached                     ${reached.toFixed(0)} frames a second of ${bytes} B, ${(100 * report.frames_per_s / Number(hz)).toFixed(1)} % of what was asked for`);
  console.log(`bare sends, as many bytes   ${messages_per_s} a second, ${cpu_us_per_message} µs of CPU each; reached / bare ${(reached / messages_per_s).toFixed(2)}`);
  console.log(`exit code                   ${code}\n`);
}
process.exit(worst);
