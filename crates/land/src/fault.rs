//! What cannot be if every decision was stored whole.

use std::fmt;

use cell::CellId;
use ledger::AssetId;
use uuid::Uuid;

use crate::encumbrance::EncumbranceKind;

/// Something that cannot be if every decision was stored whole.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fault {
    /// The owner of a parcel does not hold its deed.
    OwnerWithoutDeed {
        /// Which parcel.
        lot: CellId,
        /// Who owns it.
        owner_id: Uuid,
        /// Who holds the deed, if anybody.
        holder_id: Option<Uuid>,
    },
    /// Somebody holds the deed of a parcel that is none.
    DeedWithoutLot {
        /// Which deed.
        deed: AssetId,
        /// Who holds it.
        holder_id: Uuid,
    },
    /// The newest title is somebody else's, or there is none.
    OwnerWithoutTitle {
        /// Which parcel.
        lot: CellId,
        /// Who owns it.
        owner_id: Uuid,
    },
    /// The newest title of a parcel that is none names an owner.
    TitleWithoutLot {
        /// Which parcel.
        lot: CellId,
        /// Who would own it.
        owner_id: Uuid,
    },
    /// The numbers of titles have a gap.
    TitleMissing {
        /// Of which parcel.
        lot: CellId,
    },
    /// The lot that a parcel is named after is not part of it.
    AnchorOutside {
        /// Which parcel.
        parcel: CellId,
    },
    /// The lots of a parcel do not hang together.
    NotConnected {
        /// Which parcel.
        parcel: CellId,
    },
    /// A parcel has more or fewer lots than is written with it.
    CountWrong {
        /// Which parcel.
        parcel: CellId,
        /// So many are written.
        written: i64,
        /// So many there are.
        is: usize,
    },
    /// The lots of a parcel are of several levels.
    LevelsDiffer {
        /// Which parcel.
        parcel: CellId,
    },
    /// The area of a parcel is not that of its lots.
    AreaWrong {
        /// Which parcel.
        parcel: CellId,
        /// In square metres, as it is written.
        area_m2: String,
    },
    /// Lots belong to a parcel that is none. (A foreign key forbids it.)
    LotsWithoutParcel {
        /// To which.
        parcel: CellId,
    },
    /// A parcel is promised to something that is not there or is decided.
    PromiseOfNothing {
        /// Which parcel.
        parcel: CellId,
        /// What it is promised to.
        kind: EncumbranceKind,
        /// Which one.
        reference_id: Uuid,
    },
    /// Something open is about a parcel that is not promised to it.
    NotPromised {
        /// Which parcel.
        parcel: CellId,
        /// What is open.
        kind: EncumbranceKind,
        /// Which one.
        reference_id: Uuid,
    },
    /// Somebody gives what is not theirs.
    GiftOfAnother {
        /// Which gift.
        gift_id: Uuid,
        /// Which parcel.
        lot: CellId,
        /// Who gives.
        giver_id: Uuid,
    },
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OwnerWithoutDeed { lot, owner_id, holder_id: Some(holder_id) } => {
                write!(f, "parcel {lot} is owned by {owner_id}, its deed is held by {holder_id}")
            }
            Self::OwnerWithoutDeed { lot, owner_id, holder_id: None } => {
                write!(f, "parcel {lot} is owned by {owner_id}, its deed is held by nobody")
            }
            Self::DeedWithoutLot { deed, holder_id } => {
                write!(f, "{holder_id} holds {deed}, a parcel that nobody owns")
            }
            Self::OwnerWithoutTitle { lot, owner_id } => {
                write!(f, "parcel {lot} is owned by {owner_id}, its newest title says otherwise")
            }
            Self::TitleWithoutLot { lot, owner_id } => {
                write!(f, "the newest title of {lot} says {owner_id}, but there is no such parcel")
            }
            Self::TitleMissing { lot } => write!(f, "a title of parcel {lot} is missing"),
            Self::AnchorOutside { parcel } => write!(f, "parcel {parcel} does not have its own lot"),
            Self::NotConnected { parcel } => write!(f, "the lots of parcel {parcel} do not hang together"),
            Self::CountWrong { parcel, written, is } => {
                write!(f, "parcel {parcel} has {is} lots, {written} are written")
            }
            Self::LevelsDiffer { parcel } => write!(f, "parcel {parcel} has lots of several levels"),
            Self::AreaWrong { parcel, area_m2 } => {
                write!(f, "parcel {parcel} is written to have {area_m2} m², its lots say otherwise")
            }
            Self::LotsWithoutParcel { parcel } => write!(f, "there are lots of {parcel}, which is no parcel"),
            Self::PromiseOfNothing { parcel, kind, reference_id } => {
                let kind = kind.code();
                write!(f, "parcel {parcel} is promised to {kind} {reference_id}, which is not open")
            }
            Self::NotPromised { parcel, kind, reference_id } => {
                write!(f, "{} {reference_id} is open, but parcel {parcel} is not promised to it", kind.code())
            }
            Self::GiftOfAnother { gift_id, lot, giver_id } => {
                write!(f, "gift {gift_id} offers parcel {lot}, which {giver_id} does not own")
            }
        }
    }
}
