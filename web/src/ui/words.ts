/** Sentences for codes: what went wrong, said to a person. */
import type { ConnectionState } from "../net/session.ts";

/** Why a lot cannot be claimed. */
const LOT_REASONS: Readonly<Record<string, string>> = {
  under_water: "The sea belongs to everyone.",
};

export function lotReason(code: string | undefined): string {
  return (code && LOT_REASONS[code]) || "This ground cannot be owned.";
}

/** What to do about a refused connection. */
export interface RefusalWords {
  readonly title: string;
  readonly text: string;
  readonly action: "reload" | "reconnect";
  readonly actionLabel: string;
}

export function refusalWords({ code, detail }: Extract<ConnectionState, { kind: "refused" }>): RefusalWords {
  switch (code) {
    case "protocol_mismatch":
      return {
        title: "The planet has moved on",
        text: "A newer version is there. Load the page again to go on where you are.",
        action: "reload",
        actionLabel: "Load again",
      };
    case "replaced":
      return {
        title: "You are playing in another window",
        text: "A body can only be in one place. Your other window has it now.",
        action: "reconnect",
        actionLabel: "Play here",
      };
    case "too_slow":
      return {
        title: "The connection could not keep up",
        text: "The planet sent more than arrived here. A calmer network or lower quality may help.",
        action: "reconnect",
        actionLabel: "Try again",
      };
    default:
      return {
        title: "The planet does not let you in",
        text: detail || "It gave no reason.",
        action: "reconnect",
        actionLabel: "Try again",
      };
  }
}

/** A direction relative to the look, in a word. */
export function directionWord(directionRad: number): string {
  const eighth = Math.round(directionRad / (Math.PI / 4));
  switch (Math.abs(eighth)) {
    case 0:
      return "ahead";
    case 1:
      return eighth > 0 ? "ahead right" : "ahead left";
    case 2:
      return eighth > 0 ? "right" : "left";
    case 3:
      return eighth > 0 ? "behind right" : "behind left";
    default:
      return "behind";
  }
}

/** `Temperate forest` from `temperate forest`. */
export function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
