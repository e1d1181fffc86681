/** What is not ground: the air's light, the sun's disc, the stars. */
import {
  AdditiveBlending,
  BufferAttribute,
  BufferGeometry,
  DoubleSide,
  Mesh,
  Points,
  type Scene,
  ShaderMaterial,
  Vector3,
} from "three";
import { length, normalize, type Vec3 } from "../geo/vec3.ts";
import { AIR_GLSL, type AirUniforms, DISPLAY_GLSL, frameOf } from "./atmosphere.ts";

const RINGS = 56;
const SPOKES = 72;
const STARS = 1400;

/**
 * The dome is a fan of rings round the vertical, close together at the horizon (from space: at the limb), where the
 * light changes fastest; it is computed per vertex and drawn behind everything.
 */
const SKY_VERTEX = /* glsl */ `
#define AIR_STEPS 16
${AIR_GLSL}
uniform mat3 uSkyFrame;
uniform float uHorizon;
const float SHARE_BELOW = 0.2;
varying vec3 vGround;
varying vec3 vRayleigh;
varying vec3 vMie;
varying vec3 vClear;
varying vec3 vDirection;

void main() {
  float t = position.z;
  float lift = t > SHARE_BELOW
    ? uHorizon + (1.5707963 - uHorizon) * pow((t - SHARE_BELOW) / (1.0 - SHARE_BELOW), 3.0)
    : uHorizon - (1.5707963 + uHorizon) * pow((SHARE_BELOW - t) / SHARE_BELOW, 2.0);
  vec3 direction = uSkyFrame * vec3(position.xy * cos(lift), sin(lift));
  // Below the horizon the ray ends on the ground, of which only haze and a dull tone show until its tiles are there.
  float b = dot(uCenterKm, direction);
  float hit = b * b - dot(uCenterKm, uCenterKm) + uPlanetKm.x * uPlanetKm.x;
  bool isGround = t < SHARE_BELOW && hit > 0.0 && b > 0.0;
  Air air = throughAir(direction, isGround ? b - sqrt(hit) : 1e9);
  vGround = isGround ? (lightRow(dot(normalize(-uCenterKm), uSun), 0.0) * 0.1 + lightRow(dot(normalize(-uCenterKm), uSun), 1.0) * 0.1) * vec3(0.5, 0.6, 0.42) : vec3(0.0);
  vRayleigh = air.rayleigh;
  vMie = air.mie;
  vClear = air.clear;
  vDirection = direction;
  gl_Position = projectionMatrix * viewMatrix * vec4(direction, 0.0);
  // As far as can be: only what the ground leaves free is shaded.
  gl_Position.z = gl_Position.w * 0.999999;
}
`;

const SKY_FRAGMENT = /* glsl */ `
${DISPLAY_GLSL}
uniform vec3 uSun;
uniform vec3 uCenterKm;
uniform vec3 uPlanetKm;
varying vec3 vGround;
varying vec3 vRayleigh;
varying vec3 vMie;
varying vec3 vClear;
varying vec3 vDirection;

float rayleighPhase(float cosSun) { return 0.0596831 * (1.0 + cosSun * cosSun); }
float miePhase(float cosSun) {
  const float g = 0.76;
  return 0.015 + 0.0795775 * (1.0 - g * g) / pow(1.0 + g * g - 2.0 * g * cosSun, 1.5) * 0.75;
}

void main() {
  vec3 direction = normalize(vDirection);
  float cosSun = dot(direction, uSun);
  vec3 light = vRayleigh * rayleighPhase(cosSun) + vMie * miePhase(cosSun);
  float disc = smoothstep(0.99985, 0.99992, cosSun);
  float glow = pow(max(0.0, cosSun), 900.0) * 0.6;
  float isSky = 1.0 - step(1e-6, vGround.r);
  light += vClear * ((disc * 60.0 + glow) * isSky * vec3(1.0, 0.95, 0.86) + vGround);
  gl_FragColor = display(light);
}
`;

const STAR_VERTEX = /* glsl */ `
#define AIR_STEPS 4
${AIR_GLSL}
attribute float brightness;
uniform float uPixelRatio;
varying float vBrightness;

void main() {
  Air air = throughAir(position, 1e9);
  float glare = dot(air.rayleigh + air.mie, vec3(0.6));
  vBrightness = brightness * air.clear.g * clamp(1.0 - glare * 14.0, 0.0, 1.0);
  gl_Position = projectionMatrix * viewMatrix * vec4(position, 0.0);
  gl_Position.z = gl_Position.w * 0.999999;
  gl_PointSize = (0.9 + 1.4 * brightness) * uPixelRatio;
}
`;

