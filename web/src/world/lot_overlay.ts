/**
 * The lot grid, drawn by the terrain shader itself: lines and patterns lie on the ground whatever its level of detail.
 *
 * A small texture says what the lots near the player are. It is cut into four windows, one for each cube face that can
 * meet near a corner; a tile's place in its window travels in its matrix (see `terrain_shader.ts`).
 */
import { DataTexture, NearestFilter, RGBAFormat, UnsignedByteType } from "three";
import type { Vec3 } from "../geo/vec3.ts";
import { type CellAddress, cellAt, parseToken, shareOn, tokenOf } from "./cells.ts";

export type LotState = "mine" | "sale" | "auction" | "taken" | "free" | "unclaimable";

export interface LotView {
  readonly token: string;
  readonly state: LotState;
  /** The piece of land that it is part of: between lots of one there is no line. */
  readonly parcel?: string | undefined;
  /** Chosen, to be claimed together with others. */
  readonly isPicked?: boolean;
}

/** A lot that belongs to somebody, with the piece of land that it is part of. */
export interface OwnedLot {
  readonly cell: CellAddress;
  readonly state: LotState;
  readonly parcel: string;
}

/** Lots a side of one window; the windows lie in a square of 2×2. */
const WINDOW = 16;
const SIDE = WINDOW * 2;

/** What the red channel says; 0 is "nothing known". */
const CODE: Readonly<Record<LotState, number>> = {
  free: 40,
  taken: 80,
  mine: 120,
  sale: 160,
  auction: 200,
  unclaimable: 240,
};
const OWNED: ReadonlySet<LotState> = new Set(["mine", "sale", "auction", "taken"]);

interface Window {
  readonly face: number;
  /** The lot at the window's corner. */
  readonly i: number;
  readonly j: number;
}

export class LotOverlay {
  readonly texture: DataTexture;
  private readonly texels = new Uint8Array(SIDE * SIDE * 4);
  private lots = new Map<string, LotView>();
  private windows: readonly Window[] = [];
  private lookedAt: string | undefined;

  constructor(readonly level: number) {
    this.texture = new DataTexture(this.texels, SIDE, SIDE, RGBAFormat, UnsignedByteType);
    this.texture.minFilter = NearestFilter;
    this.texture.magFilter = NearestFilter;
    this.texture.needsUpdate = true;
  }

  setLots(lots: readonly LotView[]): void {
    this.lots = new Map(lots.map((lot) => [lot.token, lot]));
    this.write();
  }

  /** Lots that are owned, with their addresses. */
  owned(): readonly OwnedLot[] {
    return [...this.lots.values()].flatMap(({ token, state, parcel }) => {
      const cell = OWNED.has(state) ? parseToken(token) : undefined;
      return cell ? [{ cell, state, parcel: parcel ?? token }] : [];
    });
  }

  /** Highlights one lot, with all of the land that it is part of. */
  lookAt(token: string | undefined): void {
    if (token === this.lookedAt) return;
    this.lookedAt = token;
    this.write();
  }

  /** Lays the windows round a place when it has come near an edge of its window. */
  moveTo(p: Vec3): void {
    const here = cellAt(p, this.level);
    const main = this.windows[0];
    const margin = WINDOW / 4;
    const isInside =
      main?.face === here.face &&
      here.i >= main.i + margin &&
      here.i < main.i + WINDOW - margin &&
      here.j >= main.j + margin &&
      here.j < main.j + WINDOW - margin;
    if (isInside) return;
    const lots = 2 ** this.level;
    const others = [0, 1, 2, 3, 4, 5].flatMap((face) => {
      if (face === here.face) return [];
      const share = shareOn(face, p);
      if (!share) return [];
      // How far past the face's edge the place lies; a window is laid only where it could reach.
      const past = Math.max(...share.map((x) => Math.max(0, x - 1, -x))) * lots;
      return past < WINDOW ? [{ face, share, past }] : [];
    });
    const corner = (share: number) => Math.round(share * lots) - WINDOW / 2;
    this.windows = [
      { face: here.face, i: here.i - WINDOW / 2, j: here.j - WINDOW / 2 },
      ...others
        .sort((a, b) => a.past - b.past)
        .slice(0, 3)
        .map(({ face, share }) => ({ face, i: corner(share[0]), j: corner(share[1]) })),
    ];
    this.write();
  }

