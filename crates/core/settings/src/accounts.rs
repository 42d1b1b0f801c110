//! Local accounts: who there is and what each may use its account for. Passwords and tokens are elsewhere.

use crate::reader::{Data, Problem, Reader};
use regex::Regex;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// The accounts and the rules for all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accounts {
    /// By name; `admin` is always among them.
    pub accounts: BTreeMap<String, Account>,
    /// Whether a request without token is answered, with the default role.
    pub anonymous: bool,
    /// What a new password must match, as a regular expression.
    pub password_pattern: String,
    /// How long a login lasts.
    pub session_duration: Duration,
}

/// One account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// Whether it can be used at all.
    pub enabled: bool,
    /// What it can be used for.
    pub capabilities: BTreeSet<Capability>,
}

/// What an account can be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Capability {
    /// Tokens for programs.
    ApiKey,
    /// Logging in with a password.
    Login,
}

impl Capability {
    /// The word users write.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ApiKey => "apiKey",
            Self::Login => "login",
        }
    }
}

const ADMIN: &str = "admin";
const DAY: Duration = Duration::from_secs(24 * 3600);
const PASSWORD_PATTERN: &str = "^.{8,32}$";

impl Accounts {
    /// Reads `argocd-cm`.
    pub fn parse(data: &Data) -> (Self, Vec<Problem>) {
        let mut reader = Reader::new(data);
        let admin = Account {
            enabled: reader.flag("admin.enabled", true),
            capabilities: BTreeSet::from([Capability::Login]),
        };
        let mut accounts = BTreeMap::from([(ADMIN.to_owned(), admin)]);
        for key in data.keys() {
            let Some(name) = key.strip_prefix("accounts.") else { continue };
            if name.contains('.') || name.is_empty() {
                continue;
            }
            let capabilities = capabilities(&mut reader, key);
            let enabled = reader.flag(&format!("accounts.{name}.enabled"), true);
            let account =
                accounts.entry(name.to_owned()).or_insert(Account { enabled, ..Account::default() });
            account.enabled &= enabled;
            account.capabilities.extend(capabilities);
        }
        for key in data.keys() {
            let name = key.strip_prefix("accounts.").and_then(|rest| rest.strip_suffix(".enabled"));
            if name.is_some_and(|name| !accounts.contains_key(name)) {
                reader.problem(key, "there is no such account");
            }
        }
        let mut password_pattern = reader.text_or("passwordPattern", PASSWORD_PATTERN);
        if let Err(error) = Regex::new(&password_pattern) {
            reader.problem("passwordPattern", error.to_string());
            PASSWORD_PATTERN.clone_into(&mut password_pattern);
        }
        let accounts = Self {
            accounts,
            anonymous: reader.flag("users.anonymous.enabled", false),
            password_pattern,
            session_duration: reader.duration("users.session.duration", DAY),
        };
        (accounts, reader.problems)
    }
}

fn capabilities(reader: &mut Reader<'_>, key: &str) -> BTreeSet<Capability> {
    let mut found = BTreeSet::new();
    for word in reader.list(key) {
        match word.as_str() {
            "apiKey" => found.insert(Capability::ApiKey),
            "login" => found.insert(Capability::Login),
            _ => {
                reader.problem(key, format!("{word:?} is neither apiKey nor login"));
                false
            }
        };
    }
    found
}

#[cfg(test)]
mod tests {
    use super::{Accounts, Capability};

    #[test]
    fn accounts_keep_what_can_be_read() {
        let data = [
            ("accounts.alice", "apiKey, login"),
            ("accounts.bob", "apiKey, fly"),
            ("accounts.bob.enabled", "false"),
            ("accounts.zed.enabled", "false"),
            ("users.session.duration", "7d"),
            ("passwordPattern", "("),
            ("users.anonymous.enabled", "maybe"),
        ]
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into();
        let (found, problems) = Accounts::parse(&data);
        let keys: Vec<_> = problems.iter().map(|problem| problem.key.as_str()).collect();
        assert_eq!(
            keys,
            ["accounts.bob", "accounts.zed.enabled", "passwordPattern", "users.anonymous.enabled"]
        );
        assert_eq!(found.accounts.keys().collect::<Vec<_>>(), ["admin", "alice", "bob"]);
        assert!(found.accounts["alice"].capabilities.contains(&Capability::Login));
        assert!(!found.accounts["bob"].enabled);
        assert!(found.accounts["admin"].enabled && !found.anonymous);
        assert_eq!(found.password_pattern, "^.{8,32}$");
        assert_eq!(found.session_duration.as_secs(), 604_800);
    }
}
