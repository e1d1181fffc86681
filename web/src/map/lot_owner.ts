/** Whose a lot is: only those who have an account on this planet may ask. */
import type { CellId } from "../geo/cell_id.ts";
import { Api } from "../net/api.ts";
import { hasDeviceKey, openDeviceKey } from "../net/device_key.ts";
import type { Lot } from "../net/domain.ts";
import { Identity } from "../net/identity.ts";

let api: Promise<Api | undefined> | undefined;

/** The calls of the person who has walked here with this browser; looking at a map makes nobody an account. */
async function openApi(): Promise<Api | undefined> {
  if (!(await hasDeviceKey())) return undefined;
  return new Api(new Identity(await openDeviceKey(), location.origin, () => Date.now()));
}

/** A lot as the server knows it; `undefined` for somebody who has never walked here. */
export async function askLot(lot: CellId): Promise<Lot | undefined> {
  api ??= openApi();
  return (await api)?.lot(lot);
}
