/** What the interface answers staff: the names of its document, as the console uses them. */
import type { components } from "../gen/openapi.ts";

type Schemas = components["schemas"];

export interface Page<T> {
  readonly items: readonly T[];
  readonly next_cursor?: string | null;
}

export type Role = Schemas["PersonView"]["role"];
export type State = Schemas["PersonView"]["state"];
export type PersonRow = Schemas["PersonView"];
export type StaffSession = Schemas["SessionView"];
export type PostingView = Schemas["LedgerPostingView"];
export type ActView = Schemas["ActView"];
export type Title = Schemas["TitleView"];
export type WorldView = Schemas["WorldView"];
