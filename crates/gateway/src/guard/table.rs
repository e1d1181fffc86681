//! What each operation asks of its caller: one line for each, and what has no line is refused.
//!
//! Whoever adds a route adds its line here; the program does not start without it. The document of the API says the
//! same, because it is written from this table.

use api::Permission::{Public, SignedIn};
use api::Scope::{Land, Read, Trade};
use api::{Permission, Scope};

/// An operation by its `operationId`, what its caller must be allowed, and the scope that an API key needs for it:
/// `None` is for persons who have signed in and for no key. (Public operations ask for neither.)
pub(crate) type Entry = (&'static str, Permission, Option<Scope>);

/// Every operation of the API.
pub(crate) const OPERATIONS: &[Entry] = &[
    // Signing in.
    ("jwks", Public, None),
    ("auth_challenge", Public, None),
    ("auth_verify", Public, None),
    ("auth_refresh", Public, None),
    ("auth_logout", Public, None),
    ("auth_providers", Public, None),
    // To link, these two ask for their caller themselves.
    ("auth_provider_start", Public, None),
    ("auth_provider_finish", Public, None),
    ("auth_provider_callback", Public, None),
    ("users_me_identities", SignedIn, None),
    ("users_me_identity_unlink", SignedIn, None),
    // Oneself.
    ("users_me", SignedIn, Some(Read)),
    ("users_me_change", SignedIn, None),
    // The planet.
    ("planet", Public, None),
    ("planet_progress", Public, None),
    ("chunk", Public, None),
    ("planet_manifest", Public, None),
    ("planet_artifact", Public, None),
    ("planet_chunk", Public, None),
    ("planet_raster_tile", Public, None),
    ("planet_at", Public, None),
    ("map_tile", Public, None),
    ("map_dem_tile", Public, None),
    ("map_face_tile", Public, None),
    ("map_legend", Public, None),
    ("map_tilejson", Public, None),
    ("places", Public, None),
    ("places_search", Public, None),
    // Its hello carries the token, because browsers cannot send headers with it.
    ("realtime", Public, None),
    // Land.
    ("lands", SignedIn, Some(Read)),
    ("lands_free", SignedIn, Some(Read)),
    ("lands_mine", SignedIn, Some(Read)),
    ("land", SignedIn, Some(Read)),
    ("land_titles", SignedIn, Some(Read)),
    ("land_geojson", Public, None),
    ("land_tilejson", Public, None),
    ("land_tile", Public, None),
    ("land_claim", SignedIn, Some(Land)),
    ("land_claims", SignedIn, Some(Land)),
    ("land_describe", SignedIn, Some(Land)),
    ("land_abandon", SignedIn, Some(Land)),
    ("land_merge", SignedIn, Some(Land)),
    ("land_split", SignedIn, Some(Land)),
    ("land_gift", SignedIn, Some(Land)),
    ("land_gifts", SignedIn, Some(Read)),
    ("land_gift_accept", SignedIn, Some(Land)),
    ("land_gift_cancel", SignedIn, Some(Land)),
    ("land_gift_decline", SignedIn, Some(Land)),
    ("land_fence", SignedIn, Some(Read)),
    ("land_put_fence", SignedIn, Some(Land)),
    ("land_permissions", SignedIn, Some(Read)),
    ("land_put_permission", SignedIn, Some(Land)),
    ("land_delete_permission", SignedIn, Some(Land)),
    // Leases.
    ("leases", SignedIn, Some(Read)),
    ("lease", SignedIn, Some(Read)),
    ("lease_offer", SignedIn, Some(Land)),
    ("lease_accept", SignedIn, Some(Trade)),
    ("lease_decline", SignedIn, Some(Land)),
    ("lease_end", SignedIn, Some(Land)),
    // The market.
    ("marketplace_terms", Public, None),
    ("marketplace_search", SignedIn, Some(Read)),
    ("prices", SignedIn, Some(Read)),
    ("listing", SignedIn, Some(Read)),
    ("listings_mine", SignedIn, Some(Read)),
    ("listing_open", SignedIn, Some(Trade)),
    ("listing_change", SignedIn, Some(Trade)),
    ("listing_cancel", SignedIn, Some(Trade)),
    ("listing_purchase", SignedIn, Some(Trade)),
    ("auction", SignedIn, Some(Read)),
    ("auctions_mine", SignedIn, Some(Read)),
    ("auction_bids", SignedIn, Some(Read)),
    ("bids_mine", SignedIn, Some(Read)),
    ("auction_open", SignedIn, Some(Trade)),
    ("auction_bid", SignedIn, Some(Trade)),
    ("auction_accept", SignedIn, Some(Trade)),
    ("auction_cancel", SignedIn, Some(Trade)),
    ("offers", SignedIn, Some(Read)),
    ("offer_make", SignedIn, Some(Trade)),
    ("offer_accept", SignedIn, Some(Trade)),
    ("offer_decline", SignedIn, Some(Trade)),
    ("offer_withdraw", SignedIn, Some(Trade)),
    ("watches", SignedIn, Some(Read)),
    ("watch", SignedIn, Some(Trade)),
    ("unwatch", SignedIn, Some(Trade)),
    // Groups: who belongs together is for people to say.
    ("groups_mine", SignedIn, Some(Read)),
    ("group", SignedIn, Some(Read)),
    ("group_create", SignedIn, None),
    ("group_dissolve", SignedIn, None),
    ("group_put_member", SignedIn, None),
    ("group_remove_member", SignedIn, None),
    // Money.
    ("wallet", SignedIn, Some(Read)),
    ("wallet_holds", SignedIn, Some(Read)),
    ("wallet_postings", SignedIn, Some(Read)),
    ("wallet_statement", SignedIn, Some(Read)),
    ("wallet_statement_csv", SignedIn, Some(Read)),
    ("wallet_transfer", SignedIn, Some(Trade)),
    // What happens. A webhook carries what its owner may know to another server: people say where to.
    ("events", SignedIn, Some(Read)),
    ("notices", SignedIn, Some(Read)),
    ("notices_read", SignedIn, None),
    ("webhooks", SignedIn, Some(Read)),
    ("webhook_create", SignedIn, None),
    ("webhook_change", SignedIn, None),
    ("webhook_remove", SignedIn, None),
    ("webhook_rotate", SignedIn, None),
    ("webhook_test", SignedIn, None),
    ("webhook_deliveries", SignedIn, Some(Read)),
    ("webhook_replay", SignedIn, None),
    // The audit log.
    ("staff_audit", Permission::AuditRead, Some(Scope::Staff)),
    ("staff_audit_entry", Permission::AuditRead, Some(Scope::Staff)),
    ("staff_audit_proof", Permission::AuditRead, Some(Scope::Staff)),
    ("staff_audit_checkpoints", Permission::AuditRead, Some(Scope::Staff)),
    ("staff_audit_verification", Permission::AuditRead, Some(Scope::Staff)),
    // For operators and their machines.
    ("health", Public, None),
    ("health_live", Public, None),
    ("health_ready", Public, None),
];

/// Routes that are no operations: files for people, read by `GET`. The client itself is what answers where no route
/// matches. `/metrics` has a listener of its own.
pub(crate) const PAGES: &[&str] =
    &["/api/openapi.json", "/api/docs", "/api/docs/docs.css", "/api/docs/docs.js"];
