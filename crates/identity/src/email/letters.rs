//! What is written to people.
//!
//! Nothing that somebody else has typed stands in a letter to a stranger: a planet must not carry advertisements.

use mail::{Address, Letter};

use crate::link_token::LinkToken;

/// Where the links lead, and what the planet is called.
#[derive(Clone, Debug)]
pub(crate) struct Sender {
    pub(crate) planet_name: String,
    pub(crate) site_origin: String,
}

impl Sender {
    /// Proves an address that somebody has named for a new account.
    pub(crate) fn confirm_registration(&self, to: Address, token: &LinkToken) -> Letter {
        letter(
            to,
            "Confirm your address",
            &format!(
                "Somebody, probably you, has registered on {} with this address.\n\nTo confirm it and enter, open\n\n\
                 {}/account#confirm={}\n\nwithin 24 hours. If it was not you, do nothing: without the link nothing \
                 comes of it.\n",
                self.planet_name,
                self.site_origin,
                token.text()
            ),
        )
    }

    /// Proves an address that somebody wants to sign in with in future.
    pub(crate) fn confirm_change(&self, to: Address, token: &LinkToken) -> Letter {
        letter(
            to,
            "Confirm your address",
            &format!(
                "Somebody who plays on {} wants to sign in with this address.\n\nIf it is you, open\n\n\
                 {}/account#confirm={}\n\nwithin 24 hours. If it is not you, do not open the link: it would tie \
                 your address to the account of somebody else.\n",
                self.planet_name,
                self.site_origin,
                token.text()
            ),
        )
    }

    /// For an owner whose address was named again.
    pub(crate) fn has_account(&self, to: Address, token: &LinkToken) -> Letter {
        letter(
            to,
            "You have an account",
            &format!(
                "Somebody, probably you, wanted to use this address on {}. It has an account already.\n\nIf you have \
                 lost its password, set a new one within an hour at\n\n{}/account#reset={}\n\nIf it was not you, do \
                 nothing.\n",
                self.planet_name,
                self.site_origin,
                token.text()
            ),
        )
    }

    /// Sets a new password.
    pub(crate) fn reset(&self, to: Address, token: &LinkToken) -> Letter {
        letter(
            to,
            "Set a new password",
            &format!(
                "Somebody, probably you, has asked for a new password on {}.\n\nTo set one, open\n\n\
                 {}/account#reset={}\n\nwithin an hour. It ends all open sessions. If it was not you, do nothing: \
                 your password stays as it is.\n",
                self.planet_name,
                self.site_origin,
                token.text()
            ),
        )
    }

    /// Tells that the password is another one now.
    pub(crate) fn password_changed(&self, to: Address) -> Letter {
        letter(
            to,
            "Your password was changed",
            &format!(
                "The password of your account on {} was changed just now.\n\nIf it was not you, set a new one at \
                 {}/account and look at the sessions and keys there.\n",
                self.planet_name, self.site_origin
            ),
        )
    }

    /// Tells the address before that it no longer is the one.
    pub(crate) fn address_changed(&self, to: Address) -> Letter {
        letter(
            to,
            "Your address was changed",
            &format!(
                "Your account on {} has another address from now on; this one no longer opens it.\n\nIf it was not \
                 you, ask the operator of {} for help.\n",
                self.planet_name, self.site_origin
            ),
        )
    }
}

fn letter(to: Address, subject: &str, text: &str) -> Letter {
    Letter { to, subject: subject.to_owned(), text: text.to_owned() }
}
