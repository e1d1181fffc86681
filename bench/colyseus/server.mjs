// A Colyseus room as its documentation builds one: every player a body in the state, each client a view of some of them.
// `node server.mjs CLIENTS SEEN MOVING SECONDS`: says where it listens, waits for everybody, moves the bodies and sends
// one patch every 100 ms, and says what that cost: one line of JSON each.
import { Room, Server } from "@colyseus/core";
import { schema, StateView, t } from "@colyseus/schema";
import { WebSocketTransport } from "@colyseus/ws-transport";

const [clients, seen, moving, seconds] = process.argv.slice(2).map(Number);
const PATCH_MS = 100;
const SETTLE_PATCHES = 30;

const Body = schema({ x: t.float32(), y: t.float32(), z: t.float32(), facing: t.uint8() }, "Body");
const State = schema({ bodies: t.map(Body).view() }, "State");

// The same chance for every run.
let chance = 1;
function random() {
  chance = (Math.imul(chance, 1_664_525) + 1_013_904_223) >>> 0;
  return chance / 2 ** 32;
}

class Crowd extends Room {
  onCreate() {
    this.maxClients = clients;
    this.setState(new State());
    this.bodies = [];
    this.patches = 0;
    // Patches are sent by hand, right after the bodies have moved.
    this.patchRate = null;
    this.setSimulationInterval(() => this.turn(), PATCH_MS);
    this.onMessage(0, (client, [keys, ...look]) => Object.assign(client.userData, { keys, look }));
  }

  onJoin(client) {
    client.view = new StateView();
    client.userData = {};
    const body = new Body();
    Object.assign(body, { x: random() * 100, y: random() * 5, z: random() * 100, facing: 0 });
    this.state.bodies.set(client.sessionId, body);
    this.bodies.push(body);
    if (this.bodies.length === clients) this.show();
  }

  // Everybody sees as many others for the whole run; finding out whom costs this room nothing.
  show() {
    this.clients.forEach((client, index) => {
      for (let step = 0; step < seen; step++) client.view.add(this.bodies[(index + step) % clients]);
    });
  }

  turn() {
    if (this.bodies.length === clients) {
      for (const body of this.bodies) {
        if (random() > moving) continue;
        body.x += random() - 0.5;
        body.z += random() - 0.5;
        body.y += random() * 0.1 - 0.05;
        body.facing = Math.floor(random() * 256);
      }
      this.patches += 1;
      if (this.patches === SETTLE_PATCHES) {
        this.began = { cpu: process.cpuUsage(), at: performance.now() };
        console.log(JSON.stringify({ began: true }));
      } else if (this.began && performance.now() - this.began.at >= seconds * 1000) {
        this.end();
      }
    }
    this.broadcastPatch();
  }

  end() {
    const { user, system } = process.cpuUsage(this.began.cpu);
    const patches = this.patches - SETTLE_PATCHES;
    const elapsed_s = (performance.now() - this.began.at) / 1000;
    this.began = undefined;
    console.log(JSON.stringify({ ended: true, cpu_us: user + system, patches, elapsed_s }));
  }
}

const transport = new WebSocketTransport({ maxPayload: 1 << 16 });
const server = new Server({ transport, greet: false, gracefullyShutdown: false });
server.define("crowd", Crowd);
await server.listen(0, "127.0.0.1");
console.log(JSON.stringify({ port: transport.server.address().port }));
