/**
 * Pictures of the rivers of the tiles on the screen, one layer of a texture array each: a river is seen from orbit though
 * no vertex lies in it. Most tiles have none and take no layer.
 */
import { DataArrayTexture, LinearFilter, RedFormat, UnsignedByteType } from "three";

/** Texels along a side, `MASK_SIDE` in `crates/browser/src/river_mask.rs`. */
export const MASK_SIDE = 128;
const LAYER_BYTES = MASK_SIDE * MASK_SIDE;
/** Every WebGL 2 has as many. Tiles beyond them do without, the first come keep theirs: the coarse ones. */
const LAYERS = 256;

export class RiverMasks {
  readonly texture: DataArrayTexture;
  private readonly texels = new Uint8Array(LAYERS * LAYER_BYTES);
  private readonly free = Array.from({ length: LAYERS }, (_, index) => LAYERS - 1 - index);

  constructor() {
    this.texture = new DataArrayTexture(this.texels, MASK_SIDE, MASK_SIDE, LAYERS);
    this.texture.format = RedFormat;
    this.texture.type = UnsignedByteType;
    this.texture.minFilter = LinearFilter;
    this.texture.magFilter = LinearFilter;
    this.texture.needsUpdate = true;
  }

  /** Takes a picture; its layer is undefined when there is none left. */
  add(mask: Uint8Array): number | undefined {
    const layer = this.free.pop();
    if (layer === undefined) return undefined;
    this.texels.set(mask, layer * LAYER_BYTES);
    this.texture.addLayerUpdate(layer);
    this.texture.needsUpdate = true;
    return layer;
  }

  /** Gives a layer back. */
  drop(layer: number | undefined): void {
    if (layer !== undefined) this.free.push(layer);
  }

  dispose(): void {
    this.texture.dispose();
  }
}
