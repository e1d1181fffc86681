/** Choices of this browser, kept between visits; where nothing can be kept they last as long as the page. */
import type { Quality } from "../world/quality.ts";
import type { Daylight } from "./daytime.ts";
import { probeGraphics } from "./requirements.ts";

export type { Daylight, Quality };

export interface Settings {
  readonly quality: Quality;
  readonly daylight: Daylight;
  /** The welcome card was closed once. */
  readonly isWelcomed: boolean;
}

const STORAGE_KEY = "terrane.settings/1";
const QUALITIES: ReadonlySet<unknown> = new Set<Quality>(["low", "medium", "high"]);

/** What is kept, completed by defaults; anything unreadable is ignored. */
export function parseSettings(text: string | null, suggested: Quality): Settings {
  const kept: unknown = (() => {
    try {
      return JSON.parse(text ?? "{}");
    } catch {
      return {};
    }
  })();
  const field = (name: string): unknown =>
    typeof kept === "object" && kept !== null ? Reflect.get(kept, name) : undefined;
  const quality = field("quality");
  return {
    quality: QUALITIES.has(quality) ? (quality as Quality) : suggested,
    daylight: field("daylight") === "day" ? "day" : "planet",
    isWelcomed: field("isWelcomed") === true,
  };
}

export function loadSettings(): Settings {
  const isPhone = matchMedia("(pointer: coarse)").matches;
  const suggested = probeGraphics() === "software" ? "low" : isPhone ? "medium" : "high";
  try {
    return parseSettings(localStorage.getItem(STORAGE_KEY), suggested);
  } catch {
    return parseSettings(null, suggested);
  }
}

export function saveSettings(settings: Settings): void {
  try {
    localStorage.setItem(STORAGE_KEY, JSON.stringify(settings));
  } catch {
    // A private window keeps nothing; the choice still holds for this page.
  }
}
