/** What the interface answers staff, as the console uses it. */
import type { ErasureView, ExportView, Page, Role, SessionView } from "../account/shapes.ts";

export type { ErasureView, ExportView, Page, Role, SessionView };

export interface PersonRow {
  readonly account_id: string;
  readonly display_name: string;
  readonly color: string;
  readonly created_at: string;
  readonly role: Role;
  readonly state: string;
  readonly suspended_until?: string | null;
}

export type PersonView = PersonRow & Readonly<Record<string, unknown>>;

export interface NoteView {
  readonly note_id: string;
  readonly author_id: string;
  readonly author_name?: string | null;
  readonly text: string;
  readonly created_at: string;
}

export interface LedgerAccount {
  readonly ledger_account_id: string;
  readonly kind: string;
  readonly currency: string;
  readonly balance_minor: number;
}

export interface PostingView {
  readonly posting_id: string;
  readonly reason: string;
  readonly at: string;
  readonly legs: readonly {
    readonly account_id: string;
    readonly amount_minor: number;
    readonly currency: string;
  }[];
  readonly reversed_by?: string | null;
  readonly reverses?: string | null;
}

export interface ActView {
  readonly act_id: string;
  readonly kind: string;
  readonly state: string;
  readonly proposed_by: string;
  readonly proposed_at: string;
  readonly reason: string;
  readonly details: Readonly<Record<string, unknown>>;
}

export interface AuditEntry {
  readonly sequence: number;
  readonly at: string;
  readonly actor: unknown;
  readonly action: string;
  readonly subject_kind: string;
  readonly subject_id: string;
  readonly reason?: string | null;
  readonly details: Readonly<Record<string, unknown>>;
  readonly hash: string;
}

export interface WorldPerson {
  readonly account_id: string;
  readonly display_name: string;
  readonly lat_deg: number;
  readonly lng_deg: number;
}

export interface WorldView {
  readonly people: readonly WorldPerson[];
  readonly zones: readonly Readonly<Record<string, unknown>>[];
}

/** What an act did: it was done, or it waits for somebody else. */
export interface Acted {
  readonly act_id?: string | null;
}
