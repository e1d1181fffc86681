/** Shadows near the player: people, trees and rocks seen once more from the sun, into a depth texture. */
import {
  DepthTexture,
  LessEqualCompare,
  LinearFilter,
  Matrix4,
  OrthographicCamera,
  Scene,
  Vector3,
  type WebGLRenderer,
  WebGLRenderTarget,
} from "three";
import { addScaled, anyTangent, cross, dot, normalize, subtract, type Vec3 } from "../geo/vec3.ts";
import type { Heaven } from "./daylight.ts";

/** How far the light's camera stands back: taller than any tree. */
const BACK_M = 120;
/** Height of the sun, as a sine, below which shadows are the moon's. */
const NIGHT_BELOW = -0.02;

export class Shadows {
  /** What casts shadows: meshes of its own that share geometry with those on the screen. */
  readonly scene = new Scene();
  readonly uniforms;
  private readonly target: WebGLRenderTarget;
  private readonly camera: OrthographicCamera;

  constructor(
    private readonly renderer: WebGLRenderer,
    texels: number,
    private readonly radiusM: number,
  ) {
    const depth = new DepthTexture(texels, texels);
    depth.compareFunction = LessEqualCompare;
    depth.minFilter = LinearFilter;
    depth.magFilter = LinearFilter;
    this.target = new WebGLRenderTarget(texels, texels, { depthTexture: depth });
    // Shaders that read it may be drawn before the first shadow.
    renderer.initRenderTarget(this.target);
    this.camera = new OrthographicCamera(-radiusM, radiusM, radiusM, -radiusM, 1, BACK_M * 2);
    this.uniforms = {
      uShadow: { value: depth },
      uShadowMatrix: { value: new Matrix4() },
      /** Middle of the shadowed disc seen from the eye, and whether there is one. */
      uShadowOn: { value: 0 },
      /** 1 while the shadows are the moon's. */
      uShadowOfMoon: { value: 0 },
      uShadowTexel: { value: (2 * radiusM) / texels },
    };
  }

  /**
   * Draws the shadows round `middle`, in metres from the planet's centre, seen from `eye`: the sun's by day, the moon's
   * by night, none while both are low.
   */
  render(middle: Vec3, eye: Vec3, { sun, moon }: Heaven): void {
    const up = normalize(middle);
    const isNight = dot(up, sun) < NIGHT_BELOW;
    const light = isNight ? moon : sun;
    const strength = Math.max(0, Math.min(1, (dot(up, light) - 0.03) * 12));
    this.uniforms.uShadowOn.value = strength;
    this.uniforms.uShadowOfMoon.value = isNight ? 1 : 0;
    if (strength === 0) return;
    const { camera, renderer } = this;
    const target = subtract(this.onLattice(middle, light), eye);
    camera.position.set(...target).addScaledVector(new Vector3(...light), BACK_M);
    camera.up.set(...anyTangent(light));
    camera.lookAt(...target);
    camera.updateMatrixWorld();
    // From clip space -1..1 to texture space 0..1.
    this.uniforms.uShadowMatrix.value
      .set(0.5, 0, 0, 0.5, 0, 0.5, 0, 0.5, 0, 0, 0.5, 0.5, 0, 0, 0, 1)
      .multiply(camera.projectionMatrix)
      .multiply(camera.matrixWorldInverse);
    renderer.setRenderTarget(this.target);
    renderer.clear();
    renderer.render(this.scene, camera);
    renderer.setRenderTarget(null);
  }

  /** Moves a place by less than a texel, so that texels stay where they are on the ground while one walks. */
  private onLattice(place: Vec3, light: Vec3): Vec3 {
    const texel = this.uniforms.uShadowTexel.value;
    const across = anyTangent(light);
    const along = cross(light, across);
    const rest = (axis: Vec3) => dot(place, axis) % texel;
    return addScaled(addScaled(place, across, -rest(across)), along, -rest(along));
  }

  /** No shadows this frame. */
  skip(): void {
    this.uniforms.uShadowOn.value = 0;
  }

  dispose(): void {
    this.target.depthTexture?.dispose();
    this.target.dispose();
  }

  /** Radius of the shadowed disc. */
  get reachM(): number {
    return this.radiusM;
  }
}

/** For fragment shaders: how much of sun (x) and moon (y) reaches a point given relative to the eye, 0 to 1. */
export const SHADOW_GLSL = /* glsl */ `
uniform highp sampler2DShadow uShadow;
uniform mat4 uShadowMatrix;
uniform float uShadowOn;
uniform float uShadowOfMoon;
uniform float uShadowTexel;

float shadowAt(vec3 seen, vec3 normal) {
  if (uShadowOn <= 0.0) return 1.0;
  vec3 at = (uShadowMatrix * vec4(seen + normal * uShadowTexel * 1.5, 1.0)).xyz;
  vec2 fromMiddle = abs(at.xy - 0.5) * 2.0;
  float edge = max(fromMiddle.x, fromMiddle.y);
  if (edge >= 1.0 || at.z >= 1.0) return 1.0;
  at.z -= 0.0008;
  vec2 texel = vec2(0.75) / vec2(textureSize(uShadow, 0));
  float lit = texture(uShadow, vec3(at.xy + texel, at.z)) + texture(uShadow, vec3(at.xy - texel, at.z))
    + texture(uShadow, vec3(at.xy + vec2(texel.x, -texel.y), at.z)) + texture(uShadow, vec3(at.xy + vec2(-texel.x, texel.y), at.z));
  return mix(1.0, mix(lit * 0.25, 1.0, smoothstep(0.8, 1.0, edge)), uShadowOn);
}

vec2 shadows(vec3 seen, vec3 normal) {
  float lit = shadowAt(seen, normal);
  return mix(vec2(lit, 1.0), vec2(1.0, lit), uShadowOfMoon);
}
`;
