//! Tokens of GitHub Apps: a signed word about the App buys a token for its installation, which is good for an hour.
//! Blocks.

use std::{io::Read, time::Duration};

use jiff::Timestamp;
use object::Secret;
use reqwest::{
    Method,
    blocking::{Client, RequestBuilder},
};
use serde::{Deserialize, de::DeserializeOwned};

use crate::{
    Cause, Repository, http,
    location::percent_decoded,
    tokens::{self, Bought, UNKNOWN, digest},
    transport::Settings,
};

const GITHUB: &str = "https://api.github.com";
/// The name that goes with a token as password.
pub(crate) const USER: &str = "x-access-token";
/// Pages of an App's installations.
const MOST_PAGES: usize = 50;
const LONGEST_ANSWER: u64 = 8 << 20;

#[derive(Deserialize)]
struct Token {
    token: String,
    #[serde(default)]
    expires_at: String,
}

#[derive(Deserialize)]
struct Installation {
    id: i64,
    #[serde(default)]
    account: Account,
}

#[derive(Default, Deserialize)]
struct Account {
    #[serde(default)]
    login: String,
}

/// A token is good for what the App is installed on: for all repositories of one owner.
pub(crate) fn key(repository: &Repository) -> [u8; 32] {
    let app = &repository.github_app;
    let owner = if app.installation == 0 { owner(&repository.url) } else { String::new() };
    let (id, installation) = (app.id.to_string(), app.installation.to_string());
    digest(&["github", &id, &installation, app.private_key.reveal(), &app.base_url, &owner])
}

/// Who a repository belongs to: the first part of its path.
fn owner(url: &str) -> String {
    let path = url.split_once("://").map_or(url, |(_, rest)| rest).split_once('/');
    path.and_then(|(_, path)| path.split('/').next()).map_or_else(String::new, percent_decoded)
}

fn failed(repository: &Repository, cause: impl std::fmt::Display) -> Cause {
    Cause::Other(format!("ask for a token of GitHub App {}: {cause}", repository.github_app.id))
}

pub(crate) fn ask(repository: &Repository, settings: &Settings) -> Result<Bought, Cause> {
    let app = &repository.github_app;
    let base = if app.base_url.is_empty() { GITHUB } else { app.base_url.trim_end_matches('/') };
    let word = signed(repository)?;
    let client = http::configure(Client::builder(), repository, settings.request_timeout)
        .and_then(reqwest::blocking::ClientBuilder::build)
        .map_err(|error| failed(repository, error))?;
    let request = |method: Method, path: &str| {
        client
            .request(method, format!("{base}{path}"))
            .bearer_auth(word.reveal())
            .header("Accept", "application/vnd.github+json")
            .header("User-Agent", http::USER_AGENT)
    };
    let mut installation = app.installation;
    if installation == 0 {
        let owner = owner(&repository.url);
        let mut page = 0;
        while installation == 0 {
            page += 1;
            let path = format!("/app/installations?per_page=100&page={page}");
            let found: Vec<Installation> = answer(request(Method::GET, &path), repository)?;
            if found.is_empty() || page > MOST_PAGES {
                return Err(failed(repository, format!("it is not installed for {owner:?}")));
            }
            let own = found.iter().find(|found| found.account.login.eq_ignore_ascii_case(&owner));
            installation = own.map_or(0, |found| found.id);
        }
    }
    let path = format!("/app/installations/{installation}/access_tokens");
    let token: Token = answer(request(Method::POST, &path), repository)?;
    let lasts = token
        .expires_at
        .parse::<Timestamp>()
        .map_or(UNKNOWN, |end| Duration::try_from(end.duration_since(Timestamp::now())).unwrap_or_default());
    Ok((token.token.into(), lasts))
}

fn answer<T: DeserializeOwned>(request: RequestBuilder, repository: &Repository) -> Result<T, Cause> {
    let id = repository.github_app.id;
    let response = request.send().map_err(|error| {
        Cause::Unreachable(format!("ask for a token of GitHub App {id}: {}", http::reason(error)))
    })?;
    let status = response.status();
    let place = format!("{}{}", response.url().host_str().unwrap_or_default(), response.url().path());
    let told = format!("GitHub App {id}: {place}: status {status}");
    match status.as_u16() {
        200..=299 => {}
        401 => return Err(Cause::AuthenticationRequired(told)),
        403 | 404 => return Err(Cause::AuthorizationFailed(told)),
        429 | 500.. => return Err(Cause::Unreachable(told)),
        _ => return Err(Cause::Other(told)),
    }
    let mut text = Vec::new();
    let read = response.take(LONGEST_ANSWER).read_to_end(&mut text);
    read.map_err(|error| failed(repository, error))?;
    // What cannot be read may hold a token: nothing of it is told.
    serde_json::from_slice(&text).map_err(|_| failed(repository, format!("{place} gave no such answer")))
}

/// A JSON web token in which the App says who it is, good for a few minutes.
fn signed(repository: &Repository) -> Result<Secret<String>, Cause> {
    let app = &repository.github_app;
    let now = Timestamp::now().as_second();
    // Clocks differ.
    let claims = format!(r#"{{"iat":{},"exp":{},"iss":"{}"}}"#, now - 60, now + 300, app.id);
    tokens::signed(app.private_key.reveal(), r#"{"alg":"RS256","typ":"JWT"}"#, &claims)
        .map_err(|reason| failed(repository, reason))
}
