/** What the ground is made of and how it is coloured: soil and plants by climate, rock by slope, sand, snow, dunes. */

/**
 * For the terrain's fragment shader, which declares `uNoise`, `uPalette`, `uTreesM`, `uGround`. Positions in `local` repeat every
 * 1024 m, so every pattern here has a period that divides that, or comes from the direction `up`.
 */
export const GROUND_GLSL = /* glsl */ `
const vec3 ROCK_WARM = vec3(0.255, 0.190, 0.138);
const vec3 ROCK_COLD = vec3(0.170, 0.168, 0.172);
const vec3 SAND = vec3(0.610, 0.480, 0.305);
const vec3 GRAVEL = vec3(0.235, 0.215, 0.185);
const vec3 SNOW = vec3(0.640, 0.680, 0.735);
const vec3 MUD = vec3(0.130, 0.105, 0.075);

/** A place on the ground as the pixel sees it. */
struct Place {
  vec3 local;
  vec3 up;
  vec3 normal;
  /** 0 level, 1 upright. */
  float steep;
  float elevation;
  /** Metres over the nearest water; large where there is none. */
  float overWater;
  /** 1 where that is the sea. */
  float isSea;
  float distanceM;
  /** Shares of the palette's scales. */
  vec2 climate;
  /** What the biome itself is coloured like, and how much that counts. */
  vec4 tint;
  float concavity;
  /** Facets: 0 far away, 1 near; and this one's own number. */
  float facets;
  float facet;
};

struct Grain {
  vec4 fine;
  vec4 medium;
  vec4 broad;
  vec4 land;
  float all;
  float patches;
};

Grain grainAt(vec3 local, vec3 up) {
  Grain g;
  // Footprints, clearings, hillsides, landscapes. Mipmaps turn each to even grey where it would shimmer.
  g.medium = texture(uNoise, local / 64.0);
  g.broad = texture(uNoise, local / 512.0);
#ifdef FINE
  g.fine = texture(uNoise, local / 8.0) * 0.6 + texture(uNoise, local / 2.0) * 0.4;
  g.land = texture(uNoise, up * 23.0);
#else
  g.fine = g.medium;
  g.land = vec4(0.5);
#endif
  g.all = g.fine.r * 0.30 + g.medium.r * 0.35 + g.broad.r * 0.35 - 0.5;
  g.patches = g.medium.g * 0.4 + g.broad.g * 0.6 - 0.5;
  return g;
}

/** Height of wind-blown ridges, 0 to 1, and their slope along the wind. */
vec2 dune(vec3 local, float wobble, vec3 wave, float distanceM) {
  float phase = dot(local, wave) * (6.2831853 / 1024.0) + wobble;
  // Steep on the lee side.
  float ridge = sin(phase + 0.6 * sin(phase));
  float seen = 1.0 - smoothstep(0.25, 0.6, distanceM * 0.025 * length(wave) / 1024.0);
  return vec2(ridge * 0.5 + 0.5, cos(phase)) * seen;
}

/** Colour of the ground; may turn the normal a little for forms that are too small for the mesh. */
vec3 groundAt(inout Place at, Grain g) {
  float temperature = at.climate.x + g.all * 0.03 + (g.land.r - 0.5) * 0.03;
  float rain = clamp(at.climate.y + g.patches * 0.16 + (g.land.g - 0.5) * 0.12, 0.0, 1.0);
  vec3 ground = texture(uPalette, vec2(temperature, rain)).rgb;
  // Meadows are never of one green: drier crests, lusher hollows, patches of another herb.
  float lush = smoothstep(0.25, 0.55, rain) * smoothstep(0.45, 0.55, temperature);
  vec3 dry = texture(uPalette, vec2(temperature, rain * 0.62)).rgb;
  ground = mix(ground, dry, lush * smoothstep(0.50, 0.68, g.broad.a * 0.5 + g.medium.a * 0.3 + g.land.b * 0.2));
  ground *= 1.0 + at.concavity * 0.14 * lush;
  ground = mix(ground, at.tint.rgb, at.tint.a * smoothstep(0.25, 0.6, 0.5 + g.all + g.patches));
  ground *= 0.86 + g.all * 0.28 + (at.facet - 0.5) * 0.16 * at.facets + (g.fine.g - 0.5) * 0.30;

  // Deserts: seas of dunes on level ground, gravel between them.
  float desert = (1.0 - smoothstep(0.13, 0.22, rain)) * smoothstep(0.52, 0.60, temperature) * (1.0 - smoothstep(0.05, 0.16, at.steep));
  float erg = desert * smoothstep(0.42, 0.58, g.land.a * 0.6 + texture(uNoise, at.up * 61.0).g * 0.4);
  if (erg > 0.0) {
    float wobble = g.broad.b * 4.5 + g.medium.b * 0.8;
    vec2 large = dune(at.local, wobble, vec3(9.0, 5.0, 7.0), at.distanceM);
    vec2 small = dune(at.local, wobble * 1.7 + g.medium.g * 5.0, vec3(-61.0, 83.0, 47.0), at.distanceM);
    float crest = large.x * 0.75 + small.x * 0.25;
    ground = mix(ground, SAND * mix(vec3(0.70, 0.58, 0.50), vec3(1.14, 1.08, 0.98), crest), erg * 0.9);
    vec3 wind = normalize(vec3(9.0, 5.0, 7.0) - at.up * dot(vec3(9.0, 5.0, 7.0), at.up));
    vec3 cross1 = normalize(vec3(-61.0, 83.0, 47.0) - at.up * dot(vec3(-61.0, 83.0, 47.0), at.up));
    at.normal = normalize(at.normal - (wind * large.y * 0.34 + cross1 * small.y * 0.16) * erg);
  }
  ground = mix(ground, ground * vec3(0.78, 0.72, 0.68), desert * (1.0 - erg) * smoothstep(0.5, 0.7, g.medium.b));

  float rockiness = smoothstep(0.10, 0.24, at.steep + g.all * 0.10 - at.concavity * 0.06);
  // Layers of stone, a few metres each, that bend with the land.
  float layer = at.elevation * 0.11 + g.broad.r * 5.0;
  float strata = abs(fract(layer) - 0.5) * 2.0 * (1.0 - smoothstep(1500.0, 6000.0, at.distanceM));
  vec3 rock = mix(ROCK_COLD, ROCK_WARM, smoothstep(0.45, 0.72, temperature)) * (0.86 + g.all * 0.6 + (at.facet - 0.5) * 0.2 * at.facets);
  rock *= 0.84 + 0.32 * smoothstep(0.2, 0.8, strata);
  ground = mix(ground, rock, rockiness);
  // Scree below the cliffs, where nothing holds.
  ground = mix(ground, mix(rock, GRAVEL, 0.5), smoothstep(0.06, 0.12, at.steep) * (1.0 - rockiness) * (1.0 - lush * 0.7) * 0.55);

  // Woods beyond the last tree that is drawn: crowns as flecks, gathered in groves some kilometres wide.
  float wood = smoothstep(0.30, 0.62, at.climate.y) * smoothstep(0.42, 0.52, at.climate.x) * (1.0 - rockiness);
  vec4 groves = texture(uNoise, at.up * 130.0);
  float crowns = smoothstep(0.40, 0.60, groves.r * 0.55 + g.broad.b * 0.45) * (0.55 + 0.45 * smoothstep(0.38, 0.66, g.medium.b));
  crowns *= wood * smoothstep(uTreesM * 0.6, uTreesM * 1.4, at.distanceM);
  ground *= (1.0 - crowns * vec3(0.44, 0.34, 0.42)) * (0.88 + groves.g * 0.24);

  // Sand at the sea, gravel and mud along rivers and lakes; wet ground is dark.
  float isWarm = smoothstep(0.44, 0.50, at.climate.x);
  float gentle = 1.0 - smoothstep(0.10, 0.25, at.steep);
  // Low ground far from any known water counts as a beach too: the mesh knows water only a step or two away.
  float byTheSea = max(at.isSea, step(500.0, at.overWater));
  float beach = byTheSea * (1.0 - smoothstep(1.3, 3.2 + g.patches * 2.5, at.elevation)) * gentle * isWarm;
  ground = mix(ground, SAND * (1.0 + g.all * 0.16 + (at.facet - 0.5) * 0.05), beach);
  float stones = (1.0 - smoothstep(0.8, 2.6, at.overWater)) * (1.0 - isWarm);
  float bank = mix(1.0 - smoothstep(0.15, 0.7 + g.patches * 0.8, at.overWater), stones, at.isSea);
  ground = mix(ground, mix(GRAVEL, MUD, lush * 0.75) * (1.0 + g.all * 0.6 + (g.fine.b - 0.5) * 0.5), bank * 0.85);
  ground *= 1.0 - 0.38 * (1.0 - smoothstep(0.05, 0.5 + g.all * 0.4, at.overWater));

  float cold = 0.5 - 0.035 - at.climate.x;
  float snow = smoothstep(-0.012, 0.03, cold + g.all * 0.05 + at.concavity * 0.02);
  snow *= 1.0 - smoothstep(0.13, 0.26, at.steep + g.all * 0.14 - at.concavity * 0.1);
  // Wind leaves it in ripples.
  float drift = dune(at.local, g.medium.g * 6.0, vec3(37.0, 29.0, -53.0), at.distanceM).x;
  // Rain darkens what lies level; new snow fills hollows first, and the steep stays bare.
  ground *= 1.0 - uGround.x * (0.34 + 0.1 * g.patches) * (1.0 - snow);
  float fresh = uGround.y * (1.0 - smoothstep(0.10, 0.30, at.steep + g.all * 0.1));
  snow = max(snow, smoothstep(0.0, 0.35, fresh * 1.35 - 0.35 + g.all * 0.25 + g.patches * 0.3 + at.concavity * 0.1) * min(1.0, fresh * 3.0));
  return mix(ground, SNOW * (0.95 + g.all * 0.12 + drift * 0.06 + (at.facet - 0.5) * 0.05 * at.facets), snow);
}
`;
