/** Sea, lakes and rivers: colour by depth, waves near and calm far, the sun's glitter, foam at the shore, ice in the cold. */

/**
 * For the terrain's fragment shader, which declares `uNoise`, `uLight`, `uTimeS`, `uSun`, `uMoon`, `uGloom`. Near one sees single
 * waves; from far they turn into roughness that widens the glitter.
 */
export const WATER_GLSL = /* glsl */ `
/** Light lost per metre of water, red first: the sea is clear and blue, rivers carry silt. */
const vec3 SEA_LOSS = vec3(0.38, 0.085, 0.060);
const vec3 RIVER_LOSS = vec3(0.85, 0.46, 0.62);
const vec3 SEA_BODY = vec3(0.004, 0.034, 0.082);
const vec3 SHELF_BODY = vec3(0.020, 0.150, 0.175);
const vec3 RIVER_BODY = vec3(0.030, 0.072, 0.066);
const vec3 ICE = vec3(0.690, 0.770, 0.830);

struct Water {
  vec3 local;
  vec3 up;
  vec3 view;
  float distanceM;
  float depth;
  /** 1 at sea, 0 inland. */
  float isSea;
  /** Downhill along the surface, longer where the water is quick. */
  vec3 flow;
  float temperature;
};

/** The light in which the water lies. */
struct Light {
  vec3 sun;
  vec3 moon;
  vec3 sky;
  vec2 shades;
};

vec3 skyRow(float cosZenith, float row) {
  float height = cosZenith * 0.4961 + 0.5;
  vec3 light = texture(uLight, vec2(height, (row + 0.5) / 4.0)).rgb;
  if (uGloom.y <= 0.0) return light;
  // A closed sky is about as bright at the horizon as overhead.
  vec3 closed = underClouds(texture(uLight, vec2(height, 0.625)).rgb, texture(uLight, vec2(height, 0.125)).rgb * max(cosZenith, 0.0), 1.0);
  return mix(light, closed * 0.85, uGloom.y);
}

vec3 ripples(vec3 at, float size, vec3 drift) {
  return texture(uNoise, (at + drift) / size).rgb - 0.5;
}

/**
 * Ripples that a current carries along: two that start anew in turns, as one that never did would be drawn out into
 * threads where the current differs from place to place.
 */
vec3 carried(vec3 at, float size, vec3 drift, vec3 flow) {
  if (dot(flow, flow) < 1e-4) return ripples(at, size, drift);
  float turn = uTimeS / 3.0;
  float first = fract(turn), second = fract(turn + 0.5);
  vec3 a = ripples(at - flow * 3.0 * (first - 0.5), size, drift);
  vec3 b = ripples(at - flow * 3.0 * (second - 0.5) + 3.7, size, drift);
  return mix(a, b, abs(first - 0.5) * 2.0);
}

vec3 glintOf(vec3 light, vec3 towards, vec3 bounced, float sharp) {
  return light * pow(max(0.0, dot(bounced, towards)), sharp) * sharp;
}

vec3 waterLight(Water w, Grain g, Light l) {
  // Trains of ripples run through the noise; its channels are the slopes. Rivers carry them along.
  vec3 swell = ripples(w.local, 64.0, vec3(0.70, 0.45, -0.58) * uTimeS);
  vec3 chop = carried(w.local, 16.0, vec3(-0.34, 0.50, 0.27) * uTimeS, w.flow).gbr;
  float open = mix(0.35, 1.0, w.isSea) * smoothstep(-0.2, 2.5, w.depth);
  vec3 waves = swell * 0.17 * open + chop * 0.20 * mix(0.5, 1.0, open);
#ifdef FINE
  waves += ripples(w.local, 8.0, vec3(0.34, -0.30, 0.23) * uTimeS).brg * 0.15;
  waves += carried(w.local, 2.0, vec3(-0.12, 0.10, 0.13) * uTimeS, w.flow) * 0.10;
#endif
  vec3 surface = normalize(w.up + (waves - w.up * dot(waves, w.up)) * 0.62);
  float facing = clamp(dot(surface, -w.view), 0.0, 1.0);
  float fresnel = 0.02 + 0.98 * pow(1.0 - facing, 5.0);
  float sunHeight = dot(w.up, uSun);
  float moonHeight = dot(w.up, uMoon);
  vec3 above = l.sun * max(0.0, sunHeight) * mix(0.5, 1.0, l.shades.x) + l.moon * max(0.0, moonHeight) + l.sky;

  // What comes up: the bed through the water, and the water's own colour.
  vec3 loss = mix(RIVER_LOSS, SEA_LOSS, w.isSea);
  vec3 clear = exp(-loss * max(0.0, w.depth) * (1.0 + 0.6 / max(0.3, facing)));
  vec3 bed = mix(vec3(0.190, 0.165, 0.120), vec3(0.420, 0.385, 0.270), w.isSea) * (1.0 + g.all * 0.5);
  vec3 own = mix(RIVER_BODY, mix(SHELF_BODY, SEA_BODY, 1.0 - exp(-w.depth * 0.022)), w.isSea);
  // Cold seas are greyer, and the open sea has its own regions.
  own *= mix(vec3(1.0), vec3(0.85, 1.0, 0.92), 1.0 - smoothstep(0.50, 0.62, w.temperature)) * (0.88 + g.land.g * 0.24);
  vec3 body = mix(own, bed, clear) * above;

  vec3 bounced = reflect(w.view, surface);
  float lift = clamp(dot(bounced, w.up), 0.0, 1.0);
  vec3 mirrored = mix(skyRow(sunHeight, 3.0), skyRow(sunHeight, 2.0), pow(lift, 0.45));
  // Inland water mirrors its banks where it is seen at a low angle.
  mirrored *= mix(0.82, 1.0, max(w.isSea, smoothstep(0.02, 0.25, lift)));
  float sharp = mix(260.0, 30.0, smoothstep(150.0, 60000.0, w.distanceM));
  vec3 glint = (glintOf(l.sun, uSun, bounced, sharp) * l.shades.x + glintOf(l.moon, uMoon, bounced, sharp) * 1.6) * (0.02 + fresnel) * 0.15;

  // Foam: a hem at the very edge, bands that come in from the sea, white water where rivers are steep.
  float tide = sin(w.depth * 4.2 + uTimeS * 0.9 + g.medium.b * 9.0) * 0.5 + 0.5;
  float hem = (1.0 - smoothstep(0.0, 0.22 + 0.16 * g.fine.b, w.depth)) * mix(0.25, 1.0, w.isSea);
  float band = smoothstep(0.72, 0.95, tide) * (1.0 - smoothstep(0.2, 1.6, w.depth)) * smoothstep(0.35, 0.6, g.fine.a + chop.g * 0.6) * w.isSea;
  float rapids = smoothstep(0.5, 1.6, length(w.flow)) * smoothstep(0.48, 0.62, chop.r * 0.5 + 0.5 + (g.fine.a - 0.5) * 0.5) * (1.0 - w.isSea);
  float foam = max(max(hem, band * 0.8), rapids * 0.8) * (1.0 - smoothstep(300.0, 1500.0, w.distanceM));
  vec3 white = vec3(0.80) * (l.sun * max(0.12, sunHeight) * l.shades.x + l.moon * max(0.0, moonHeight) + l.sky);
  vec3 light = mix(mix(body, mirrored, fresnel) + glint, white, foam);

  // Ice: whole in the cold, in floes at its edge. The sea freezes later than lakes.
  float margin = 0.5 - mix(0.020, 0.075, w.isSea) - w.temperature;
  float freeze = smoothstep(0.0, 0.03, margin + g.patches * 0.05 + (g.land.b - 0.5) * 0.07 + (texture(uNoise, w.up * 4.0).a - 0.5) * 0.09);
  float leads = smoothstep(0.02, 0.07, abs(g.broad.a * 0.6 + g.medium.a * 0.4 - 0.5) + max(0.0, margin - 0.06));
  float frozen = freeze * mix(1.0, leads, w.isSea * (1.0 - smoothstep(4000.0, 20000.0, w.distanceM)));
  vec3 sheet = ICE * (l.sun * max(0.0, dot(normalize(w.up + waves * 0.10), uSun)) * l.shades.x + l.moon * max(0.0, moonHeight) + l.sky);
  return mix(light, sheet * (0.94 + g.all * 0.22), frozen);
}
`;
