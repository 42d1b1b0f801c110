//! Local accounts, as `argocd-cm` declares them and `argocd-secret` keeps their secrets.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The account that always exists.
const ADMIN: &str = "admin";

/// What an account may do to get a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Capability {
    /// Have API keys made.
    ApiKey,
    /// Log in with a password.
    Login,
}

impl Capability {
    /// As `accounts.<name>` spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ApiKey => "apiKey",
            Self::Login => "login",
        }
    }
}

/// A record of a token that was issued.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct IssuedToken {
    /// The token's id.
    pub id: String,
    /// Issued at, in Unix seconds.
    pub iat: i64,
    /// Expires, in Unix seconds; 0 or absent for never.
    #[serde(skip_serializing_if = "is_zero")]
    pub exp: i64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(number: &i64) -> bool {
    *number == 0
}

/// A local account.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Account {
    /// bcrypt hash; empty when no password was ever set.
    pub password_hash: String,
    /// When the password last changed: older logins are void.
    pub password_mtime: Option<Timestamp>,
    /// Whether it may be used at all.
    pub enabled: bool,
    /// What it may do to get a token; sorted.
    pub capabilities: Vec<Capability>,
    /// Its API keys.
    pub tokens: Vec<IssuedToken>,
}

/// Without the hash.
impl std::fmt::Debug for Account {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Account")
            .field("enabled", &self.enabled)
            .field("capabilities", &self.capabilities)
            .finish_non_exhaustive()
    }
}

impl Account {
    /// Whether it has a capability.
    pub fn can(&self, capability: Capability) -> bool {
        self.capabilities.contains(&capability)
    }
}

/// All local accounts, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Accounts(pub BTreeMap<String, Account>);

impl Accounts {
    /// From the data of `argocd-cm` and of `argocd-secret`. What cannot be read is left at its safe value and
    /// named in the list that comes with the accounts.
    pub fn parse(
        settings: &BTreeMap<String, String>,
        secrets: &BTreeMap<String, String>,
    ) -> (Self, Vec<String>) {
        let mut problems = Vec::new();
        let mut accounts = BTreeMap::new();
        let admin_enabled = enabled(settings, "admin.enabled", &mut problems);
        let admin =
            Account { enabled: admin_enabled, capabilities: vec![Capability::Login], ..Account::default() };
        accounts.insert(ADMIN.to_owned(), admin);
        for (key, value) in settings {
            let Some(name) = key.strip_prefix("accounts.").filter(|name| !name.ends_with(".enabled")) else {
                continue;
            };
            let account = accounts.entry(name.to_owned()).or_default();
            for capability in capabilities(key, value, &mut problems) {
                // As written, for whoever lists them.
                if !account.can(capability) {
                    account.capabilities.push(capability);
                }
            }
            if name != ADMIN {
                account.enabled = enabled(settings, &format!("accounts.{name}.enabled"), &mut problems);
            }
        }
        for (name, account) in &mut accounts {
            let prefix = if name == ADMIN { ADMIN.to_owned() } else { format!("accounts.{name}") };
            read_secrets(&prefix, account, secrets, &mut problems);
        }
        (Self(accounts), problems)
    }

    /// One account.
    pub fn get(&self, name: &str) -> Option<&Account> {
        self.0.get(name)
    }
}

fn enabled(settings: &BTreeMap<String, String>, key: &str, problems: &mut Vec<String>) -> bool {
    match settings.get(key).map(|value| value.trim()) {
        None | Some("" | "true" | "1" | "t" | "T" | "TRUE" | "True") => true,
        Some("false" | "0" | "f" | "F" | "FALSE" | "False") => false,
        Some(other) => {
            problems.push(format!("argocd-cm {key}: {other:?} is not a boolean; the account stays disabled"));
            false
        }
    }
}

fn capabilities(key: &str, value: &str, problems: &mut Vec<String>) -> Vec<Capability> {
    let mut found = Vec::new();
    for word in value.split(',').map(str::trim).filter(|word| !word.is_empty()) {
        match word {
            "apiKey" => found.push(Capability::ApiKey),
            "login" => found.push(Capability::Login),
            other => problems
                .push(format!("argocd-cm {key}: there is no capability {other:?}: apiKey and login are")),
        }
    }
    found
}

fn read_secrets(
    prefix: &str,
    account: &mut Account,
    secrets: &BTreeMap<String, String>,
    problems: &mut Vec<String>,
) {
    account.password_hash = secrets.get(&format!("{prefix}.password")).cloned().unwrap_or_default();
    if let Some(text) = secrets.get(&format!("{prefix}.passwordMtime")) {
        match text.trim().parse() {
            Ok(time) => account.password_mtime = Some(time),
            Err(_) => problems.push(format!("argocd-secret {prefix}.passwordMtime: not an RFC 3339 time")),
        }
    }
    if let Some(text) = secrets.get(&format!("{prefix}.tokens")).filter(|text| !text.trim().is_empty()) {
        match serde_json::from_str::<Option<Vec<IssuedToken>>>(text) {
            Ok(tokens) => account.tokens = tokens.unwrap_or_default(),
            Err(_) => problems.push(format!("argocd-secret {prefix}.tokens: not a JSON list of tokens")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Accounts, Capability};
    use std::collections::BTreeMap;

    fn map(entries: &[(&str, &str)]) -> BTreeMap<String, String> {
        entries.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn accounts_are_what_the_two_objects_say() {
        let settings = map(&[
            ("accounts.alice", "apiKey, login"),
            ("accounts.admin", "apiKey"),
            ("accounts.carol", "login"),
            ("accounts.carol.enabled", "false"),
            ("url", "https://x"),
        ]);
        let secrets = map(&[
            ("admin.password", "$2a$hash"),
            ("admin.passwordMtime", "2026-01-02T03:04:05Z"),
            ("accounts.alice.tokens", r#"[{"id":"a","iat":5}]"#),
        ]);
        let (accounts, problems) = Accounts::parse(&settings, &secrets);
        assert_eq!(problems, Vec::<String>::new());
        assert_eq!(accounts.0.keys().collect::<Vec<_>>(), ["admin", "alice", "carol"]);
        let admin = accounts.get("admin").unwrap();
        assert!(admin.enabled && admin.can(Capability::Login) && admin.can(Capability::ApiKey));
        assert_eq!(admin.password_mtime.unwrap().to_string(), "2026-01-02T03:04:05Z");
        assert_eq!(accounts.get("alice").unwrap().tokens[0].id, "a");
        assert!(!accounts.get("carol").unwrap().enabled);
    }

    #[test]
    fn what_cannot_be_read_disables_and_is_named() {
        let settings = map(&[("accounts.alice", "login,fly"), ("accounts.alice.enabled", "perhaps")]);
        let secrets = map(&[("accounts.alice.tokens", "{"), ("admin.passwordMtime", "yesterday")]);
        let (accounts, problems) = Accounts::parse(&settings, &secrets);
        assert!(!accounts.get("alice").unwrap().enabled);
        assert_eq!(problems.len(), 4, "{problems:?}");
    }
}
