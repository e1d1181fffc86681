/**
 * What a person prefers on every device and every page. It is kept with the account; this browser keeps what it heard
 * last, so that no page waits for it.
 */

export type Units = "metric" | "imperial";

export interface Preferences {
  readonly units: Units;
  /** The page moves as little as it can. */
  readonly reducesMotion: boolean;
}

const STORAGE_KEY = "terrane.preferences/1";
const DEFAULTS: Preferences = { units: "metric", reducesMotion: false };

/** What is kept; anything unreadable is the default. */
export function parsePreferences(text: string | null): Preferences {
  try {
    const kept: unknown = JSON.parse(text ?? "{}");
    if (typeof kept !== "object" || kept === null) return DEFAULTS;
    return {
      units: Reflect.get(kept, "units") === "imperial" ? "imperial" : "metric",
      reducesMotion: Reflect.get(kept, "reducesMotion") === true,
    };
  } catch {
    return DEFAULTS;
  }
}

let now = take(load());

/** What holds on this page. */
export const preferences = (): Preferences => now;

/** The account's own settings have been heard of: they hold from now on. */
export function keepPreferences(settings: { readonly units: Units; readonly reduces_motion: boolean }): void {
  now = take({ units: settings.units, reducesMotion: settings.reduces_motion });
  try {
    localStorage.setItem(STORAGE_KEY, JSON.stringify(now));
  } catch {
    // A private window keeps nothing; this page knows it all the same.
  }
}

/** Somebody else will use this browser. */
export function forgetPreferences(): void {
  now = take(DEFAULTS);
  try {
    localStorage.removeItem(STORAGE_KEY);
  } catch {
    // Nothing was kept.
  }
}

/** Whether pictures should stand still, by this person's word or by that of their machine. */
export function movesLittle(): boolean {
  return now.reducesMotion || matchMedia("(prefers-reduced-motion: reduce)").matches;
}

function load(): Preferences {
  try {
    return parsePreferences(localStorage.getItem(STORAGE_KEY));
  } catch {
    return DEFAULTS;
  }
}

/** Styles ask the document (`base.css`). */
function take(preferences: Preferences): Preferences {
  if (typeof document !== "undefined") {
    document.documentElement.toggleAttribute("data-moves-little", preferences.reducesMotion);
  }
  return preferences;
}
