/** Choices of this browser, kept between visits; where nothing can be kept they last as long as the page. */
import type { Device, Quality } from "../world/quality.ts";
import type { Daylight } from "./daytime.ts";
import type { Graphics } from "./requirements.ts";

export type { Daylight, Quality };

/** A level, or whichever suits this machine, with fewer pixels where it has to. */
export type QualityChoice = Quality | "auto";

export interface Settings {
  readonly quality: QualityChoice;
  readonly daylight: Daylight;
  /** The welcome card was closed once. */
  readonly isWelcomed: boolean;
  /** How connection and picture do is shown over the world. */
  readonly showsVitals: boolean;
}

const STORAGE_KEY = "terrane.settings/1";
const QUALITIES: ReadonlySet<unknown> = new Set<QualityChoice>(["auto", "low", "medium", "high"]);

/** What is kept, completed by defaults; anything unreadable is ignored. */
export function parseSettings(text: string | null): Settings {
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
    quality: QUALITIES.has(quality) ? (quality as QualityChoice) : "auto",
    daylight: field("daylight") === "day" ? "day" : "planet",
    isWelcomed: field("isWelcomed") === true,
    showsVitals: field("showsVitals") === true,
  };
}

export function loadSettings(): Settings {
  try {
    return parseSettings(localStorage.getItem(STORAGE_KEY));
  } catch {
    return parseSettings(null);
  }
}

/** What this machine tells about itself. */
export function thisDevice(): Device {
  const memory: unknown = Reflect.get(navigator, "deviceMemory");
  return {
    isPhone: matchMedia("(pointer: coarse)").matches,
    memoryGb: typeof memory === "number" ? memory : undefined,
  };
}

/** The level to draw at. */
export function qualityOf(choice: QualityChoice, graphics: Graphics, device: Device): Quality {
  if (choice !== "auto") return choice;
  if (graphics === "software") return "low";
  return device.isPhone || (device.memoryGb ?? 8) <= 4 ? "medium" : "high";
}

export function saveSettings(settings: Settings): void {
  try {
    localStorage.setItem(STORAGE_KEY, JSON.stringify(settings));
  } catch {
    // A private window keeps nothing; the choice still holds for this page.
  }
}
