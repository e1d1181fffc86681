// People come and go for a long time: `node bench/soak.mjs BINARY [SECONDS] [BOTS]`. Memory must stay flat, and what the
// zones wrote down must replay to the state they were in.
import { CROWDED, costOf, newFolder, output, removeFolder, runBots, startServer, stopServer } from "./server.mjs";

const [binary, seconds = "1800", bots = "300"] = process.argv.slice(2);
const SAMPLES = 120;
// Between the second and the last quarter of the time.
const GROWTH_MAX = 1.05;

const folder = newFolder();
const server = await startServer(binary, folder, CROWDED);
const samples = [];
const sampling = setInterval(() => samples.push(costOf(server.child.pid).now_mib), (Number(seconds) * 1000) / SAMPLES);
const { code, report } = await runBots(binary, server, ["churn", "--count", bots, "--seconds", seconds, "--seed", "1"]);
clearInterval(sampling);
const { peak_mib } = costOf(server.child.pid);
await stopServer(server);

const mean = (values) => values.reduce((a, b) => a + b, 0) / Math.max(values.length, 1);
const quarter = samples.length >> 2;
const second = mean(samples.slice(quarter, 2 * quarter));
const last = mean(samples.slice(-quarter));
const shown = samples.filter((_, at) => at % Math.max(1, samples.length >> 4) === 0);
console.log(`memory in MiB, over the time  ${shown.map((mib) => mib.toFixed(0)).join(" ")}; peak ${peak_mib.toFixed(0)}`);
console.log(`second quarter to last        ${second.toFixed(1)} to ${last.toFixed(1)} MiB, ${(last / second).toFixed(3)} x (at most ${GROWTH_MAX})`);
console.log(`resumed in the same body      ${report?.sums.resumed} of ${report?.sums.lost} connections lost`);

const replay = await output(binary, ["zone", "replay", "--data", folder]);
console.log(replay.text.trim());
console.log(`replay                        ${replay.code === 0 ? "reproduces the state" : `exit code ${replay.code}`}`);
removeFolder(folder);
process.exit(code === 0 && replay.code === 0 && last <= second * GROWTH_MAX ? 0 : 1);
