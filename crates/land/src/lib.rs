//! Lots: price, claim, title, rename, listing, and their routes
