// Players of the room who say where they want to go and read nothing but the length of what they get:
// `node reader.mjs PORT CLIENTS INPUT_HZ`. Says how many messages and bytes came each time a line comes in.
import { createInterface } from "node:readline";
import { pack } from "msgpackr";
import WebSocket from "ws";

const [port, clients, inputHz] = process.argv.slice(2).map(Number);
const AT_ONCE = 32;
const JOIN_ROOM = 10;
const ROOM_DATA = 13;
const ROOM_STATE_PATCH = 15;
const TURN_MS = 10;

const sockets = [];

let messages = 0;
let bytes = 0;

async function join() {
  const answer = await fetch(`http://127.0.0.1:${port}/matchmake/joinOrCreate/crowd`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: "{}",
  });
  const seat = await answer.json();
  if (!answer.ok) throw new Error(JSON.stringify(seat));
  const { roomId, processId, sessionId } = seat.room ? { ...seat.room, sessionId: seat.sessionId } : seat;
  await new Promise((resolve, reject) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/${processId}/${roomId}?sessionId=${sessionId}`, { perMessageDeflate: false });
    sockets.push(socket);
    socket.on("message", (data) => {
      if (data[0] === JOIN_ROOM) {
        socket.send(Buffer.from([JOIN_ROOM]));
        resolve();
      } else if (data[0] === ROOM_STATE_PATCH) {
        messages += 1;
        bytes += data.length;
      }
    });
    socket.on("error", reject);
    socket.on("close", (code) => reject(new Error(`closed with ${code}`)));
  });
}

// The first makes the room.
await join();
let waiting = clients - 1;
const joiner = async () => {
  while (waiting-- > 0) await join();
};
await Promise.all(Array.from({ length: AT_ONCE }, joiner));
console.log(JSON.stringify({ joined: clients }));

// The message 0 of the room. Everybody in turn, evenly over the time.
const input = Buffer.concat([Buffer.from([ROOM_DATA, 0]), pack([17, 0.6, -0.3, 0.7])]);
const began = performance.now();
let sent = 0;
setInterval(() => {
  const due = ((performance.now() - began) / 1000) * inputHz * clients;
  for (; sent < due; sent++) sockets[sent % clients].send(input);
}, TURN_MS);
createInterface({ input: process.stdin }).on("line", () => console.log(JSON.stringify({ messages, bytes })));
