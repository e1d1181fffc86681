// What 64 people who sign in with a password at once cost everybody else: the time of other requests alone, and amid
// them, in paired rounds.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { median, newFolder, removeFolder, startServer, stopServer } from "./server.mjs";

const PEOPLE = 64;
const ROUNDS = 5;
// Other requests: some that only compute, some that read the database, a few at a time, as a planet has them.
const OTHERS = ["/api/v1/planet", "/api/v1/marketplace/terms", "/health/ready"];
const OTHERS_AT_ONCE = 4;
const ALONE_MS = 4_000;

const binary = process.argv[2];
const folder = newFolder();
const server = await startServer(binary, folder);
const password = "a rather long walk over the hills of 1997";

async function post(path, body) {
  const answer = await fetch(`${server.url}/api/v1/${path}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  return { status: answer.status, body: await answer.json().catch(() => ({})) };
}

// Quoted-printable breaks long lines.
const lettersIn = (path) =>
  readdirSync(path).map((name) => readFileSync(join(path, name), "utf8").replaceAll("=\r\n", "").replaceAll("=\n", ""));

async function registerAll() {
  const addresses = Array.from({ length: PEOPLE }, (_, number) => `person${number}@planet.example`);
  for (const email of addresses) {
    const { status, body } = await post("auth/register", { email, password });
    if (status !== 202) throw new Error(`register: ${status} ${JSON.stringify(body)}`);
  }
  const mail = join(folder, "mail");
  const tokens = new Set();
  for (let waited = 0; tokens.size < PEOPLE && waited < 600; waited++) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    try {
      for (const letter of lettersIn(mail)) {
        const token = letter.replaceAll("=3D", "=").match(/#confirm=([\w-]+)/)?.[1];
        if (token) tokens.add(token);
      }
    } catch {
      // The folder comes with the first letter.
    }
  }
  for (const token of tokens) {
    const { status, body } = await post("auth/email/confirm", { token });
    if (status >= 300) throw new Error(`confirm: ${status} ${JSON.stringify(body)}`);
  }
  return addresses;
}

// Asks again and again until told to stop; gives the milliseconds of each request.
async function askOthers(isOver) {
  const times = [];
  const one = async (offset) => {
    for (let number = offset; !isOver(); number++) {
      const began = performance.now();
      const answer = await fetch(server.url + OTHERS[number % OTHERS.length]);
      await answer.arrayBuffer();
      if (!answer.ok) throw new Error(`${answer.url}: ${answer.status}`);
      times.push(performance.now() - began);
    }
  };
  await Promise.all(Array.from({ length: OTHERS_AT_ONCE }, (_, offset) => one(offset)));
  return times.sort((a, b) => a - b);
}

const at = (times, share) => times[Math.min(times.length - 1, Math.floor(times.length * share))];

try {
  const addresses = await registerAll();
  const alone = { p50: [], p99: [] };
  const amid = { p50: [], p99: [] };
  const seconds = [];
  let busy = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const until = performance.now() + ALONE_MS;
    const quiet = await askOthers(() => performance.now() > until);
    let isOver = false;
    const others = askOthers(() => isOver);
    const began = performance.now();
    const outcomes = await Promise.all(addresses.map((email) => post("auth/password", { email, password })));
    seconds.push((performance.now() - began) / 1_000);
    isOver = true;
    busy += outcomes.filter(({ status }) => status === 503).length;
    const refused = outcomes.filter(({ status }) => status !== 200 && status !== 503);
    if (refused.length > 0) throw new Error(`login: ${JSON.stringify(refused[0])}`);
    const loud = await others;
    for (const [to, times] of [[alone, quiet], [amid, loud]]) {
      to.p50.push(at(times, 0.5));
      to.p99.push(at(times, 0.99));
    }
  }
  const show = ({ p50, p99 }) => `p50 ${median(p50).toFixed(1)} ms, p99 ${median(p99).toFixed(1)} ms`;
  console.log(`other requests alone           ${show(alone)}`);
  console.log(`amid ${PEOPLE} logins at once        ${show(amid)}`);
  console.log(`${PEOPLE} logins take                 ${median(seconds).toFixed(1)} s; ${busy} of ${PEOPLE * ROUNDS} were asked to come again`);
} finally {
  await stopServer(server);
  removeFolder(folder);
}
