/** A browser's own description of itself in words: `Firefox on Linux`. */
const BROWSERS = [
  [/\bEdg(?:e|A|iOS)?\//, "Edge"],
  [/\bOPR\//, "Opera"],
  [/\bFirefox\/|\bFxiOS\//, "Firefox"],
  [/Chrome\/|\bCriOS\//, "Chrome"],
  [/\bSafari\//, "Safari"],
] as const;
const SYSTEMS = [
  [/\bAndroid\b/, "Android"],
  [/\biPhone\b/, "iPhone"],
  [/\biPad\b/, "iPad"],
  [/\bWindows\b/, "Windows"],
  [/\bMac OS X\b|\bMacintosh\b/, "Mac"],
  [/\bCrOS\b/, "Chromebook"],
  [/\bLinux\b/, "Linux"],
] as const;

export function deviceWords(userAgent: string | null | undefined): string {
  if (!userAgent) return "A device";
  const find = (choices: readonly (readonly [RegExp, string])[]) =>
    choices.find(([pattern]) => pattern.test(userAgent))?.[1];
  const browser = find(BROWSERS);
  const system = find(SYSTEMS);
  if (browser && system) return `${browser} on ${system}`;
  // A program that speaks for itself: its name and nothing that follows.
  return browser ?? system ?? userAgent.slice(0, 40).split("/", 1)[0]?.trim() ?? "A device";
}

/** What this device may be called in the list of keys. */
export const thisDeviceWords = (): string => deviceWords(navigator.userAgent);
