/** What the interface answers about one's own account, as its pages use it. */

export interface Page<T> {
  readonly items: readonly T[];
  readonly next_cursor?: string | null;
}

export type Role = "player" | "moderator" | "developer" | "admin";

export interface Me {
  readonly account_id: string;
  readonly display_name: string;
  readonly color: string;
  readonly created_at: string;
  readonly role: Role;
  readonly has_password: boolean;
  readonly email?: string | null;
  readonly email_is_confirmed: boolean;
  readonly is_guest: boolean;
}

export interface DeviceKeyView {
  readonly key_id: string;
  readonly label?: string | null;
  readonly created_at: string;
  readonly last_used_at?: string | null;
  readonly is_current: boolean;
}

export interface SessionView {
  readonly session_id: string;
  readonly is_current: boolean;
  readonly method: string;
  readonly key_id?: string | null;
  readonly user_agent?: string | null;
  readonly created_at: string;
  readonly last_used_at: string;
  readonly expires_at: string;
}

export type Scope = "read" | "land" | "trade" | "staff";

export interface ApiKeyView {
  readonly api_key_id: string;
  readonly name: string;
  readonly scopes: readonly Scope[];
  readonly created_at: string;
  readonly expires_at: string;
  readonly last_used_at?: string | null;
}

export interface ProviderView {
  readonly id: string;
  readonly name: string;
}

export interface LinkedView {
  readonly identity_id: string;
  readonly provider_name: string;
  readonly linked_at: string;
  readonly last_used_at: string;
}

export interface ExportView {
  readonly export_id: string;
  readonly state: string;
  readonly created_at: string;
  readonly ready_at?: string | null;
  readonly expires_at?: string | null;
  readonly size_bytes?: number | null;
}

export interface Consequence {
  readonly code: string;
  readonly count?: number | null;
  readonly amount_minor?: number | null;
  readonly currency?: string | null;
}

export interface ErasureView {
  readonly state: string;
  readonly requested_at?: string | null;
  readonly due_at?: string | null;
  readonly cooling_off_days: number;
  readonly consequences: readonly Consequence[];
}

export interface Settings {
  readonly language?: string | null;
  readonly units: "metric" | "imperial";
  readonly reduces_motion: boolean;
  readonly shows_last_seen: boolean;
}
