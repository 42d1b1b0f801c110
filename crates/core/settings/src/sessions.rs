//! The rules for all local accounts. Who there is, is the business of `auth`: it needs their secrets beside.

use crate::reader::{Data, Problem, Reader};
use std::time::Duration;

/// How logins work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sessions {
    /// Whether a request without token is answered, with the default role.
    pub anonymous: bool,
    /// What a new password must match, as a regular expression.
    pub password_pattern: String,
    /// How long a login lasts.
    pub session_duration: Duration,
}

const DAY: Duration = Duration::from_secs(24 * 3600);
const PASSWORD_PATTERN: &str = "^.{8,32}$";

impl Sessions {
    /// Reads `argocd-cm`.
    pub fn parse(data: &Data) -> (Self, Vec<Problem>) {
        let mut reader = Reader::new(data);
        let mut password_pattern = reader.text_or("passwordPattern", PASSWORD_PATTERN);
        if let Err(error) = go_regexp::compile(&password_pattern, go_regexp::LARGEST_OF_SETTINGS) {
            reader.problem("passwordPattern", error);
            PASSWORD_PATTERN.clone_into(&mut password_pattern);
        }
        let sessions = Self {
            anonymous: reader.flag("users.anonymous.enabled", false),
            password_pattern,
            session_duration: reader.duration("users.session.duration", DAY),
        };
        (sessions, reader.problems)
    }
}

#[cfg(test)]
mod tests {
    use super::Sessions;

    #[test]
    fn what_cannot_be_read_is_named_and_left_at_its_default() {
        let data = [
            ("users.session.duration", "7d"),
            ("passwordPattern", "("),
            ("users.anonymous.enabled", "maybe"),
        ]
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into();
        let (found, problems) = Sessions::parse(&data);
        let keys: Vec<_> = problems.iter().map(|problem| problem.key.as_str()).collect();
        assert_eq!(keys, ["passwordPattern", "users.anonymous.enabled"]);
        assert!(!found.anonymous);
        assert_eq!(found.password_pattern, "^.{8,32}$");
        assert_eq!(found.session_duration.as_secs(), 604_800);
    }
}
