/** Time of day and weather as one reads them. */
import type { Weather } from "../core/sky.ts";
import type { Vec3 } from "../geo/vec3.ts";

/** The share of the day at a point by its sun: 0 midnight, 0.5 noon. */
export function clockAt(point: Vec3, sun: Vec3): number {
  const ahead = Math.atan2(point[1], point[0]) - Math.atan2(sun[1], sun[0]);
  const turns = ahead / (2 * Math.PI) + 0.5;
  return turns - Math.floor(turns);
}

/** As a clock of 24 hours shows it, whatever length the day has. */
export function clockText(dayShare: number): string {
  const minutes = Math.floor(dayShare * 1440);
  const two = (value: number) => String(value).padStart(2, "0");
  return `${two(Math.floor(minutes / 60) % 24)}:${two(minutes % 60)}`;
}

/** The most important thing about a weather, in one or two words. */
export function weatherText({ cloudCover, precipitation, snowShare, fog }: Weather): string {
  if (precipitation > 0.01) {
    const what = snowShare > 0.7 ? "snow" : snowShare > 0.3 ? "sleet" : "rain";
    if (precipitation < 0.04 && what === "rain") return "drizzle";
    if (precipitation < 0.22) return `light ${what}`;
    return precipitation < 0.6 ? what : `heavy ${what}`;
  }
  if (fog > 0.12) return fog > 0.32 ? "fog" : "mist";
  if (cloudCover < 0.12) return "clear";
  if (cloudCover < 0.45) return "fair";
  return cloudCover < 0.85 ? "cloudy" : "overcast";
}

/** A gale is worth a word. */
const WINDY_MPS = 11;

export function skyLine(dayShare: number, weather: Weather): string {
  const wind = Math.hypot(...weather.windMps) > WINDY_MPS ? ", windy" : "";
  const degrees = Math.round(weather.temperatureC).toString().replace("-", "−");
  return `${clockText(dayShare)} · ${weatherText(weather)}${wind} · ${degrees} °C`;
}
