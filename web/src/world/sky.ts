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
  Vector2,
} from "three";
import { addScaled, dot, length, normalize, type Vec3 } from "../geo/vec3.ts";
import { AIR_GLSL, type AirUniforms, DISPLAY_GLSL, frameOf } from "./atmosphere.ts";

const RINGS = 56;
const SPOKES = 72;
const STARS = 3200;
/** So many of them lie in the band of the galaxy; its pole is that of `galaxyIn`. */
const BAND_SHARE = 0.45;
const GALAXY_POLE: Vec3 = [0.48, -0.36, 0.8];

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
varying vec3 vFog;
varying vec3 vSunTint;
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
  vFog = air.fog;
  vSunTint = sunThroughAir(-uCenterKm);
  vDirection = direction;
  gl_Position = projectionMatrix * viewMatrix * vec4(direction, 0.0);
  // As far as can be: only what the ground leaves free is shaded.
  gl_Position.z = gl_Position.w * 0.999999;
}
`;

const SKY_FRAGMENT = /* glsl */ `
precision highp sampler3D;
${DISPLAY_GLSL}
uniform vec3 uSun;
uniform vec3 uMoon;
uniform vec3 uMoonTint;
uniform vec3 uNightAir;
uniform vec2 uStarTurn;
uniform sampler3D uNoise;
varying vec3 vGround;
varying vec3 vRayleigh;
varying vec3 vMie;
varying vec3 vClear;
varying vec3 vFog;
varying vec3 vSunTint;
varying vec3 vDirection;

float rayleighPhase(float cosSun) { return 0.0596831 * (1.0 + cosSun * cosSun); }
float miePhase(float cosSun) {
  const float g = 0.76;
  return 0.015 + 0.0795775 * (1.0 - g * g) / pow(1.0 + g * g - 2.0 * g * cosSun, 1.5) * 0.75;
}

// The moon's face: a ball lit by the sun, with seas; and the shine round it.
vec3 moonIn(vec3 direction, float cosMoon) {
  const float SIZE = 0.021;
  vec3 halo = uMoonTint * (pow(max(0.0, cosMoon), 1200.0) * 0.5 + pow(max(0.0, cosMoon), 90.0) * 0.10);
  if (cosMoon < 1.0 - SIZE * SIZE) return halo;
  vec3 aside = (direction - uMoon * cosMoon) / SIZE;
  float out2 = dot(aside, aside);
  if (out2 > 1.0) return halo;
  vec3 normal = aside - uMoon * sqrt(1.0 - out2);
  float seas = texture(uNoise, normal * 0.055 + 0.3).r * 0.6 + texture(uNoise, normal * 0.16).g * 0.4;
  vec3 face = mix(vec3(0.34, 0.35, 0.38), vec3(0.92, 0.90, 0.84), smoothstep(0.38, 0.58, seas));
  float lit = smoothstep(-0.02, 0.25, dot(normal, uSun));
  return halo + face * (0.02 + 0.98 * lit) * 0.62 * smoothstep(1.0, 0.86, out2);
}

// The band of our galaxy, brighter towards its middle, with dark lanes.
vec3 galaxyIn(vec3 direction) {
  vec3 d = vec3(uStarTurn.x * direction.x + uStarTurn.y * direction.y, uStarTurn.x * direction.y - uStarTurn.y * direction.x, direction.z);
  const vec3 POLE = vec3(0.48, -0.36, 0.80);
  float across = dot(d, POLE);
  float clouds = texture(uNoise, d * 0.13).r * 0.5 + texture(uNoise, d * 0.31).g * 0.3 + texture(uNoise, d * 0.74).b * 0.2;
  float band = exp(-across * across * 26.0) * smoothstep(0.30, 0.72, clouds);
  float lane = exp(-across * across * 260.0) * smoothstep(0.42, 0.62, texture(uNoise, d * 0.22 + 0.5).a);
  float middle = 0.55 + 0.45 * dot(d, vec3(0.60, 0.80, 0.0));
  return vec3(0.62, 0.68, 0.86) * band * (1.0 - 0.7 * lane) * middle * 0.085;
}

