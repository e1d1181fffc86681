/** Which shape stands for a plant at a distance, if any: the whole decision in one place, without a screen. */
import type { PlantLayer } from "./messages.ts";

/** Within these distances of the player, in metres, the three layers of plants are drawn. */
export interface PlantReach {
  readonly treesM: number;
  readonly grassM: number;
  /** Woods far away; 0 for none. */
  readonly canopyM: number;
}

export interface PlantChoice {
  readonly shape: "near" | "far";
  /** Where it has grown from nothing: 0 for what is full right away. */
  readonly fromM: number;
  /** Where it has shrunk to nothing. */
  readonly toM: number;
}

/** Nearer than this trees have their full shape. */
const NEAR_M = 85;
/** Shapes grow and shrink over the last part of their reach (see `PLANT_SHAPE`). */
export const FADE_SHARE = 0.86;

/**
 * The shape of a plant `awayM` from the player; undefined if it is not drawn. `slackM` is how far the player may walk
 * before the question is asked again.
 */
export function choosePlant(
  layer: PlantLayer,
  hasFarShape: boolean,
  awayM: number,
  reach: PlantReach,
  slackM: number,
): PlantChoice | undefined {
  switch (layer) {
    case "grass":
      return awayM > reach.grassM + slackM ? undefined : { shape: "near", fromM: 0, toM: reach.grassM };
    case "trees": {
      if (awayM > reach.treesM + slackM) return undefined;
      const shape = awayM > NEAR_M && hasFarShape ? "far" : "near";
      // Bushes and stones without a far shape are too small to be seen from the end of the wood.
      return { shape, fromM: 0, toM: hasFarShape ? reach.treesM : reach.treesM * 0.6 };
    }
    case "canopy": {
      const isHere = awayM > reach.treesM * FADE_SHARE - slackM && awayM < reach.canopyM + slackM;
      return isHere && hasFarShape ? { shape: "far", fromM: reach.treesM, toM: reach.canopyM } : undefined;
    }
  }
}
