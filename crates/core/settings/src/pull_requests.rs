//! Whether pull requests are answered, and as whom.

use crate::reader::{Data, Problem, Reader, text};
use crate::references::{Lookup, resolve_text};
use object::Secret;
use serde_json::Value;

/// Accounts that may be configured.
const MOST: usize = 200;

/// Answers to pull requests: nobody gets any unless they are switched on.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PullRequests {
    /// `pullrequests.enabled`.
    pub enabled: bool,
    /// `pullrequests.forks`: whether those of other repositories are answered, which anybody can open.
    pub forks: bool,
    /// `pullrequests.accounts`.
    pub accounts: Vec<PullRequestAccount>,
}

/// Who answers, at the repositories below an address.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PullRequestAccount {
    /// Address of a repository, of what it lies in, or of the host.
    pub url: String,
    /// Address of the provider's API; empty for the usual one of the host.
    pub api: String,
    /// A user's name; with it the token is a password.
    pub username: String,
    /// What proves the account.
    pub token: Secret<String>,
    /// A GitHub App instead.
    pub app: Option<PullRequestApp>,
    /// Whether certificates are not looked at.
    pub insecure: bool,
    /// A proxy on the way to the API; empty for that of the environment.
    pub proxy: Secret<String>,
    /// What is reached without it, with commas between.
    pub no_proxy: String,
}

/// A GitHub App.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PullRequestApp {
    /// Its id.
    pub id: i64,
    /// Of its installation; zero to look for it.
    pub installation: i64,
    /// Its key, PEM.
    pub private_key: Secret<String>,
}

impl PullRequests {
    /// Reads `argocd-cm`. An account that cannot be read is left out.
    pub fn parse(data: &Data, lookup: Lookup<'_>) -> (Self, Vec<Problem>) {
        const ACCOUNTS: &str = "pullrequests.accounts";
        let mut reader = Reader::new(data);
        let enabled = reader.flag("pullrequests.enabled", false);
        let forks = reader.flag("pullrequests.forks", false);
        let mut accounts = Vec::new();
        for (index, entry) in reader.yaml_list(ACCOUNTS).iter().take(MOST).enumerate() {
            match account(entry, lookup) {
                Ok(account) => accounts.push(account),
                Err(reason) => reader.problem(ACCOUNTS, format!("account {}: {reason}", index + 1)),
            }
        }
        (Self { enabled, forks, accounts }, reader.problems)
    }
}

fn account(entry: &Value, lookup: Lookup<'_>) -> Result<PullRequestAccount, String> {
    const MEMBERS: [&str; 8] =
        ["url", "api", "username", "token", "githubApp", "insecure", "proxy", "noProxy"];
    let members = entry.as_object().ok_or("expected the members of an account")?;
    if let Some(name) = members.keys().find(|name| !MEMBERS.contains(&name.as_str())) {
        return Err(format!("there is no member {name:?}; there are {}", MEMBERS.join(", ")));
    }
    let web = |member: &str| match text(entry, member) {
        found if found.is_empty() || found.starts_with("https://") || found.starts_with("http://") => {
            Ok(found)
        }
        _ => Err(format!("{member} is not an http or https address")),
    };
    let url = web("url")?;
    if url.is_empty() {
        return Err("url is missing".into());
    }
    let app = entry.get("githubApp").map(|app| app_of(app, lookup)).transpose()?;
    let token = secret(entry, "token", lookup)?;
    if token.is_empty() == app.is_none() {
        return Err("either token or githubApp must be there".into());
    }
    let insecure = match entry.get("insecure") {
        None => false,
        Some(said) => said.as_bool().ok_or("insecure is neither true nor false")?,
    };
    Ok(PullRequestAccount {
        url,
        api: web("api")?,
        username: text(entry, "username"),
        token,
        app,
        insecure,
        proxy: proxy(entry, lookup)?,
        no_proxy: text(entry, "noProxy"),
    })
}

/// The address of a proxy. One with a password stands in a Secret.
fn proxy(entry: &Value, lookup: Lookup<'_>) -> Result<Secret<String>, String> {
    let said = text(entry, "proxy");
    let found = if said.starts_with('$') { secret(entry, "proxy", lookup)? } else { said.into() };
    let scheme = found.reveal().split_once("://").map(|(scheme, _)| scheme);
    match scheme {
        None if found.is_empty() => Ok(found),
        Some("http" | "https" | "socks5" | "socks5h") => Ok(found),
        _ => Err("proxy is no http, https or socks5 address".into()),
    }
}