void main() {
  vec3 direction = normalize(vDirection);
  float cosSun = dot(direction, uSun);
  vec3 light = vRayleigh * rayleighPhase(cosSun) + vMie * miePhase(cosSun);
  float glare = dot(light, vec3(0.6));
  light += (1.0 - vClear) * uNightAir + vFog;
  float disc = smoothstep(0.99985, 0.99992, cosSun);
  float glow = pow(max(0.0, cosSun), 900.0) * 0.6;
  float isSky = 1.0 - step(1e-6, vGround.r);
  vec3 beyond = (disc * 60.0 + glow) * vSunTint + moonIn(direction, dot(direction, uMoon));
  beyond += galaxyIn(direction) * clamp(1.0 - glare * 14.0, 0.0, 1.0);
  light += vClear * (beyond * isSky + vGround);
  gl_FragColor = display(light);
}
`;

const STAR_VERTEX = /* glsl */ `
#define AIR_STEPS 4
${AIR_GLSL}
attribute vec2 look;
uniform float uPixelRatio;
uniform vec2 uStarTurn;
varying vec3 vColor;

void main() {
  vec3 direction = vec3(uStarTurn.x * position.x - uStarTurn.y * position.y, uStarTurn.x * position.y + uStarTurn.y * position.x, position.z);
  Air air = throughAir(direction, 1e9);
  float glare = dot(air.rayleigh + air.mie, vec3(0.6));
  // Nothing shines through the moon.
  float moonGap = smoothstep(0.9995, 0.9990, dot(direction, uMoon));
  float brightness = (0.25 + look.x) * 1.3 * air.clear.g * clamp(1.0 - glare * 14.0, 0.0, 1.0) * moonGap;
  vColor = mix(vec3(1.0, 0.86, 0.70), vec3(0.78, 0.87, 1.0), look.y) * min(1.0, brightness);
  gl_Position = projectionMatrix * viewMatrix * vec4(direction, 0.0);
  gl_Position.z = gl_Position.w * 0.999999;
  gl_PointSize = (1.5 + 2.6 * look.x) * uPixelRatio;
}
`;

const STAR_FRAGMENT = /* glsl */ `
varying vec3 vColor;
void main() {
  float away = length(gl_PointCoord - 0.5) * 2.0;
  gl_FragColor = vec4(vColor * (1.0 - smoothstep(0.35, 1.0, away)), 1.0);
}
`;

export class Sky {
  private readonly dome: Mesh<BufferGeometry, ShaderMaterial>;
  private readonly stars: Points<BufferGeometry, ShaderMaterial>;
  private readonly starTurn = { value: new Vector2(1, 0) };

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
          uStarTurn: this.starTurn,
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
        uniforms: { ...shared, uPixelRatio: pixelRatio, uStarTurn: this.starTurn },
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
    // Stars stand still beyond a turning planet: seen from it they go round with the sun.
    const around = Math.hypot(sun[0], sun[1]);
    if (around > 1e-6) this.starTurn.value.set(sun[0] / around, sun[1] / around);
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
  const look = new Float32Array(STARS * 2);
  const golden = Math.PI * (3 - Math.sqrt(5));
  for (let index = 0; index < STARS; index += 1) {
    // A spiral of even density, shaken by a fixed sequence.
    const shake = (salt: number) => Math.abs(Math.sin(index * salt) * 43758.5453) % 1;
    const z = 1 - (2 * (index + shake(12.9898))) / STARS;
    const turn = golden * index + shake(78.233) * 2;
    const ring = Math.sqrt(Math.max(0, 1 - z * z));
    let star: Vec3 = [ring * Math.cos(turn), ring * Math.sin(turn), z];
    if (shake(51.721) < BAND_SHARE) {
      const across = dot(star, GALAXY_POLE);
      star = normalize(addScaled(star, GALAXY_POLE, -across * 0.84));
    }
    positions.set(star, index * 3);
    look.set([0.1 + 0.9 * shake(39.425) ** 6, shake(26.651)], index * 2);
  }
  const geometry = new BufferGeometry();
  geometry.setAttribute("position", new BufferAttribute(positions, 3));
  geometry.setAttribute("look", new BufferAttribute(look, 2));
  return geometry;
}
