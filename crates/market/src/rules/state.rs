//! What a sale and an offer can become. Both begin open; every other state is final: no clock and no repeated request
//! brings one back. docs/market.md has the same as tables.

/// How land is sold.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum SaleKind {
    /// For a fixed price.
    Fixed,
    /// [`super::english`].
    English,
    /// [`super::dutch`].
    Dutch,
    /// [`super::sealed`].
    Sealed,
    /// By an offer that the owner accepted. Such a sale is never open.
    Offer,
}

/// Where a sale is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum SaleState {
    /// It can be bought or bid for.
    Open,
    /// Money and deed have changed hands.
    Sold,
    /// The auction ended without a buyer.
    Unsold,
    /// The seller took it back.
    Cancelled,
    /// The listing's time was up.
    Expired,
}

/// What happens to a sale.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SaleEvent {
    /// Somebody pays: a purchase, a Dutch acceptance, a won auction.
    Settle,
    /// The auction ends and nobody wins.
    EndUnsold,
    /// The seller takes it back; `has_bids` for auctions.
    Cancel {
        /// Whether anybody has bid.
        has_bids: bool,
    },
    /// Staff end it, bids or not.
    CancelByStaff,
    /// The listing's last day is over.
    Expire,
}

/// Where an offer is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum OfferState {
    /// The owner may accept it; the money is held.
    Open,
    /// Money and deed have changed hands.
    Accepted,
    /// The owner does not want it.
    Declined,
    /// The buyer took it back.
    Withdrawn,
    /// Its time was up.
    Expired,
    /// The land went to somebody else or is no longer what it was.
    Lapsed,
}

impl SaleKind {
    /// Every kind.
    pub const ALL: [Self; 5] = [Self::Fixed, Self::English, Self::Dutch, Self::Sealed, Self::Offer];

    /// Its name in the database and in answers.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Fixed => "fixed",
            Self::English => "english",
            Self::Dutch => "dutch",
            Self::Sealed => "sealed",
            Self::Offer => "offer",
        }
    }

    /// The kind of a name.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.code() == code)
    }

    /// Whether it ends at an instant with or without a winner.
    pub const fn is_auction(self) -> bool {
        matches!(self, Self::English | Self::Dutch | Self::Sealed)
    }
}

impl SaleState {
    /// Every state.
    pub const ALL: [Self; 5] = [Self::Open, Self::Sold, Self::Unsold, Self::Cancelled, Self::Expired];

    /// Its name in the database and in answers.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Sold => "sold",
            Self::Unsold => "unsold",
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
        }
    }

    /// The state of a name.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.code() == code)
    }

    /// The state after an event; `None` if it cannot happen then.
    pub const fn after(self, kind: SaleKind, event: SaleEvent) -> Option<Self> {
        match (self, kind, event) {
            (Self::Open, SaleKind::Offer, _) => None,
            (Self::Open, _, SaleEvent::Settle) => Some(Self::Sold),
            (Self::Open, SaleKind::Fixed, SaleEvent::Expire) => Some(Self::Expired),
            (Self::Open, SaleKind::Fixed, SaleEvent::Cancel { .. })
            | (Self::Open, _, SaleEvent::CancelByStaff | SaleEvent::Cancel { has_bids: false }) => {
                Some(Self::Cancelled)
            }
            (Self::Open, SaleKind::English | SaleKind::Dutch | SaleKind::Sealed, SaleEvent::EndUnsold) => {
                Some(Self::Unsold)
            }
            _ => None,
        }
    }
}

impl OfferState {
    /// Every state.
    pub const ALL: [Self; 6] =
        [Self::Open, Self::Accepted, Self::Declined, Self::Withdrawn, Self::Expired, Self::Lapsed];

    /// Its name in the database and in answers.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Accepted => "accepted",
            Self::Declined => "declined",
            Self::Withdrawn => "withdrawn",
            Self::Expired => "expired",
            Self::Lapsed => "lapsed",
        }
    }

    /// The state of a name.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.code() == code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENTS: [SaleEvent; 6] = [
        SaleEvent::Settle,
        SaleEvent::EndUnsold,
        SaleEvent::Cancel { has_bids: false },
        SaleEvent::Cancel { has_bids: true },
        SaleEvent::CancelByStaff,
        SaleEvent::Expire,
    ];

    #[test]
    fn final_states_stay_and_an_auction_with_bids_is_not_cancelled() {
        for kind in SaleKind::ALL {
            for event in EVENTS {
                for state in SaleState::ALL.into_iter().filter(|it| *it != SaleState::Open) {
                    assert_eq!(state.after(kind, event), None, "{state:?} {kind:?} {event:?}");
                }
            }
        }
        let with_bids = SaleEvent::Cancel { has_bids: true };
        assert_eq!(SaleState::Open.after(SaleKind::English, with_bids), None);
        assert_eq!(SaleState::Open.after(SaleKind::Sealed, with_bids), None);
        assert_eq!(SaleState::Open.after(SaleKind::Fixed, with_bids), Some(SaleState::Cancelled));
        assert_eq!(SaleState::Open.after(SaleKind::Fixed, SaleEvent::EndUnsold), None);
        assert_eq!(SaleState::Open.after(SaleKind::Dutch, SaleEvent::Expire), None);
    }

    /// docs/market.md shows the machines; this keeps the two the same.
    #[test]
    fn the_document_has_the_same_transitions() {
        let document = include_str!("../../../../docs/market.md");
        let mut rows = Vec::new();
        for (kinds, name) in [
            (&[SaleKind::Fixed][..], "listing"),
            (&[SaleKind::English, SaleKind::Dutch, SaleKind::Sealed], "auction"),
        ] {
            for event in EVENTS {
                let after = SaleState::Open.after(kinds[0], event);
                assert!(kinds.iter().all(|it| SaleState::Open.after(*it, event) == after));
                let event = match event {
                    SaleEvent::Settle => "settle",
                    SaleEvent::EndUnsold => "end without a buyer",
                    SaleEvent::Cancel { has_bids: false } => "cancel, no bids",
                    SaleEvent::Cancel { has_bids: true } => "cancel, with bids",
                    SaleEvent::CancelByStaff => "cancel by staff",
                    SaleEvent::Expire => "expire",
                };
                let after = after.map_or("refused", SaleState::code);
                rows.push(format!("| {name} | `open` | {event} | `{after}` |"));
            }
        }
        for row in rows {
            assert!(document.contains(&row), "docs/market.md lacks: {row}");
        }
        for state in OfferState::ALL {
            assert!(document.contains(&format!("`{}`", state.code())), "{state:?}");
        }
    }

    #[test]
    fn codes_are_read_as_they_are_written() {
        assert!(SaleKind::ALL.into_iter().all(|it| SaleKind::from_code(it.code()) == Some(it)));
        assert!(SaleState::ALL.into_iter().all(|it| SaleState::from_code(it.code()) == Some(it)));
        assert!(OfferState::ALL.into_iter().all(|it| OfferState::from_code(it.code()) == Some(it)));
        assert_eq!(
            (SaleKind::from_code("x"), SaleState::from_code("x"), OfferState::from_code("")),
            (None, None, None)
        );
    }
}
