/** What the browser must be able to do, checked before anything is loaded. */

/** Why playing is not possible here, in words for the person. */
export class Unplayable extends Error {
  constructor(
    readonly title: string,
    text: string,
  ) {
    super(text);
  }
}

/** Throws {@link Unplayable} when WebAssembly or WebGL 2 is missing. */
export function requireBrowser(): void {
  if (typeof WebAssembly !== "object") {
    throw new Unplayable(
      "This browser cannot run the planet",
      "WebAssembly is missing or switched off (some strict privacy modes do that). Switch it on, or open this page in another browser.",
    );
  }
  const probe = document.createElement("canvas");
  const context = probe.getContext("webgl2");
  if (!context) {
    throw new Unplayable(
      "This browser cannot draw the planet",
      "WebGL 2 is missing or switched off. Check that hardware acceleration is on in the browser’s settings, or open this page in another browser.",
    );
  }
  // Browsers allow few contexts at a time: give this one back.
  context.getExtension("WEBGL_lose_context")?.loseContext();
}