  /** Where a tile lies in the texture, in lots: its corner and its edge; undefined where no lots are drawn. */
  placeOf(cell: CellAddress): readonly [number, number, number] | undefined {
    const index = this.windows.findIndex((window) => window.face === cell.face);
    const window = this.windows[index];
    if (!window) return undefined;
    const edge = 2 ** (this.level - cell.level);
    const i = cell.i * edge - window.i;
    const j = cell.j * edge - window.j;
    if (edge > WINDOW || i + edge < 0 || j + edge < 0 || i > WINDOW || j > WINDOW) return undefined;
    return [i + (index % 2) * WINDOW, j + (index >> 1) * WINDOW, edge];
  }

  dispose(): void {
    this.texture.dispose();
  }

  private write(): void {
    this.texels.fill(0);
    const seen = this.lookedAt === undefined ? undefined : this.lots.get(this.lookedAt)?.parcel;
    for (const { token, state, parcel, isPicked } of this.lots.values()) {
      this.put(token, 0, CODE[state]);
      if (isPicked) this.put(token, 2, 255);
      if (parcel === undefined) continue;
      this.put(token, 3, colouring(parcel));
      if (parcel === seen) this.put(token, 1, 255);
    }
    if (this.lookedAt !== undefined) this.put(this.lookedAt, 1, 255);
    this.texture.needsUpdate = true;
  }

  private put(token: string, channel: number, value: number): void {
    const cell = parseToken(token);
    if (!cell || cell.level !== this.level) return;
    const index = this.windows.findIndex((window) => window.face === cell.face);
    const window = this.windows[index];
    if (!window) return;
    const i = cell.i - window.i;
    const j = cell.j - window.j;
    if (i < 0 || j < 0 || i >= WINDOW || j >= WINDOW) return;
    const column = i + (index % 2) * WINDOW;
    const row = j + (index >> 1) * WINDOW;
    this.texels[(row * SIDE + column) * 4 + channel] = value;
  }
}

/** A number from 1 to 255 for a piece of land; two that meet have the same once in 255 times. */
function colouring(parcel: string): number {
  let hash = 0;
  for (const letter of parcel) hash = (Math.imul(hash, 31) + letter.charCodeAt(0)) >>> 0;
  return (hash % 255) + 1;
}

/** The token of the lot under a point. */
export function lotTokenAt(p: Vec3, level: number): string {
  return tokenOf(cellAt(p, level));
}

