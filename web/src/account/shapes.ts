/** What the interface answers about one's own account: the names of its document, as the pages use them. */
import type { components } from "../gen/openapi.ts";

type Schemas = components["schemas"];

export type Role = Schemas["OwnProfileAnswer"]["role"];
export type Me = Schemas["OwnProfileAnswer"];
export type DeviceKeyView = Schemas["KeyItem"];
export type SessionView = Schemas["SessionItem"];
export type Scope = Schemas["ApiKeyItem"]["scopes"][number];
export type ApiKeyView = Schemas["ApiKeyItem"];
export type LinkedView = Schemas["IdentityView"];
export type ExportView = Schemas["ExportView"];
export type Consequence = Schemas["Consequence"];
export type Settings = Schemas["Settings"];
