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

/** Who draws: the difference between sixty pictures a second and three. */
export type Graphics = "none" | "software" | "hardware";

let graphics: Graphics | undefined;

/** Looks once, and gives the context back: browsers allow few at a time. */
export function probeGraphics(): Graphics {
  if (graphics) return graphics;
  const context = document.createElement("canvas").getContext("webgl2");
  if (!context) {
    graphics = "none";
  } else {
    const info = context.getExtension("WEBGL_debug_renderer_info");
    const renderer = String(context.getParameter(info ? info.UNMASKED_RENDERER_WEBGL : context.RENDERER));
    graphics = /swiftshader|llvmpipe|software|basic render/i.test(renderer) ? "software" : "hardware";
    context.getExtension("WEBGL_lose_context")?.loseContext();
  }
  return graphics;
}

/** Throws {@link Unplayable} when WebAssembly or WebGL 2 is missing. */
export function requireBrowser(): void {
  if (typeof WebAssembly !== "object") {
    throw new Unplayable(
      "This browser cannot run the planet",
      "WebAssembly is missing or switched off (some strict privacy modes do that). Switch it on, or open this page in another browser.",
    );
  }
  if (probeGraphics() === "none") {
    throw new Unplayable(
      "This browser cannot draw the planet",
      "WebGL 2 is missing or switched off. Check that hardware acceleration is on in the browser’s settings, or open this page in another browser.",
    );
  }
}
