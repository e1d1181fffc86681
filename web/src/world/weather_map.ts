/** The weather of the whole planet as a cube map, for the clouds: brought up to date face by face. */
import { CubeTexture, DataTexture, LinearFilter, RGFormat, UnsignedByteType } from "three";
import { MAP_SIDE } from "../core/sky.ts";

/** Two bytes a texel, cloud cover and precipitation: `PlanetSky.map`. */
export type FaceOf = (face: number) => Uint8Array<ArrayBuffer>;

const FACES = [0, 1, 2, 3, 4, 5] as const;
/** A face is computed in about a millisecond; this often one is. */
const FACE_EVERY_MS = 400;

export class WeatherMap {
  readonly texture: CubeTexture;
  private readonly faces: readonly DataTexture[];
  private isFilled = false;
  private next = 0;
  private lastMs = Number.NEGATIVE_INFINITY;

  constructor() {
    this.faces = FACES.map(
      () => new DataTexture(new Uint8Array(2 * MAP_SIDE * MAP_SIDE), MAP_SIDE, MAP_SIDE, RGFormat),
    );
    // Its declared images are HTML's; data is taken as well.
    this.texture = new CubeTexture([...this.faces] as unknown as HTMLImageElement[]);
    Object.assign(this.texture, {
      format: RGFormat,
      type: UnsignedByteType,
      minFilter: LinearFilter,
      magFilter: LinearFilter,
      generateMipmaps: false,
      flipY: false,
      needsUpdate: true,
    });
  }

  /** Brings the next face up to date, or all of them: the first time, and when `isOther` weather is to be shown. */
  update(faceOf: FaceOf, nowMs: number, isOther: boolean): void {
    if (!this.isFilled || isOther) {
      for (const face of FACES) this.fill(face, faceOf);
      this.isFilled = true;
    } else {
      if (nowMs - this.lastMs < FACE_EVERY_MS) return;
      this.fill(this.next, faceOf);
      this.next = (this.next + 1) % FACES.length;
    }
    this.lastMs = nowMs;
    this.texture.needsUpdate = true;
  }

  dispose(): void {
    this.texture.dispose();
    for (const face of this.faces) face.dispose();
  }

  private fill(face: number, faceOf: FaceOf): void {
    const image = this.faces[face]?.image;
    image?.data?.set(faceOf(face));
  }
}
