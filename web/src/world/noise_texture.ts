/** A block of smooth noise that repeats in all three directions: the shaders' source of irregularity. */
import {
  Data3DTexture,
  LinearFilter,
  LinearMipmapLinearFilter,
  RepeatWrapping,
  RGBAFormat,
  UnsignedByteType,
} from "three";

/** Texels a side; a power of two, so that the block repeats and has mipmaps, which fade it to grey with distance. */
const SIDE = 32;

/** Four independent noises in one texture, the same on every machine. */
export function noiseTexture(): Data3DTexture {
  const texels = new Uint8Array(SIDE ** 3 * 4);
  let state = 0x2545f491;
  for (let index = 0; index < texels.length; index += 1) {
    // xorshift32 (Marsaglia 2003)
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    texels[index] = state >>> 24;
  }
  const texture = new Data3DTexture(texels, SIDE, SIDE, SIDE);
  texture.format = RGBAFormat;
  texture.type = UnsignedByteType;
  texture.wrapS = RepeatWrapping;
  texture.wrapT = RepeatWrapping;
  texture.wrapR = RepeatWrapping;
  texture.minFilter = LinearMipmapLinearFilter;
  texture.magFilter = LinearFilter;
  texture.generateMipmaps = true;
  texture.needsUpdate = true;
  return texture;
}
