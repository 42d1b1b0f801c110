//! Tokens of clouds: of Google for the key of a service account, of Azure for a service principal and for the identity that
//! this process runs with. Blocks.

use std::{io::Read, time::Duration};

use jiff::Timestamp;
use object::Secret;
use reqwest::blocking::Client;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    Cause, Repository, http,
    tokens::{Bought, UNKNOWN, signed},
    transport::Settings,
};

const GOOGLE_TOKENS: &str = "https://oauth2.googleapis.com/token";
const GOOGLE_SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";
const AZURE: &str = "https://login.microsoftonline.com";
/// The application that Azure DevOps is.
const AZURE_SCOPE: &str = "499b84ac-1321-427f-aa17-267ca6975798/.default";
const ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
const LONGEST_ANSWER: u64 = 1 << 20;

/// The identity of this process on Azure, as its webhook puts it into the environment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AzureWorkload {
    /// `AZURE_TENANT_ID`.
    pub tenant: String,
    /// `AZURE_CLIENT_ID`.
    pub client: String,
    /// `AZURE_FEDERATED_TOKEN_FILE`, read anew for each token.
    pub token_file: std::path::PathBuf,
    /// `AZURE_AUTHORITY_HOST`; that of the public cloud when empty.
    pub authority: String,
}

/// The key of a service account as Google gives it.
#[derive(Deserialize)]
struct ServiceAccount {
    #[serde(default)]
    r#type: String,
    #[serde(default)]
    client_email: String,
    #[serde(default)]
    private_key_id: String,
    #[serde(default)]
    private_key: String,
    #[serde(default)]
    token_uri: String,
}

/// The name that goes with a token as password.
pub(crate) fn google_user(repository: &Repository) -> String {
    let account = serde_json::from_str::<ServiceAccount>(repository.google.reveal());
    account.map(|account| account.client_email).unwrap_or_default()
}

pub(crate) fn google(repository: &Repository, settings: &Settings) -> Result<Bought, Cause> {
    const WHAT: &str = "gcpServiceAccountKey";
    let wrong = |reason: &str| Cause::Other(format!("{WHAT}: {reason}"));
    // What cannot be read may hold the key: nothing of it is told.
    let account: ServiceAccount =
        serde_json::from_str(repository.google.reveal()).map_err(|_| wrong("it is no JSON of a key"))?;
    if account.r#type != "service_account" {
        return Err(wrong("it is not the key of a service account"));
    }
    let url = if account.token_uri.is_empty() { GOOGLE_TOKENS } else { account.token_uri.as_str() };
    let now = Timestamp::now().as_second();
    let header = json!({"alg": "RS256", "typ": "JWT", "kid": account.private_key_id}).to_string();
    // Clocks differ.
    let claims = json!({
        "iss": account.client_email, "scope": GOOGLE_SCOPE, "aud": url, "iat": now - 10, "exp": now + 3500,
    });
    let word = signed(&account.private_key, &header, &claims.to_string());
    let word = word.map_err(|reason| wrong(&reason))?;
    let form = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
        ("assertion", word.reveal().as_str()),
    ];
    ask(WHAT, url, &form, repository, settings)
}

pub(crate) fn azure_principal(repository: &Repository, settings: &Settings) -> Result<Bought, Cause> {
    let azure = &repository.azure;
    let form = [
        ("grant_type", "client_credentials"),
        ("scope", AZURE_SCOPE),
        ("client_id", azure.client.as_str()),
        ("client_secret", azure.client_secret.reveal().as_str()),
    ];
    let url = azure_tokens(&azure.authority, &azure.tenant);
    ask("azureServicePrincipalClientId", &url, &form, repository, settings)
}

pub(crate) fn azure_workload(repository: &Repository, settings: &Settings) -> Result<Bought, Cause> {
    const WHAT: &str = "useAzureWorkloadIdentity";
    let wrong = |reason: String| Cause::Other(format!("{WHAT}: {reason}"));
    let workload = settings.azure_workload.as_ref();
    let workload = workload.ok_or_else(|| {
        wrong("AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_FEDERATED_TOKEN_FILE are not all set".to_owned())
    })?;
    let file = &workload.token_file;
    let assertion: Secret<String> = std::fs::read_to_string(file)
        .map_err(|error| wrong(format!("read {}: {error}", file.display())))?
        .into();
    let form = [
        ("grant_type", "client_credentials"),
        ("scope", AZURE_SCOPE),
        ("client_id", workload.client.as_str()),
        ("client_assertion_type", ASSERTION),
        ("client_assertion", assertion.reveal().trim()),
    ];
    ask(WHAT, &azure_tokens(&workload.authority, &workload.tenant), &form, repository, settings)
}

fn azure_tokens(authority: &str, tenant: &str) -> String {
    let authority = if authority.is_empty() { AZURE } else { authority.trim_end_matches('/') };
    format!("{authority}/{tenant}/oauth2/v2.0/token")
}

/// Asks for a token by OAuth. The way out is the repository's; trust is that in the host that is asked.
fn ask(
    what: &str,
    url: &str,
    form: &[(&str, &str)],
    repository: &Repository,
    settings: &Settings,
) -> Result<Bought, Cause> {
    let access = Repository {
        certificate_authorities: settings.authorities(url),
        proxy: repository.proxy.clone(),
        no_proxy: repository.no_proxy.clone(),
        ..Repository::default()
    };
    let failed = |reason: String| Cause::Other(format!("{what}: ask for a token: {reason}"));
    let client = http::configure(Client::builder(), &access, settings.request_timeout)
        .and_then(reqwest::blocking::ClientBuilder::build)
        .map_err(|error| failed(http::reason(error)))?;
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
    let request = client
        .post(url)
        .header("Content-Type", "application/x-www-form-urlencoded")
        .header("Accept", "application/json")
        .header("User-Agent", http::USER_AGENT)
        .body(body);
    let response = request
        .send()
        .map_err(|error| Cause::Unreachable(format!("{what}: ask for a token: {}", http::reason(error))))?;
    let status = response.status();
    let mut text = Vec::new();
    let read = response.take(LONGEST_ANSWER).read_to_end(&mut text);
    read.map_err(|error| failed(error.to_string()))?;
    let told: Value = serde_json::from_slice(&text).unwrap_or_default();
    let token = told["access_token"].as_str().unwrap_or_default();
    if status.is_success() && !token.is_empty() {
        // Some tell a number, others the same as text.
        let lasts = &told["expires_in"];
        let lasts = lasts.as_u64().or_else(|| lasts.as_str()?.parse().ok()).map(Duration::from_secs);
        return Ok((token.into(), lasts.unwrap_or(UNKNOWN)));
    }
    // `error` is one of a few words; anything else may quote what was sent.
    let word = told["error"]
        .as_str()
        .filter(|word| word.len() < 40 && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'));
    let told =
        format!("{what}: ask for a token: status {status}: {}", word.unwrap_or("no token in the answer"));
    Err(match status.as_u16() {
        400 | 401 | 403 => Cause::AuthenticationRequired(told),
        429 | 500.. => Cause::Unreachable(told),
        _ => Cause::Other(told),
    })
}
