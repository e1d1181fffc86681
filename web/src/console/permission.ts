/**
 * What each role may do: a copy of the server's own table (`crates/api/src/permission.rs`, compared by a test), so that
 * the console shows nobody what would be refused. The server decides.
 */
import type { Role } from "../account/shapes.ts";

const MODERATOR = [
  "PeopleRead",
  "PeopleNote",
  "PeopleSuspend",
  "LandFreeze",
  "MarketCancel",
  "WorldRead",
] as const;
const DEVELOPER = ["LedgerRead", "AuditRead", "WorldRead", "SystemRead"] as const;

export const STAFF_PERMISSIONS = [
  "PeopleRead",
  "PeopleNote",
  "PeopleSuspend",
  "PeopleBan",
  "PeopleRoles",
  "PeopleData",
  "LandFreeze",
  "LandRestore",
  "MarketCancel",
  "LedgerRead",
  "LedgerReverse",
  "ActApprove",
  "AuditRead",
  "WorldRead",
  "SystemRead",
] as const;
export type Permission = (typeof STAFF_PERMISSIONS)[number];

const TABLE: Readonly<Record<Role, readonly Permission[]>> = {
  player: [],
  moderator: MODERATOR,
  developer: DEVELOPER,
  admin: STAFF_PERMISSIONS,
};

export const may = (role: Role, permission: Permission): boolean => TABLE[role].includes(permission);
