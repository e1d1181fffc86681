/** What the interface answers staff, as the console uses it. */
import type { Page, Role } from "../account/shapes.ts";

export type { Page, Role };

export interface PersonRow {
  readonly account_id: string;
  readonly display_name: string;
  readonly role: Role;
  readonly state: string;
  readonly suspended_until?: string | null;
  readonly created_at: string;
}

export interface StaffSession {
  readonly session_id: string;
  readonly method: string;
  readonly signed_in_at: string;
  readonly last_seen_at: string;
  readonly expires_at: string;
}

export interface Money {
  readonly asset: string;
  readonly amount_minor: number;
  readonly held_minor: number;
}

export interface PersonInFull {
  readonly person: PersonRow;
  readonly last_seen_at?: string | null;
  readonly sessions: readonly StaffSession[];
  readonly lands: readonly {
    readonly token: string;
    readonly name?: string | null;
    readonly cell_count: number;
    readonly is_frozen: boolean;
  }[];
  readonly has_more_lands: boolean;
  readonly balances: readonly Money[];
  readonly note_count: number;
}

export interface NoteView {
  readonly note_id: string;
  readonly author_id: string;
  readonly author_name?: string | null;
  readonly text?: string | null;
  readonly written_at: string;
}

export interface LedgerAccount {
  readonly account_id: string;
  readonly kind: string;
  readonly name?: string | null;
  readonly opened_at: string;
  readonly deeds: number;
  readonly balances: readonly Money[];
}

export interface PostingView {
  readonly posting_id: string;
  readonly kind: string;
  readonly reference: string;
  readonly posted_at: string;
  readonly reverses?: string | null;
  readonly reversed_by?: string | null;
  readonly chain_number?: number | null;
  readonly hash?: string | null;
  readonly amount_minor: number;
  readonly moves_deeds: boolean;
  readonly legs: readonly {
    readonly account_id: string;
    readonly account_kind: string;
    readonly name?: string | null;
    readonly asset: string;
    readonly amount_minor: number;
    readonly balance_after_minor: number;
  }[];
}

export interface CheckView {
  readonly is_sound: boolean;
  readonly postings: number;
  readonly unsealed: number;
  readonly chain_number: number;
  readonly chain_hash: string;
  readonly sums: Readonly<Record<string, number>>;
  readonly unbalanced: readonly string[];
}

export interface ActView {
  readonly act_id: string;
  readonly kind: string;
  readonly subject_id: string;
  readonly amount_minor: number;
  readonly requested_by: string;
  readonly requested_by_name?: string | null;
  readonly requested_at: string;
  readonly expires_at: string;
  readonly reason?: string | null;
  readonly state: string;
  readonly decided_by?: string | null;
  readonly decided_at?: string | null;
}

export interface AuditEntry {
  readonly sequence: number;
  readonly entry_id: string;
  readonly at: string;
  readonly actor: { readonly kind: string; readonly account_id?: string | null };
  readonly action: string;
  readonly subject: { readonly kind: string; readonly id: string };
  readonly details: unknown;
  readonly reason_state: string;
  readonly reason?: string | null;
  readonly hash: string;
}

export interface CheckpointView {
  readonly tree_size: number;
  readonly at: string;
  readonly root: string;
  readonly chain_hash: string;
  readonly public_key: string;
  readonly signature: string;
}

export interface ProofView {
  readonly sequence: number;
  readonly leaf_data: string;
  readonly leaf_hash: string;
  readonly tree_size: number;
  readonly root: string;
  readonly path: readonly string[];
  readonly checkpoint?: CheckpointView | null;
}

export interface VerificationView {
  readonly entries: number;
  readonly waiting: number;
  readonly head_hash: string;
  readonly root: string;
  readonly faults: number;
  readonly checked_at?: string | null;
  readonly checkpoint?: CheckpointView | null;
}

export interface ZoneView {
  readonly name: string;
  readonly is_alive: boolean;
  readonly tick: number;
  readonly load: number;
  readonly connected: number;
  readonly bodies: number;
  readonly skipped_ticks: number;
  readonly dropped_frames: number;
}

export interface WorldView {
  readonly zones: readonly ZoneView[];
  readonly people_count: number;
  readonly people: readonly {
    readonly account_id: string;
    readonly display_name: string;
    readonly zone: string;
    readonly lat_deg: number;
    readonly lng_deg: number;
  }[];
}

export interface SystemView {
  readonly version: string;
  readonly engine: string;
  readonly database_bytes?: number | null;
  readonly migrations: readonly number[];
  readonly is_storing: boolean;
  readonly is_zone_alive?: boolean | null;
  readonly limits: readonly { readonly name: string; readonly policy: string }[];
  readonly configuration: string;
}
