/** The shader of land and sea: one mesh, so that they cannot fight over a pixel. */
import { AIR_GLSL, DISPLAY_GLSL } from "./atmosphere.ts";
import { LOT_GLSL } from "./lot_overlay.ts";
import { SHADOW_GLSL } from "./shadows.ts";

/**
 * `modelMatrix` holds no rotation. Its last column places the tile relative to the eye, in metres; the three numbers
 * above the diagonal carry the tile's place in the lot grid: offset i, offset j, lots along its edge (0 for a tile
 * without lots).
 */
export const TERRAIN_VERTEX = /* glsl */ `
#ifdef FINE
#define AIR_STEPS 6
#else
#define AIR_STEPS 3
#endif
${AIR_GLSL}
attribute float elevation;
attribute vec2 climate;
attribute vec4 tangentSpace;
uniform float uGridSide;

varying vec3 vLocal;
varying vec3 vSeen;
varying vec3 vUp;
varying vec3 vNormal;
varying float vElevation;
varying vec2 vClimate;
varying float vConcavity;
varying vec3 vClear;
varying vec3 vHaze;
varying vec3 vSunlight;
varying vec3 vSkylight;
varying vec3 vLot;
flat varying float vFacet;

void main() {
  vec3 seen = position + modelMatrix[3].xyz;
  float distanceM = length(seen);
  vec3 direction = seen / max(distanceM, 1e-3);
  vLocal = position;
  vSeen = seen;
  vUp = normalize(seen * 0.001 - uCenterKm);
  vNormal = tangentSpace.xyz;
  vConcavity = tangentSpace.w;
  vElevation = elevation;
  vClimate = climate;
  Air air = throughAir(direction, distanceM * 0.001);
  float cosSun = dot(direction, uSun);
  vClear = air.clear;
  vHaze = air.rayleigh * rayleighPhase(cosSun) + air.mie * miePhase(cosSun);
  float height = dot(vUp, uSun);
  vSunlight = lightRow(height, 0.0);
  vSkylight = lightRow(height, 1.0);

  // Row by row through the grid; skirts take the place of the edge they hang from, near enough for lines on the ground.
  float index = float(gl_VertexID);
  vec2 place = vec2(mod(index, uGridSide), floor(index / uGridSide)) / (uGridSide - 1.0);
  vec3 lots = vec3(modelMatrix[1][0], modelMatrix[2][0], modelMatrix[2][1]);
  vLot = vec3(lots.xy + place * lots.z, lots.z);
  vFacet = fract(sin(dot(position.xy + position.z, vec2(12.9898, 78.233))) * 43758.5453);

  gl_Position = projectionMatrix * viewMatrix * vec4(seen, 1.0);
}
`;

