/** What the market shows, asked again when an event says that it may have changed. */
import type { HappenedEvent } from "../net/event_stream.ts";
import { type Loaded, load as loadForPage } from "../page/loaded.svelte.ts";
import { useVisit } from "./visit.svelte.ts";

/** For use while a component is set up: asks at once, and again when something that `ask` reads changes. */
export function load<T>(
  ask: () => Promise<T>,
  concerns: (event: HappenedEvent) => boolean = () => false,
): Loaded<T> {
  const visit = useVisit();
  return loadForPage(ask, (onOld) =>
    visit.listen((event) => {
      // Without an event some may have been missed.
      if (event === undefined || concerns(event)) onOld();
    }),
  );
}
