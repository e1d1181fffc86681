//! What is counted.

/// Something that may happen only so often.
///
/// A bucket holds a *burst* and is refilled at the *sustained* rate. The sustained rates are the planet's promise to
/// everybody else; the bursts leave room for what one person does at once, such as opening the page.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Limit {
    /// Requests to the API that show whose they are, by account.
    ApiAccount,
    /// Requests to the API without a valid token, by address: signing in, and what anybody may read.
    ApiAddress,
    /// All requests to the API, by address: the bound on what checking tokens may cost, with room for a household or
    /// a school behind one address.
    Address,
    /// Map tiles, pieces of the planet, files of the client, by address.
    Files,
    /// Things said, by account.
    Chat,
    /// Purchases, bids, offers and what accepts them, by account.
    Trade,
    /// New accounts, by address.
    Registration,
    /// Attempts to sign in with a password, by address.
    Login,
    /// Attempts to sign in as one person, by whatever names them, from wherever they come.
    LoginName,
    /// Mails, by who gets them.
    Mail,
}

impl Limit {
    /// Every limit, in the order of the numbers behind them.
    pub const ALL: [Self; 10] = [
        Self::ApiAccount,
        Self::ApiAddress,
        Self::Address,
        Self::Files,
        Self::Chat,
        Self::Trade,
        Self::Registration,
        Self::Login,
        Self::LoginName,
        Self::Mail,
    ];

    /// Its name in the configuration, in headers and in metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ApiAccount => "api_account",
            Self::ApiAddress => "api_address",
            Self::Address => "address",
            Self::Files => "files",
            Self::Chat => "chat",
            Self::Trade => "trade",
            Self::Registration => "registration",
            Self::Login => "login",
            Self::LoginName => "login_name",
            Self::Mail => "mail",
        }
    }

    /// The policy of a planet whose operator says nothing.
    ///
    /// 100 requests a minute, 10 messages a second and 5 trades a minute are the sustained rates of the design. Opening
    /// the page and visiting the market ask some twenty things within a few seconds; three hundred at once are a group
    /// of friends behind one address, or somebody who browses quickly.
    pub const fn default_policy(self) -> &'static str {
        match self {
            Self::ApiAccount | Self::ApiAddress => "100/min burst 300",
            Self::Address => "1200/min burst 2400",
            Self::Files => "12000/min burst 12000",
            Self::Chat => "10/s burst 20",
            Self::Trade => "5/min burst 10",
            Self::Registration => "20/h burst 40",
            Self::Login => "30/min burst 60",
            Self::LoginName => "10/min burst 20",
            Self::Mail => "5/h burst 5",
        }
    }

    pub(crate) const fn index(self) -> usize {
        self as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Policy;

    #[test]
    fn each_limit_has_its_number_a_plain_name_and_a_policy_that_can_be_read() {
        for (index, limit) in Limit::ALL.into_iter().enumerate() {
            assert_eq!(limit.index(), index);
            assert!(limit.name().bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'));
            assert_eq!(Limit::ALL.iter().filter(|other| other.name() == limit.name()).count(), 1);
            assert!(Policy::parse(limit.default_policy()).unwrap().is_some(), "{limit:?}");
        }
    }
}