export const TERRAIN_FRAGMENT = /* glsl */ `
precision highp sampler3D;
${DISPLAY_GLSL}
uniform vec3 uSun;
uniform float uTimeS;
uniform sampler2D uLight;
uniform sampler2D uPalette;
uniform sampler3D uNoise;
/** As far as trees are drawn. */
uniform float uTreesM;
${LOT_GLSL}
${SHADOW_GLSL}

varying vec3 vLocal;
varying vec3 vSeen;
varying vec3 vUp;
varying vec3 vNormal;
varying float vElevation;
varying vec2 vClimate;
varying float vConcavity;
varying vec3 vClear;
varying vec3 vHaze;
varying vec3 vSunlight;
varying vec3 vSkylight;
varying vec3 vLot;
flat varying float vFacet;

const vec3 ROCK_WARM = vec3(0.235, 0.185, 0.140);
const vec3 ROCK_COLD = vec3(0.175, 0.170, 0.172);
const vec3 SAND = vec3(0.640, 0.500, 0.310);
const vec3 SNOW = vec3(0.560, 0.600, 0.660);
const vec3 SHALLOW = vec3(0.060, 0.330, 0.360);
const vec3 DEEP = vec3(0.004, 0.030, 0.085);
const vec3 ICE = vec3(0.720, 0.800, 0.860);

vec3 skyRow(float cosZenith, float row) {
  return texture(uLight, vec2(cosZenith * 0.4961 + 0.5, (row + 0.5) / 4.0)).rgb;
}

void main() {
  float distanceM = length(vSeen);
  vec3 view = vSeen / distanceM;
  vec3 up = normalize(vUp);
  vec3 smoothNormal = normalize(vNormal);
  vec3 facet = normalize(cross(dFdx(vSeen), dFdy(vSeen)));
  facet *= sign(dot(facet, -view));

  // Three grains: footprints, clearings, hillsides. Mipmaps turn each to even grey where it would shimmer.
  vec4 medium = texture(uNoise, vLocal / 64.0);
  vec4 broad = texture(uNoise, vLocal / 512.0);
#ifdef FINE
  vec4 fine = texture(uNoise, vLocal / 8.0);
  vec4 land = texture(uNoise, up * 23.0);
#else
  vec4 fine = medium;
  vec4 land = vec4(0.5);
#endif
  float grain = (fine.r * 0.30 + medium.r * 0.35 + broad.r * 0.35) - 0.5;
  float patches = (medium.g * 0.4 + broad.g * 0.6) - 0.5;

  // Skirts stand upright, and have the light of the edge they hang from instead of a wall's.
  float facets = (1.0 - smoothstep(200.0, 2600.0, distanceM)) * smoothstep(0.05, 0.2, dot(facet, up));
  vec3 normal = normalize(mix(smoothNormal, facet, 0.72 * facets));
  float steep = 1.0 - dot(smoothNormal, up);

  float temperature = vClimate.x + grain * 0.03 + (land.r - 0.5) * 0.03;
  float rain = clamp(vClimate.y + patches * 0.16 + (land.g - 0.5) * 0.12, 0.0, 1.0);
  vec3 ground = texture(uPalette, vec2(temperature, rain)).rgb;
  ground *= 0.86 + grain * 0.28 + (vFacet - 0.5) * 0.2 * facets + (fine.g - 0.5) * 0.22;

  float rockiness = smoothstep(0.10, 0.24, steep + grain * 0.10 + vConcavity * -0.06);
  vec3 rock = mix(ROCK_COLD, ROCK_WARM, smoothstep(0.45, 0.72, temperature)) * (1.0 + grain * 0.5 + (vFacet - 0.5) * 0.2 * facets);
  ground = mix(ground, rock, rockiness);

  // Woods beyond the last tree that is drawn: crowns as flecks, gathered in groves some kilometres wide.
  float wood = smoothstep(0.30, 0.62, vClimate.y) * smoothstep(0.42, 0.52, vClimate.x) * (1.0 - rockiness);
  vec4 groves = texture(uNoise, up * 130.0);
  float crowns = smoothstep(0.40, 0.60, groves.r * 0.55 + broad.b * 0.45) * (0.55 + 0.45 * smoothstep(0.38, 0.66, medium.b));
  crowns *= wood * smoothstep(uTreesM * 0.6, uTreesM * 1.4, distanceM);
  ground *= (1.0 - crowns * vec3(0.42, 0.32, 0.40)) * (0.88 + groves.g * 0.24);

  float beach = (1.0 - smoothstep(1.3, 3.4 + patches * 2.5, vElevation)) * (1.0 - smoothstep(0.10, 0.25, steep)) * smoothstep(0.44, 0.50, vClimate.x);
  ground = mix(ground, SAND * (1.0 + grain * 0.16 + (vFacet - 0.5) * 0.05), beach);
  // The tide leaves the sand dark.
  ground *= 1.0 - 0.35 * (1.0 - smoothstep(0.05, 0.55 + grain * 0.4, vElevation)) * step(0.0, vElevation);

  float cold = 0.5 - 0.035 - vClimate.x;
  float snow = smoothstep(-0.012, 0.03, cold + grain * 0.05 + vConcavity * 0.02);
  snow *= 1.0 - smoothstep(0.13, 0.26, steep + grain * 0.14 - vConcavity * 0.1);
  ground = mix(ground, SNOW * (1.0 + grain * 0.12 + (vFacet - 0.5) * 0.06 * facets), snow);

  float shade = shadow(vSeen, normal);
  float occlusion = clamp(1.0 - vConcavity * 0.55, 0.5, 1.15);
  float lambert = max(0.0, dot(normal, uSun));
  vec3 bounce = vSunlight * max(0.0, dot(up, uSun)) * 0.10 * (0.5 - 0.5 * dot(normal, up));
  vec3 skylight = vSkylight * (0.62 + 0.38 * dot(normal, up)) * occlusion;
  vec3 light = ground * (vSunlight * lambert * shade + skylight + bounce);

  if (vElevation < 0.0) {
    float depth = -vElevation;
    float sunHeight = dot(up, uSun);
    // Two trains of ripples run through the noise; its channels are the slopes.
    vec3 swell = texture(uNoise, vLocal / 64.0 + vec3(0.011, 0.007, -0.009) * uTimeS).rgb - 0.5;
    vec3 ripple = texture(uNoise, vLocal / 16.0 + vec3(-0.021, 0.031, 0.017) * uTimeS).gbr - 0.5;
    vec3 waves = swell * 0.16 + ripple * 0.20;
#ifdef FINE
    waves += (texture(uNoise, vLocal / 8.0 + vec3(0.043, -0.037, 0.029) * uTimeS).brg - 0.5) * 0.16;
#endif
    vec3 surface = normalize(up + (waves - up * dot(waves, up)) * 0.62);
    float facing = clamp(dot(surface, -view), 0.0, 1.0);
    float fresnel = 0.02 + 0.98 * pow(1.0 - facing, 5.0);

    float murk = 1.0 - exp(-depth * 0.16 / max(0.25, facing));
    vec3 water = mix(SHALLOW, DEEP, 1.0 - exp(-depth * 0.030));
    vec3 bed = SAND * vec3(0.62, 0.86, 0.80) * (1.0 + grain * 0.3);
    vec3 body = mix(bed, water, murk) * (vSunlight * max(0.0, sunHeight) * mix(0.5, 1.0, shade) + vSkylight);

    vec3 bounced = reflect(view, surface);
    float lift = clamp(dot(bounced, up), 0.0, 1.0);
    vec3 mirrored = mix(skyRow(sunHeight, 3.0), skyRow(sunHeight, 2.0), pow(lift, 0.45));
    float sharp = mix(240.0, 36.0, smoothstep(200.0, 60000.0, distanceM));
    vec3 glint = vSunlight * pow(max(0.0, dot(bounced, uSun)), sharp) * (sharp * 0.05) * (0.02 + fresnel) * 3.0 * shade;

    // Foam: a hem at the very edge and bands that come in.
    float tide = sin(depth * 4.2 + uTimeS * 0.9 + medium.b * 9.0) * 0.5 + 0.5;
    float hem = 1.0 - smoothstep(0.0, 0.22 + 0.16 * fine.b, depth);
    float band = smoothstep(0.72, 0.95, tide) * (1.0 - smoothstep(0.2, 1.6, depth)) * smoothstep(0.35, 0.6, fine.a + ripple.g * 0.6);
    float foam = max(hem, band * 0.8) * (1.0 - smoothstep(300.0, 1500.0, distanceM));
    vec3 white = vec3(0.86) * (vSunlight * max(0.12, sunHeight) * shade + vSkylight);

    light = mix(mix(body, mirrored, fresnel) + glint, white, foam);
    float frozen = smoothstep(0.0, 0.03, 0.5 - 0.075 - vClimate.x + patches * 0.05 + (land.b - 0.5) * 0.07 + (texture(uNoise, up * 4.0).a - 0.5) * 0.09);
    light = mix(light, ICE * (vSunlight * max(0.0, sunHeight) * shade + vSkylight) * (1.0 + grain * 0.2), frozen);
  }

  if (vElevation > 0.0) light = lotsOver(light, vLot, vSunlight + vSkylight, vSeen);
  gl_FragColor = display(light * vClear + vHaze);
}
`;
