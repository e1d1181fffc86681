/** A still picture of a piece of land: tiles of the map below, its outline above. Knows no browser. */
import { latLngOf } from "../geo/lat_lng.ts";
import { type CellAddress, directionIn, parseToken } from "../world/cells.ts";
import { cornerDirection, outlineOf, ringsOf } from "../world/outline.ts";

/** The deepest zoom that the tiles have; nearer, they are drawn larger. */
const ZOOM_MAX = 14;
const TILE_PX = 256;
/** A parcel takes up so much of the shorter side. */
const SHARE = 0.5;
/** Nearer than this one sees only the dots of the tiles. */
const SCALE_MAX = 6;

export interface PictureTile {
  readonly z: number;
  readonly x: number;
  readonly y: number;
  /** Where its corner lies in the picture, and how large it is, in pixels. */
  readonly left: number;
  readonly top: number;
  readonly size: number;
}

export interface PictureCell {
  readonly token: string;
  /** Corners as `x,y` pairs for an SVG polygon. */
  readonly points: string;
  readonly center: readonly [number, number];
}

export interface LandPicture {
  readonly width: number;
  readonly height: number;
  readonly tiles: readonly PictureTile[];
  readonly cells: readonly PictureCell[];
  /** The edge of all cells as an SVG path. */
  readonly outline: string;
}

type Point = readonly [x: number, y: number];

/** Web Mercator, as shares of the whole map: 0 to 1 eastward and southward. */
export function mercator(latitude_deg: number, longitude_deg: number): Point {
  const sine = Math.sin((Math.max(-85.0511, Math.min(85.0511, latitude_deg)) * Math.PI) / 180);
  return [longitude_deg / 360 + 0.5, 0.5 - Math.log((1 + sine) / (1 - sine)) / (4 * Math.PI)];
}

/** Lays a picture of `width`×`height` round some cells; undefined where no token names a cell. */
export function pictureOf(tokens: readonly string[], width: number, height: number): LandPicture | undefined {
  const cells = tokens.flatMap((token) => {
    const address = parseToken(token);
    return address ? [{ token, address }] : [];
  });
  const first = cells[0];
  if (!first) return undefined;
  const start = mercatorOf(directionIn(first.address, 0.5, 0.5));
  // Near the first cell, so that land on the antimeridian stays in one piece.
  const near = ([x, y]: Point): Point => [x - Math.round(x - start[0]), y];
  const cornersOf = (address: CellAddress): Point[] =>
    (
      [
        [0, 0],
        [1, 0],
        [1, 1],
        [0, 1],
      ] as const
    ).map(([i, j]) => near(mercatorOf(directionIn(address, i, j))));
  const corners = cells.map(({ address }) => cornersOf(address));
  const all = corners.flat();
  const xs = all.map(([x]) => x);
  const ys = all.map(([, y]) => y);
  const [west, east] = [Math.min(...xs), Math.max(...xs)];
  const [north, south] = [Math.min(...ys), Math.max(...ys)];
  // Pixels for the whole map's width.
  const wanted = Math.min((width * SHARE) / (east - west), (height * SHARE) / (south - north));
  const scale = Math.min(wanted, TILE_PX * 2 ** ZOOM_MAX * SCALE_MAX);
  const left = ((west + east) / 2) * scale - width / 2;
  const top = ((north + south) / 2) * scale - height / 2;
  const place = ([x, y]: Point): Point => [x * scale - left, y * scale - top];

  const zoom = Math.max(0, Math.min(ZOOM_MAX, Math.ceil(Math.log2(scale / TILE_PX))));
  const count = 2 ** zoom;
  const size = scale / count;
  const tiles: PictureTile[] = [];
  for (let row = Math.floor(top / size); row * size < top + height; row += 1) {
    if (row < 0 || row >= count) continue;
    for (let column = Math.floor(left / size); column * size < left + width; column += 1) {
      const x = ((column % count) + count) % count;
      tiles.push({ z: zoom, x, y: row, left: column * size - left, top: row * size - top, size });
    }
  }
  const written = (points: readonly Point[]) => points.map(([x, y]) => `${round(x)},${round(y)}`);
  return {
    width,
    height,
    tiles,
    cells: cells.map(({ token }, index) => {
      const placed = (corners[index] ?? []).map(place);
      const mean = (axis: 0 | 1) => placed.reduce((sum, point) => sum + point[axis], 0) / placed.length;
      return { token, points: written(placed).join(" "), center: [mean(0), mean(1)] };
    }),
    outline: [0, 1, 2, 3, 4, 5]
      .flatMap((face) => {
        const { level } = first.address;
        const members = cells.map(({ address }) => address).filter((address) => address.face === face);
        return ringsOf(outlineOf(members)).map((ring) => {
          const points = ring.map((corner) => place(near(mercatorOf(cornerDirection(face, level, corner)))));
          return `M${written(points).join("L")}Z`;
        });
      })
      .join(""),
  };
}

const round = (x: number): number => Math.round(x * 10) / 10;

function mercatorOf(direction: readonly [number, number, number]): Point {
  const { latitude_deg, longitude_deg } = latLngOf(direction);
  return mercator(latitude_deg, longitude_deg);
}
