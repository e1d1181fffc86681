/** The server's time as something that pages may show and that moves on by itself. */
import { serverTime } from "../net/asking.ts";

/** Relative times are told in minutes at best. */
const TICK_MS = 15_000;

let ticks = $state(0);
setInterval(() => {
  ticks += 1;
}, TICK_MS);

/** Server time now; whoever shows it is drawn again now and then. */
export function now(): number {
  void ticks;
  return serverTime.at(Date.now());
}

/** Server time now, without being told of later. */
export const nowOnce = (): number => serverTime.at(Date.now());