fn app_of(entry: &Value, lookup: Lookup<'_>) -> Result<PullRequestApp, String> {
    let number = |member: &str| match entry.get(member) {
        None => Ok(0),
        Some(said) => said.as_i64().ok_or_else(|| format!("githubApp.{member} is not a whole number")),
    };
    let private_key = secret(entry, "privateKey", lookup)?;
    let app = PullRequestApp { id: number("id")?, installation: number("installation")?, private_key };
    if app.id == 0 || app.private_key.is_empty() {
        return Err("githubApp needs an id and a privateKey".into());
    }
    Ok(app)
}

/// What a member refers to. It stands in a Secret and nowhere else.
fn secret(entry: &Value, member: &str, lookup: Lookup<'_>) -> Result<Secret<String>, String> {
    let said = text(entry, member);
    if said.is_empty() {
        return Ok(Secret::default());
    }
    if !said.starts_with('$') {
        return Err(format!("{member} must refer to a key of a Secret, as $key or $secret:key"));
    }
    let mut missing = Vec::new();
    let found = resolve_text(&said, lookup, &mut missing);
    if missing.is_empty() && !found.is_empty() {
        Ok(found.into())
    } else {
        Err(format!("{member} refers to {said}, which is not there"))
    }
}

#[cfg(test)]
mod tests {
    use super::PullRequests;
    use crate::reader::Data;

    fn read(entries: &[(&str, &str)]) -> (PullRequests, Vec<String>) {
        let data: Data = entries.iter().map(|(key, text)| ((*key).to_owned(), (*text).to_owned())).collect();
        let lookup = |key: &str| (key == "other:token").then(|| "canary".to_owned());
        let (found, problems) = PullRequests::parse(&data, &lookup);
        (found, problems.into_iter().map(|problem| problem.message).collect())
    }

    #[test]
    fn nobody_is_answered_unless_that_is_said() {
        assert_eq!(read(&[]), (PullRequests::default(), Vec::new()));
        let (found, problems) = read(&[("pullrequests.enabled", "yes"), ("pullrequests.forks", "true")]);
        assert!(!found.enabled && found.forks && problems.len() == 1, "{problems:?}");
    }

    #[test]
    fn an_account_is_proven_by_what_a_secret_holds() {
        let check = |account: &str, problem: &str| {
            let (found, problems) = read(&[("pullrequests.accounts", account)]);
            assert!(!format!("{found:?}{problems:?}").contains("canary"));
            match problem {
                "" => assert!(problems.is_empty() && found.accounts.len() == 1, "{problems:?}"),
                _ => {
                    assert!(problems.iter().any(|found| found.contains(problem)), "{problems:?}");
                    assert!(found.accounts.is_empty());
                }
            }
        };
        check("- {url: 'https://git.example', token: '$other:token', username: ann}", "");
        check("- {url: 'https://git.example', githubApp: {id: 7, privateKey: '$other:token'}}", "");
        check("- {url: 'https://git.example', token: plain}", "must refer to a key of a Secret");
        check("- {url: 'https://git.example', token: '$none'}", "which is not there");
        check("- {url: 'ftp://git.example', token: '$other:token'}", "not an http or https address");
        check("- {token: '$other:token'}", "url is missing");
        check("- {url: 'https://git.example'}", "either token or githubApp");
        check("- {url: 'https://git.example', tokem: x}", "there is no member \"tokem\"");
        check(
            "- {url: 'https://git.example', githubApp: {id: x, privateKey: '$other:token'}}",
            "whole number",
        );
        check("- {url: 'https://git.example', githubApp: {id: 7}}", "needs an id and a privateKey");
        check("- {url: 'https://git.example', token: '$other:token', proxy: 'socks5://p:1', noProxy: x}", "");
        check("- {url: 'https://git.example', token: '$other:token', proxy: 'p:1'}", "proxy is no http");
        check("- {url: 'https://git.example', token: '$other:token', proxy: '$none'}", "which is not there");
        check(
            "- {url: 'https://git.example', token: '$other:token', proxy: '$other:token'}",
            "proxy is no http",
        );
        check("- x", "expected the members");
        check("{}", "expected a list");
    }
}
