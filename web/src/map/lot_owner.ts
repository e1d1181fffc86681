/** The person who looks at the map: only those who have an account on this planet may ask whose land is. */
import type { CellId } from "../geo/cell_id.ts";
import { Api } from "../net/api.ts";
import type { Lot } from "../net/domain.ts";
import { knownIdentity } from "../net/open_identity.ts";

interface Viewer {
  readonly api: Api;
  readonly ownIds: readonly string[];
}

let viewer: Promise<Viewer | undefined> | undefined;

/** Whoever has walked here with this browser; looking at a map makes nobody an account. */
export function openViewer(): Promise<Viewer | undefined> {
  viewer ??= open();
  return viewer;
}

async function open(): Promise<Viewer | undefined> {
  const identity = await knownIdentity();
  if (!identity) return undefined;
  await identity.accessToken();
  const api = new Api(identity);
  const ownIds = [...(await api.ownIds(identity.account?.accountId))];
  return { api, ownIds };
}

/** A lot as the server knows it; `undefined` for somebody who has never walked here. */
export async function askLot(lot: CellId): Promise<Lot | undefined> {
  return (await openViewer())?.api.lot(lot);
}
