//! Logging in through the identity provider of a server, and going on with what that brought.

mod callback;
mod page;
mod refresh;

pub(crate) use refresh::refresh;

use std::time::Duration;

use auth::oidc::{Audiences, AuthorizationRequest, Pkce, authorization_url, random_text};
use object::Secret;
use oidc::{Certificates, Client, OidcError, Provider, ProviderOptions, Tokens, Wanted};
use serde_json::{Map, Value, json};
use wire::cluster::{Settings, SettingsQuery};

use crate::connection::{Server, Target};
use crate::failure::{Failure, Outcome};
use crate::log::Level;
use crate::session::Session;
use callback::{Answer, Callback};

/// How long the user may take.
const PATIENCE: Duration = Duration::from_secs(15 * 60);
const OFFLINE: &str = "offline_access";

/// What a login brings.
pub(crate) struct Login {
    /// The token to authenticate with.
    pub(crate) token: String,
    /// Brings new ones; empty when the provider gave none.
    pub(crate) refresh_token: String,
}

/// A provider, and who we are to it.
struct Known {
    provider: Provider,
    client: Client,
    scopes: Vec<String>,
    /// What else a login says: claims that are asked for, the connector that is chosen for everybody.
    more: Vec<(&'static str, String)>,
}

/// Logs the user in with a browser.
pub(crate) async fn login(session: &mut Session<'_>, server: &Server) -> Outcome<Login> {
    let known = provider_of(server).await?;
    let discovery = known.provider.discovery().await.map_err(|error| asked(&error))?;
    let port = session.text("sso-port");
    let port = port.parse().map_err(|_| Failure::generic(format!("--sso-port {port} is not a port")))?;
    let listening = Callback::listen(port).await;
    let listening =
        listening.map_err(|error| Failure::generic(format!("Temporary HTTP server failed: {error}")))?;
    let redirect_uri = match session.matches.text("callback") {
        "" => format!("http://localhost:{port}/auth/callback"),
        base => format!("{}/auth/callback", base.trim_end_matches('/')),
    };
    let pkce = Pkce::new(rand::random());
    let (state, nonce) = (random_text(rand::random()), random_text(rand::random()));
    let mut scopes = known.scopes.clone();
    // A provider that does not list its scopes is taken to know the standard's.
    if discovery.scopes.is_empty() || discovery.scopes.iter().any(|scope| scope == OFFLINE) {
        scopes.push(OFFLINE.to_owned());
    }
    let mut more = vec![("access_type", "offline".to_owned())];
    more.extend(known.more.iter().cloned());
    let request = AuthorizationRequest {
        client_id: &known.client.id,
        redirect_uri: &redirect_uri,
        scopes: &scopes,
        state: &state,
        nonce: &nonce,
        challenge: &pkce.challenge,
        more: &more,
    };
    let url = authorization_url(&discovery.authorization_endpoint, &request);
    session.line(&format!("Performing authorization_code flow login: {url}"));
    show(session, url.as_str());
    let exchange = async |code: String| {
        let tokens = known.provider.exchange(&known.client, &code, &redirect_uri, &pkce.verifier).await;
        let tokens = tokens.map_err(|error| format!("failed to get token: {error}"))?;
        check(&known, &tokens, Some(&nonce)).await?;
        Ok(tokens)
    };
    let finished = tokio::time::timeout(PATIENCE, listening.finish(&state, exchange)).await;
    let answer = finished.map_err(|_| Failure::generic("nobody logged in within 15 minutes"))?;
    let tokens = match answer {
        Answer::Tokens(tokens) => tokens,
        Answer::Failed(reason) => return Err(Failure::generic(reason)),
    };
    session.line("Authentication successful");
    Ok(Login {
        token: tokens.id_token.reveal().clone(),
        refresh_token: tokens.refresh_token.reveal().clone(),
    })
}

/// Opens a browser, or says what to open.
fn show(session: &mut Session<'_>, url: &str) {
    let by_hand =
        format!("To authenticate, copy-and-paste the following URL into your preferred browser: {url}");
    if !session.is("sso-launch-browser") {
        session.line(&by_hand);
        return;
    }
    session.line("Opening system default browser for authentication");
    let program = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    let started = std::process::Command::new(program)
        .arg(url)
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn();
    if let Err(error) = started {
        session.log(Level::Warning, &format!("start {program}: {error}"));
        session.line(&by_hand);
    }
}

/// The token is the provider's and ours before it is kept.
async fn check(known: &Known, tokens: &Tokens, nonce: Option<&str>) -> Result<(), String> {
    let token = tokens.id_token.reveal();
    if token.is_empty() {
        return Err("no id_token in token response".into());
    }
    let allowed = [known.client.id.clone()];
    let audiences = Audiences { allowed: &allowed, may_be_missing: false };
    let wanted = Wanted { audiences, nonce, essential: None };
    let verified = known.provider.verify(token, &wanted, jiff::Timestamp::now()).await;
    verified.map(|_| ()).map_err(|error| format!("failed to verify the token: {error}"))
}

/// The provider that the server's settings name.
async fn provider_of(server: &Server) -> Outcome<Known> {
    let settings = server.settings().get(SettingsQuery {}).await?.into_inner();
    let target = &server.target;
    let unknown = || Failure::generic(format!("{} is not configured with SSO", target.address));
    let Described { issuer, id, scopes, more } = described(settings).ok_or_else(unknown)?;
    let options = ProviderOptions { issuer, via: None, certificates: certificates(target), keep: PATIENCE };
    let provider = Provider::new(options).map_err(|error| asked(&error))?;
    let client = Client { id, secret: Secret::default(), assertion: Secret::default() };
    Ok(Known { provider, client, scopes, more })
}

/// What settings say of a provider.
struct Described {
    issuer: String,
    /// The client's.
    id: String,
    scopes: Vec<String>,
    more: Vec<(&'static str, String)>,
}

fn described(settings: Settings) -> Option<Described> {
    if let Some(oidc) = settings.oidc_config.filter(|oidc| !oidc.issuer.is_empty()) {
        let id = if oidc.cli_client_id.is_empty() { oidc.client_id } else { oidc.cli_client_id };
        let claims: Map<String, Value> = oidc
            .id_token_claims
            .into_iter()
            .map(|(name, claim)| {
                let mut wanted = Map::new();
                if claim.essential {
                    wanted.insert("essential".into(), true.into());
                }
                if !claim.value.is_empty() {
                    wanted.insert("value".into(), claim.value.into());
                }
                if !claim.values.is_empty() {
                    wanted.insert("values".into(), claim.values.into());
                }
                (name, Value::Object(wanted))
            })
            .collect();
        let claims = (!claims.is_empty()).then(|| ("claims", json!({ "id_token": claims }).to_string()));
        let more = claims.into_iter().collect();
        return Some(Described { issuer: oidc.issuer, id, scopes: settings::scopes(oidc.scopes), more });
    }
    let dex = settings.dex_config.filter(|dex| !dex.connectors.is_empty())?;
    let mut scopes = settings::scopes(Vec::new());
    scopes.push("federated:id".to_owned());
    let connector = Some(dex.dex_auth_connector_id).filter(|id| !id.is_empty());
    let more = connector.map(|id| ("connector_id", id)).into_iter().collect();
    Some(Described {
        issuer: settings::dex_issuer(&settings.url),
        id: settings::DEX_CLI_CLIENT.to_owned(),
        scopes,
        more,
    })
}

/// The provider is trusted as the server is: the bundled one is behind the same address.
fn certificates(target: &Target) -> Certificates {
    if target.insecure {
        return Certificates::NotVerified;
    }
    match String::from_utf8(target.authority.clone()) {
        Ok(pem) if !pem.is_empty() => Certificates::SignedBy(pem),
        _ => Certificates::OfTheSystem,
    }
}

fn asked(error: &OidcError) -> Failure {
    Failure::generic(format!("Failed to query provider: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::cluster::{Connector, DexConfig};

    #[test]
    fn a_connector_that_is_chosen_for_everybody_is_asked_for() {
        let of = |chosen: &str, connectors: Vec<Connector>| {
            let dex_config = Some(DexConfig { connectors, dex_auth_connector_id: chosen.into() });
            described(Settings { url: "https://cd.example".into(), dex_config, ..Settings::default() })
        };
        let connectors = || vec![Connector { id: "ldap".into(), ..Connector::default() }];
        let chosen = of("ldap", connectors()).expect("there is a provider");
        assert_eq!(chosen.more, [("connector_id", "ldap".to_owned())]);
        assert_eq!(chosen.issuer, "https://cd.example/api/dex");
        assert!(of("", connectors()).expect("there is a provider").more.is_empty());
        assert!(of("ldap", Vec::new()).is_none());
    }
}
