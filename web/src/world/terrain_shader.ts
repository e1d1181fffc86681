/** The shader of land and sea: one mesh, so that they cannot fight over a pixel. */
import { AIR_GLSL, DISPLAY_GLSL, GLOOM_GLSL } from "./atmosphere.ts";
import { GROUND_GLSL } from "./ground_shader.ts";
import { LOT_GLSL } from "./lot_overlay.ts";
import { BIOME_TINTS } from "./palette.ts";
import { SHADOW_GLSL } from "./shadows.ts";
import { WATER_GLSL } from "./water_shader.ts";

/**
 * `modelMatrix` holds no rotation. Its last column places the tile relative to the eye, in metres. Above the diagonal is
 * the tile's place in the lot grid: offset i, offset j, lots along its edge (0 for a tile without lots). On the
 * diagonal: the distance at which the tile has taken its parent's form, the layer of its river mask plus 2 (1 for
 * none), the length of its edge.
 */
export const TERRAIN_VERTEX = /* glsl */ `
#ifdef FINE
#define AIR_STEPS 6
#else
#define AIR_STEPS 3
#endif
${AIR_GLSL}
attribute float elevation;
attribute float water;
attribute float morph;
attribute vec2 climate;
attribute vec4 cover;
attribute vec4 tangentSpace;
attribute vec4 parentSpace;
uniform float uGridSide;
uniform vec4 uBiomeTint[${BIOME_TINTS.length}];

varying vec4 vLocal;
varying vec4 vSeen;
varying vec4 vForm;
varying vec4 vClimate;
varying vec4 vTint;
varying vec3 vClear;
varying vec3 vHaze;
varying vec3 vSunlight;
varying vec3 vMoonlight;
varying vec3 vSkylight;
varying vec3 vLot;
varying vec3 vMask;
flat varying float vFacet;

void main() {
  vec3 foot = position + modelMatrix[3].xyz;
  float coarser = smoothstep(0.7, 1.0, length(foot) / modelMatrix[0][0]);
  vec3 up = normalize(foot * 0.001 - uCenterKm);
  vec3 seen = foot + up * morph * coarser;
  float distanceM = length(seen);
  vec3 direction = seen / max(distanceM, 1e-3);
  vLocal = vec4(position, elevation);
  vSeen = vec4(seen, water);
  vForm = mix(tangentSpace, parentSpace, coarser);
  vClimate = vec4(climate, cover.yz / 255.0);
  vTint = uBiomeTint[int(cover.x + 0.5)];
  Air air = throughAir(direction, distanceM * 0.001);
  vClear = air.clear;
  // From space the eye looks through the veil of air: what it hides is known to be there.
  float space = smoothstep(20.0, 500.0, length(uCenterKm) - uPlanetKm.x);
  vHaze = hazeOf(air, dot(direction, uSun)) * (1.0 - 0.42 * space);
  vClear = mix(vClear, sqrt(vClear), 0.5 * space);
  float sunHeight = dot(up, uSun);
  vSunlight = lightRow(sunHeight, 0.0);
  vMoonlight = moonlight(dot(up, uMoon));
  vSkylight = lightRow(sunHeight, 1.0);

  // Row by row through the grid; skirts take the place of the edge they hang from, near enough for lines on the ground.
  float index = float(gl_VertexID);
  vec2 place = vec2(mod(index, uGridSide), floor(index / uGridSide)) / (uGridSide - 1.0);
  vec3 lots = vec3(modelMatrix[1][0], modelMatrix[2][0], modelMatrix[2][1]);
  vLot = vec3(lots.xy + place * lots.z, lots.z);
  vMask = vec3((clamp(place, 0.0, 1.0) * 127.0 + 0.5) / 128.0, modelMatrix[1][1] - 2.0);
  vFacet = fract(sin(dot(position.xy + position.z, vec2(12.9898, 78.233))) * 43758.5453);

  gl_Position = projectionMatrix * viewMatrix * vec4(seen, 1.0);
}
`;