/** For the terrain's fragment shader: paints lines and patterns over the light of the ground. */
export const LOT_GLSL = /* glsl */ `
uniform sampler2D uLots;
/** Metres along a lot's edge, and whether lots are shown at all (0 to 1). */
uniform vec2 uLotScale;
/** Where the player stands, seen from the eye. */
uniform vec3 uPlayer;

/** Metres to a side of the lot; far away where the land goes on beyond it. */
float sideM(float share, vec2 step, vec2 lot, float parcel) {
  vec2 texel = floor(lot);
  vec2 beyond = mod(texel, 16.0) + step;
  bool isInWindow = all(greaterThanEqual(beyond, vec2(0.0))) && all(lessThan(beyond, vec2(16.0)));
  bool goesOn = parcel > 0.5 && isInWindow && abs(texelFetch(uLots, ivec2(texel + step), 0).a * 255.0 - parcel) < 0.5;
  return goesOn ? 1e3 : share * uLotScale.x;
}

vec3 lotsOver(vec3 light, vec3 lot, vec3 lamp, vec3 seen) {
  float distanceM = length(seen);
  float near = uLotScale.y * (1.0 - smoothstep(70.0, 120.0, length(seen - uPlayer)));
  // Beyond the window there is nothing to read.
  if (lot.z <= 0.0 || near <= 0.0 || any(lessThan(lot.xy, vec2(0.0)))) return light;
  vec4 here = texelFetch(uLots, ivec2(floor(lot.xy)), 0) * 255.0;
  if (here.r < 20.0 && here.g < 128.0) return light;
  bool isFree = abs(here.r - 40.0) < 20.0;
  bool isTaken = abs(here.r - 80.0) < 20.0;
  bool isMine = abs(here.r - 120.0) < 20.0;
  bool isForSale = abs(here.r - 160.0) < 20.0;
  bool isAtAuction = abs(here.r - 200.0) < 20.0;
  bool isOwned = isTaken || isMine || isForSale || isAtAuction;
  bool isLookedAt = here.g > 128.0;
  bool isPicked = here.b > 128.0;

  vec2 within = fract(lot.xy);
  vec2 x = vec2(sideM(within.x, vec2(-1.0, 0.0), lot.xy, here.a), sideM(1.0 - within.x, vec2(1.0, 0.0), lot.xy, here.a));
  vec2 y = vec2(sideM(within.y, vec2(0.0, -1.0), lot.xy, here.a), sideM(1.0 - within.y, vec2(0.0, 1.0), lot.xy, here.a));
  float edgeX = min(x.x, x.y);
  float edgeY = min(y.x, y.y);
  float edge = min(edgeX, edgeY);
  float along = (edgeX < edgeY ? within.y : within.x) * uLotScale.x;
  float soft = max(0.02, distanceM * 0.0012);

  vec3 tone = isMine ? vec3(1.0, 0.62, 0.10)
    : isTaken ? vec3(0.16, 0.42, 0.95)
    : isForSale ? vec3(0.10, 0.78, 0.30)
    : isAtAuction ? vec3(0.70, 0.26, 0.92)
    : isFree ? vec3(0.92, 0.95, 0.88) : vec3(0.5);
  // Free: dashes. Taken: one line and hatching. Mine: two lines and dots. For sale: bars. At auction: a lattice.
  // Each reads without its colour.
  float line = 1.0 - smoothstep(0.13, 0.13 + soft, edge - 0.08);
  if (isFree) line *= smoothstep(-soft, soft, abs(fract(along / 2.2) - 0.5) * 2.2 - 0.45) * 0.75;
  if (!isFree && !isOwned) line *= 0.25;
  if (isMine) line = max(line, (1.0 - smoothstep(0.07, 0.07 + soft, abs(edge - 0.62))));
  float fill = 0.0;
  vec2 field = within * uLotScale.x;
  float rim = 1.0 - smoothstep(2.4, 3.6, edge);
  float rising = abs(fract((field.x + field.y) / 3.2) - 0.5) * 3.2;
  float falling = abs(fract((field.x - field.y) / 3.2) - 0.5) * 3.2;
  float bars = abs(fract(field.y / 1.6) - 0.5) * 1.6;
  if (isTaken) fill = (1.0 - smoothstep(0.10, 0.10 + soft, rising)) * 0.30 * rim;
  if (isMine) fill = (1.0 - smoothstep(0.16, 0.16 + soft, length(fract(field / 1.8) - 0.5) * 1.8)) * 0.45 * rim;
  if (isForSale) fill = (1.0 - smoothstep(0.14, 0.14 + soft, bars)) * 0.42 * rim;
  if (isAtAuction) fill = (1.0 - smoothstep(0.08, 0.08 + soft, min(rising, falling))) * 0.42 * rim;
  if (isPicked) {
    tone = vec3(1.0, 0.93, 0.55);
    line = max(line, 1.0 - smoothstep(0.3, 0.3 + soft, edge));
    fill = max(fill, 0.34 * step(0.5, fract((field.x + field.y) / 4.0)) + 0.10);
  }
  if (isLookedAt) {
    line = max(line, 1.0 - smoothstep(0.34, 0.34 + soft, edge));
    fill = max(fill, 0.05 + 0.20 * (1.0 - smoothstep(0.3, 2.2, edge)));
    if (!isOwned) tone = mix(tone, vec3(1.0, 0.95, 0.72), 0.5);
  }
  float cover = max(line * 0.92, fill) * near;
  return mix(light, tone * (lamp * 0.55 + 0.12), cover);
}
`;
