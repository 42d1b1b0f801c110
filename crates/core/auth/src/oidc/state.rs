//! A login under way, as the browser keeps it in a cookie: sealed, and good for minutes.

use super::sealed::Sealed;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// How long a login may take.
pub const STATE_SECONDS: i64 = 300;
const PLACE: &str = "login state";

/// What must come back as it was given out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoginState {
    /// What the provider sends back with the code.
    pub state: String,
    /// What the provider puts into the token.
    pub nonce: String,
    /// What proves to the provider who asked for the code; empty without.
    pub verifier: String,
    /// Where the browser goes in the end.
    pub return_url: String,
    /// Where the provider was told to send the browser.
    pub redirect_uri: String,
    /// Ends, in Unix seconds.
    pub expires: i64,
}

/// Why a login does not go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StateError {
    /// No login of this browser is under way.
    #[error("no login is under way in this browser: start again")]
    Missing,
    /// The cookie is not ours.
    #[error("the login's state cannot be read: start again")]
    Unreadable,
    /// It took too long.
    #[error("the login took too long: start again")]
    Expired,
    /// It is another login.
    #[error("this answer belongs to another login: start again")]
    Mismatch,
}

impl LoginState {
    /// As a cookie's value.
    pub fn seal(&self, sealed: &Sealed, random: [u8; 12]) -> String {
        match serde_json::to_vec(self) {
            Ok(text) => sealed.seal(PLACE, &text, random),
            Err(_) => unreachable!("texts and a number are JSON"),
        }
    }

    /// The login a cookie's value speaks of, when the provider's answer belongs to it.
    pub fn open(cookie: &str, state: &str, sealed: &Sealed, now: Timestamp) -> Result<Self, StateError> {
        if cookie.is_empty() {
            return Err(StateError::Missing);
        }
        let text = sealed.open(PLACE, cookie).map_err(|_| StateError::Unreadable)?;
        let login: Self = serde_json::from_slice(&text).map_err(|_| StateError::Unreadable)?;
        if now.as_second() >= login.expires {
            return Err(StateError::Expired);
        }
        // Nothing is learnt from the time this takes: who asks holds the cookie that the state was sealed into.
        if login.state.is_empty() || login.state != state {
            return Err(StateError::Mismatch);
        }
        Ok(login)
    }
}

#[cfg(test)]
mod tests {
    use super::{LoginState, STATE_SECONDS, StateError};
    use crate::oidc::Sealed;
    use jiff::Timestamp;

    #[test]
    fn cve_2022_31034_an_answer_counts_for_the_login_it_belongs_to_only() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let sealed = Sealed::new(b"key");
        let login = LoginState {
            state: "s".into(),
            nonce: "n".into(),
            verifier: "v".into(),
            return_url: "https://a/x".into(),
            redirect_uri: "https://a/auth/callback".into(),
            expires: 1000 + STATE_SECONDS,
        };
        let cookie = login.seal(&sealed, [3; 12]);
        assert_eq!(LoginState::open(&cookie, "s", &sealed, at(1299)), Ok(login.clone()));
        assert_eq!(LoginState::open(&cookie, "s", &sealed, at(1300)), Err(StateError::Expired));
        for other in ["", "t", "ss"] {
            assert_eq!(LoginState::open(&cookie, other, &sealed, at(1000)), Err(StateError::Mismatch));
        }
        assert_eq!(LoginState::open("", "s", &sealed, at(1000)), Err(StateError::Missing));
        assert_eq!(LoginState::open("x", "s", &sealed, at(1000)), Err(StateError::Unreadable));
        let foreign = login.seal(&Sealed::new(b"guess"), [3; 12]);
        assert_eq!(LoginState::open(&foreign, "s", &sealed, at(1000)), Err(StateError::Unreadable));
        let empty = LoginState { state: String::new(), ..login }.seal(&sealed, [4; 12]);
        assert_eq!(LoginState::open(&empty, "", &sealed, at(1000)), Err(StateError::Mismatch));
    }
}