export const TERRAIN_FRAGMENT = /* glsl */ `
precision highp sampler3D;
precision highp sampler2DArray;
${DISPLAY_GLSL}
uniform vec3 uSun;
uniform vec3 uMoon;
uniform vec3 uCenterKm;
uniform float uTimeS;
uniform sampler2D uLight;
uniform sampler2D uPalette;
uniform sampler3D uNoise;
uniform sampler2DArray uWaterMask;
/** As far as trees are drawn. */
uniform float uTreesM;
uniform vec2 uGloom;
uniform vec3 uGround;
${GLOOM_GLSL}
${LOT_GLSL}
${SHADOW_GLSL}

varying vec4 vLocal;
varying vec4 vSeen;
varying vec4 vForm;
varying vec4 vClimate;
varying vec4 vTint;
varying vec3 vClear;
varying vec3 vHaze;
varying vec3 vSunlight;
varying vec3 vMoonlight;
varying vec3 vSkylight;
varying vec3 vLot;
varying vec3 vMask;
flat varying float vFacet;

${GROUND_GLSL}
${WATER_GLSL}

/** How much of the pixel is a river too narrow for the mesh. */
float streamAt(vec3 mask) {
  return mask.z < -0.5 ? 0.0 : texture(uWaterMask, vec3(mask.xy, floor(mask.z + 0.5))).r;
}

void main() {
  vec3 seen = vSeen.xyz;
  float depth = vSeen.w;
  float distanceM = length(seen);
  vec3 view = seen / distanceM;
  vec3 up = normalize(seen * 0.001 - uCenterKm);
  vec3 form = normalize(vForm.xyz);
  float concavity = vForm.w;
  vec3 facet = normalize(cross(dFdx(seen), dFdy(seen)));
  facet *= sign(dot(facet, -view));
  Grain g = grainAt(vLocal.xyz, up);
  // Skirts stand upright, and have the light of the edge they hang from instead of a wall's.
  float facets = (1.0 - smoothstep(200.0, 2600.0, distanceM)) * smoothstep(0.05, 0.2, dot(facet, up));
  vec3 normal = normalize(mix(form, facet, 0.72 * facets));
  // From far the shape of the land is drawn with a stronger hand, as on a map: seen straight down it would be flat.
  normal = normalize(normal + (normal - up * dot(normal, up)) * 5.0 * smoothstep(20000.0, 500000.0, distanceM));
  vec2 shades = shadows(seen, normal);
  float stream = streamAt(vMask);
  vec3 light = vec3(0.0);
  if (depth <= 0.0 && stream < 0.98) {
    Place at = Place(vLocal.xyz, up, normal, 1.0 - dot(form, up), vLocal.w, -depth, vClimate.z, distanceM, vClimate.xy, vTint, concavity, facets, vFacet);
    vec3 ground = groundAt(at, g);
    float occlusion = clamp(1.0 - concavity * 0.55, 0.5, 1.15);
    vec3 bounce = vSunlight * max(0.0, dot(up, uSun)) * 0.10 * (0.5 - 0.5 * dot(at.normal, up));
    vec3 skylight = vSkylight * (0.62 + 0.38 * dot(at.normal, up)) * occlusion + bounce;
    vec3 direct = vSunlight * max(0.0, dot(at.normal, uSun)) * shades.x + vMoonlight * max(0.0, dot(at.normal, uMoon)) * shades.y;
    light = ground * (direct + skylight);
    // Wet ground shines with the sky where one looks along it.
    float shine = uGround.x * pow(1.0 - clamp(dot(at.normal, -view), 0.0, 1.0), 4.0) * smoothstep(0.25, 0.05, 1.0 - dot(form, up));
    light = mix(light, vSkylight * 0.75, shine * 0.5 * smoothstep(0.40, 0.66, g.medium.g * 0.5 + g.broad.b * 0.5));
    light = lotsOver(light, vLot, vSunlight + vMoonlight + vSkylight, seen);
  }
  if (depth > 0.0 || stream > 0.02) {
    // A river's surface leans the way it flows; its speed grows with the root of the slope (Manning).
    vec3 lean = (form - up * dot(form, up)) * vClimate.w;
    vec3 flow = lean / max(1e-4, sqrt(length(lean))) * 9.0;
    Water w = Water(vLocal.xyz, up, view, distanceM, max(depth, stream * 2.5), depth > 0.0 ? vClimate.z : 0.0, flow, vClimate.x);
    light = mix(light, waterLight(w, g, Light(vSunlight, vMoonlight, vSkylight, shades)), depth > 0.0 ? 1.0 : stream);
  }
  gl_FragColor = display(light * vClear + vHaze);
}
`;
