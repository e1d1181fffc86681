/** Builds low-poly shapes from rings and tips, flat-shaded: every triangle has corners of its own. */
import { BufferAttribute, type BufferGeometry } from "three";
import { cross, normalize, subtract, type Vec3 } from "../geo/vec3.ts";
import type { Rgb } from "./palette.ts";

/** Linear light from an sRGB hex colour. */
export function paint(text: string): Rgb {
  const value = Number.parseInt(text.slice(1), 16);
  const linear = (byte: number) => {
    const share = byte / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  };
  return [linear((value >> 16) & 255), linear((value >> 8) & 255), linear(value & 255)];
}

/** A closed ring of points. */
export type Ring = readonly Vec3[];

/** `sides` points round the z axis at height `z`, `rx` and `ry` wide, turned by `turn` of a side. */
export function ring(sides: number, z: number, rx: number, ry = rx, turn = 0, x = 0, y = 0): Ring {
  return Array.from({ length: sides }, (_, side): Vec3 => {
    const angle = ((side + turn) / sides) * Math.PI * 2;
    return [x + Math.cos(angle) * rx, y + Math.sin(angle) * ry, z];
  });
}

/** Collects triangles; `tag` travels with every vertex (a bone, a swaying part…). */
export class Facets {
  private readonly positions: number[] = [];
  private readonly normals: number[] = [];
  private readonly colors: number[] = [];
  private readonly tags: number[] = [];

  triangle(a: Vec3, b: Vec3, c: Vec3, color: Rgb, tag: number): this {
    const normal = normalize(cross(subtract(b, a), subtract(c, a)));
    for (const corner of [a, b, c]) {
      this.positions.push(...corner);
      this.normals.push(...normal);
      this.colors.push(...color);
      this.tags.push(tag);
    }
    return this;
  }

  /** The side between two rings of the same number of points, the first below. */
  band(low: Ring, high: Ring, color: Rgb, tag: number): this {
    low.forEach((a, side) => {
      const next = (side + 1) % low.length;
      const [b, c, d] = [low[next], high[side], high[next]];
      if (b && c && d) this.triangle(a, b, d, color, tag).triangle(a, d, c, color, tag);
    });
    return this;
  }

  /** Closes a ring with a tip; `isTop` says on which side the outside is. */
  tip(base: Ring, point: Vec3, isTop: boolean, color: Rgb, tag: number): this {
    base.forEach((a, side) => {
      const b = base[(side + 1) % base.length];
      if (!b) return;
      if (isTop) this.triangle(a, b, point, color, tag);
      else this.triangle(b, a, point, color, tag);
    });
    return this;
  }

  /** Rings from bottom to top, closed flat at both ends. */
  tube(rings: readonly Ring[], color: Rgb, tag: number): this {
    rings.forEach((low, index) => {
      const high = rings[index + 1];
      if (high) this.band(low, high, color, tag);
    });
    const [first, last] = [rings[0], rings.at(-1)];
    if (first) this.tip(first, middle(first), false, color, tag);
    if (last) this.tip(last, middle(last), true, color, tag);
    return this;
  }

  /** Writes the attributes `position`, `normal`, `color` and `tag`. */
  writeTo(geometry: BufferGeometry): void {
    geometry.setAttribute("position", new BufferAttribute(new Float32Array(this.positions), 3));
    geometry.setAttribute("normal", new BufferAttribute(new Float32Array(this.normals), 3));
    geometry.setAttribute("color", new BufferAttribute(new Float32Array(this.colors), 3));
    geometry.setAttribute("tag", new BufferAttribute(new Float32Array(this.tags), 1));
  }
}

function middle(points: Ring): Vec3 {
  const sum = points.reduce<Vec3>((a, b) => [a[0] + b[0], a[1] + b[1], a[2] + b[2]], [0, 0, 0]);
  return [sum[0] / points.length, sum[1] / points.length, sum[2] / points.length];
}
