import type { BodyExports } from "./body.ts";
import type { PlanetExports } from "./planet.ts";
import type { SkyExports } from "./sky.ts";
import type { StreamExports } from "./stream.ts";

/** All that the page calls; the workers of `world/` have their own part. */
export type PageExports = PlanetExports &
  BodyExports &
  StreamExports &
  SkyExports & {
    /** The fingerprint to put into the `Hello`. */
    readonly protocol_hash: () => bigint;
  };