const STAR_FRAGMENT = /* glsl */ `
varying float vBrightness;
void main() {
  gl_FragColor = vec4(vec3(0.92, 0.95, 1.0) * vBrightness, 1.0);
}
`;

export class Sky {
  private readonly dome: Mesh<BufferGeometry, ShaderMaterial>;
  private readonly stars: Points<BufferGeometry, ShaderMaterial>;

  constructor(
    scene: Scene,
    shared: AirUniforms & Record<string, { value: unknown }>,
    private readonly radiusM: number,
    pixelRatio: { value: number },
  ) {
    this.dome = new Mesh(
      domeGeometry(),
      new ShaderMaterial({
        vertexShader: SKY_VERTEX,
        fragmentShader: SKY_FRAGMENT,
        uniforms: {
          ...shared,
          uSkyFrame: { value: new Float32Array(9) },
          uHorizon: { value: 0 },
        },
        side: DoubleSide,
        depthWrite: false,
      }),
    );
    this.stars = new Points(
      starGeometry(),
      new ShaderMaterial({
        vertexShader: STAR_VERTEX,
        fragmentShader: STAR_FRAGMENT,
        uniforms: { ...shared, uPixelRatio: pixelRatio },
        blending: AdditiveBlending,
        transparent: true,
        depthWrite: false,
      }),
    );
    this.dome.renderOrder = 10;
    this.stars.renderOrder = 11;
    for (const object of [this.dome, this.stars]) {
      object.frustumCulled = false;
      object.matrixAutoUpdate = false;
      scene.add(object);
    }
  }

  /** Sets the dome up for an eye at `eye`, metres from the planet's centre. */
  update(eye: Vec3, sun: Vec3): void {
    const up = normalize(eye);
    const [side, ahead] = frameOf(up, sun);
    const { uSkyFrame, uHorizon } = this.dome.material.uniforms;
    if (uSkyFrame) uSkyFrame.value = new Float32Array([...side, ...ahead, ...up]);
    if (uHorizon)
      uHorizon.value = -Math.acos(Math.min(1, this.radiusM / Math.max(length(eye), this.radiusM)));
  }

  dispose(): void {
    for (const object of [this.dome, this.stars]) {
      object.removeFromParent();
      object.geometry.dispose();
      object.material.dispose();
    }
  }
}

function domeGeometry(): BufferGeometry {
  const positions: number[] = [];
  const indices: number[] = [];
  for (let ring = 0; ring <= RINGS; ring += 1) {
    for (let spoke = 0; spoke < SPOKES; spoke += 1) {
      const turn = (spoke / SPOKES) * Math.PI * 2;
      positions.push(Math.cos(turn), Math.sin(turn), ring / RINGS);
      if (ring === RINGS) continue;
      const next = (spoke + 1) % SPOKES;
      const [a, b] = [ring * SPOKES + spoke, ring * SPOKES + next];
      indices.push(a, b, a + SPOKES, b, b + SPOKES, a + SPOKES);
    }
  }
  const geometry = new BufferGeometry();
  geometry.setAttribute("position", new BufferAttribute(new Float32Array(positions), 3));
  geometry.setIndex(indices);
  return geometry;
}

function starGeometry(): BufferGeometry {
  const positions = new Float32Array(STARS * 3);
  const brightness = new Float32Array(STARS);
  const golden = Math.PI * (3 - Math.sqrt(5));
  for (let index = 0; index < STARS; index += 1) {
    // A spiral of even density, shaken by a fixed sequence.
    const shake = (salt: number) => Math.abs(Math.sin(index * salt) * 43758.5453) % 1;
    const z = 1 - (2 * (index + shake(12.9898))) / STARS;
    const turn = golden * index + shake(78.233) * 2;
    const ring = Math.sqrt(Math.max(0, 1 - z * z));
    positions.set(new Vector3(ring * Math.cos(turn), ring * Math.sin(turn), z).toArray(), index * 3);
    brightness[index] = 0.12 + 0.88 * shake(39.425) ** 5;
  }
  const geometry = new BufferGeometry();
  geometry.setAttribute("position", new BufferAttribute(positions, 3));
  geometry.setAttribute("brightness", new BufferAttribute(brightness, 1));
  return geometry;
}
