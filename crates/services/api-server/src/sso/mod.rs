//! Single sign-on: which provider there is now, and what is done with it.

mod dex;
mod identity;
mod login;
mod logout;
mod pages;
mod session;

pub(crate) use dex::{forward as forward_to_dex, has_dex};
pub(crate) use login::{callback, login};
pub(crate) use logout::provider_logout;
pub(crate) use pages::{external_url, own_urls};

use crate::hub::Hub;
use crate::options::DexOptions;
use auth::oidc::{RequestedValue, Sealed, dex_client_secret};
use object::Secret;
use oidc::{Certificates, Client, Provider, ProviderOptions};
use serde_json::{Map, Value, json};
use settings::SingleSignOn;
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use store::Store;
use url::Url;

/// What ties a user at Dex to who they are at the connector.
const DEX_SCOPE: &str = "federated:id";
/// Secrets that settings may refer to say that they are Argo CD's.
const PART_OF: (&str, &str) = ("app.kubernetes.io/part-of", "argocd");

/// What the settings depended on when they were read.
type Versions = (crate::snapshot::Versions, u64);

/// The provider, as long as nothing it depends on changes.
#[derive(Default)]
pub(crate) struct Sso(RwLock<Option<Arc<Current>>>);

/// Single sign-on as the settings have it now.
pub(crate) struct Current {
    versions: Versions,
    /// The settings; none when it is off.
    pub(crate) settings: Option<SingleSignOn>,
    /// What to do with them; none when it is off, or when the settings cannot be used.
    pub(crate) app: Option<Arc<App>>,
    /// The last one there was: what its provider said is worth something when the same one comes back.
    last: Option<Arc<App>>,
}

/// Our client at the provider.
pub(crate) struct App {
    pub(crate) provider: Provider,
    pub(crate) client: Client,
    pub(crate) scopes: Vec<String>,
    pub(crate) audiences: Vec<String>,
    pub(crate) audience_may_be_missing: bool,
    /// Parameters of the login that come from settings.
    pub(crate) parameters: Vec<(&'static str, String)>,
    pub(crate) essential: BTreeMap<String, RequestedValue>,
    pub(crate) pkce: bool,
    pub(crate) user_info: Option<settings::UserInfo>,
    pub(crate) graph: String,
    pub(crate) graph_keep: Duration,
    pub(crate) refresh_threshold: Duration,
    pub(crate) logout_url: String,
    pub(crate) workload_identity: bool,
    pub(crate) sealed: Sealed,
    /// One renewal at a time: some providers take a refresh token once.
    pub(crate) renewing: tokio::sync::Mutex<()>,
    /// Passes requests on to the bundled Dex.
    pub(crate) dex: Option<(forward::Forwarder, Url)>,
}

impl Hub {
    /// Single sign-on as it is now.
    pub(crate) fn sso(&self) -> Arc<Current> {
        let versions = (crate::snapshot::versions(&self.store), self.store.secrets().generation());
        let known = self.sso.0.read().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(known) = known.as_ref().filter(|known| known.versions == versions) {
            return known.clone();
        }
        let fresh = Arc::new(self.read_sso(versions, known.as_deref()));
        *self.sso.0.write().unwrap_or_else(PoisonError::into_inner) = Some(fresh.clone());
        fresh
    }

    fn read_sso(&self, versions: Versions, before: Option<&Current>) -> Current {
        let snapshot = self.snapshot();
        let lookup = |key: &str| secret_text(&self.store, key);
        let (settings, problems) = SingleSignOn::parse(&snapshot.data, &lookup);
        let same_key = before.is_some_and(|before| before.versions.0 == versions.0);
        if let Some(before) = before.filter(|before| same_key && before.settings == settings) {
            // Only other Secrets changed: keys and tokens that are known stay known.
            let (app, last) = (before.app.clone(), before.last.clone());
            return Current { versions, settings, app, last };
        }
        for problem in snapshot.other_problems(problems) {
            tracing::warn!("argocd-cm {}: {}", problem.key, problem.message);
        }
        let key = self.store.secret("argocd-secret").and_then(|entry| {
            entry.data.get("server.secretkey").map(|key| key.reveal().clone()).filter(|key| !key.is_empty())
        });
        let app = settings.as_ref().zip(key).and_then(|(settings, key)| {
            let made = App::new(settings, &snapshot.server.url, &key, self);
            made.map_err(|error| tracing::error!("single sign-on cannot be used: {error}")).ok()
        });
        let last = before.and_then(|before| before.last.clone());
        if let (Some(app), Some(last)) = (&app, &last) {
            app.provider.know_from(&last.provider);
        }
        let app = app.map(Arc::new);
        Current { versions, settings, last: app.clone().or(last), app }
    }
}

/// The text a setting refers to: a key of `argocd-secret`, or `name:key` of a Secret that is Argo CD's.
pub(crate) fn secret_text(store: &Store, reference: &str) -> Option<String> {
    let (name, key) = reference.split_once(':').unwrap_or(("argocd-secret", reference));
    let entry = store.secret(name)?;
    let is_ours =
        name == "argocd-secret" || entry.labels.get(PART_OF.0).is_some_and(|value| value == PART_OF.1);
    (is_ours && entry.data.contains_key(key)).then(|| entry.text(key))
}

impl App {
    fn new(settings: &SingleSignOn, url: &str, key: &[u8], hub: &Hub) -> Result<Self, String> {
        match settings {
            SingleSignOn::Direct(oidc) => Self::direct(oidc, key, hub),
            SingleSignOn::Dex(dex) => Self::of_dex(dex, url, key, hub),
        }
    }

    fn direct(oidc: &settings::Oidc, key: &[u8], hub: &Hub) -> Result<Self, String> {
        let certificates = match (&oidc.root_ca, oidc.skip_tls_verify) {
            (_, true) => Certificates::NotVerified,
            (authority, false) if authority.trim().is_empty() => Certificates::OfTheSystem,
            (authority, false) => Certificates::SignedBy(authority.clone()),
        };
        let options = ProviderOptions {
            issuer: oidc.issuer.clone(),
            via: None,
            certificates,
            keep: hub.options.oidc_keep,
        };
        let mut parameters = Vec::new();
        if !oidc.requested_claims.is_empty() {
            parameters.push(("claims", claims_parameter(&oidc.requested_claims).to_string()));
        }
        if !oidc.domain_hint.is_empty() {
            parameters.push(("domain_hint", oidc.domain_hint.clone()));
        }
        let essential = oidc.requested_claims.iter().filter(|(_, claim)| claim.essential);
        let values = |claim: &settings::RequestedClaim| RequestedValue {
            values: claim
                .values
                .iter()
                .chain([&claim.value])
                .filter(|value| !value.is_empty())
                .cloned()
                .collect(),
        };
        Ok(Self {
            provider: Provider::new(options).map_err(|error| error.to_string())?,
            client: Client {
                id: oidc.client_id.clone(),
                secret: oidc.client_secret.clone(),
                assertion: Secret::default(),
            },
            scopes: settings::scopes(oidc.scopes.clone()),
            audiences: oidc.audiences.clone(),
            audience_may_be_missing: oidc.audience_may_be_missing,
            parameters,
            essential: essential.map(|(name, claim)| (name.clone(), values(claim))).collect(),
            pkce: oidc.pkce,
            user_info: oidc.user_info.clone(),
            graph: oidc.azure.graph.clone(),
            graph_keep: oidc.azure.keep,
            refresh_threshold: oidc.refresh_threshold,
            logout_url: oidc.logout_url.clone(),
            workload_identity: oidc.azure.workload_identity,
            sealed: Sealed::new(key),
            renewing: tokio::sync::Mutex::default(),
            dex: None,
        })
    }

    fn of_dex(dex: &settings::Dex, url: &str, key: &[u8], hub: &Hub) -> Result<Self, String> {
        let DexOptions { address, certificates } = &hub.options.dex;
        let via = Url::parse(address).map_err(|error| format!("--dex-server {address:?}: {error}"))?;
        let trust = if dex.skip_tls_verify { &forward::Certificates::NotVerified } else { certificates };
        let forwarder = forward::Forwarder::new(trust, &forward::Connections::default());
        let options = ProviderOptions {
            issuer: settings::dex_issuer(url),
            via: Some(via.clone()),
            certificates: match trust {
                forward::Certificates::NotVerified => Certificates::NotVerified,
                forward::Certificates::OfTheSystem => Certificates::OfTheSystem,
                forward::Certificates::SignedBy(pem) => {
                    Certificates::SignedBy(String::from_utf8_lossy(pem).into_owned())
                }
            },
            keep: hub.options.oidc_keep,
        };
        let mut parameters = Vec::new();
        match chosen_connector(dex) {
            "" if dex.connector.is_empty() => {}
            "" => {
                tracing::warn!(id = %dex.connector, "dex.auth.connectorId names no connector of dex.config: users choose");
            }
            chosen => parameters.push(("connector_id", chosen.to_owned())),
        }
        let mut scopes = settings::scopes(Vec::new());
        scopes.push(DEX_SCOPE.to_owned());
        Ok(Self {
            provider: Provider::new(options).map_err(|error| error.to_string())?,
            client: Client {
                id: settings::DEX_CLIENT.to_owned(),
                secret: Secret::new(dex_client_secret(key)),
                assertion: Secret::default(),
            },
            scopes,
            audiences: [settings::DEX_CLIENT, settings::DEX_CLI_CLIENT].map(str::to_owned).to_vec(),
            audience_may_be_missing: false,
            parameters,
            essential: BTreeMap::new(),
            pkce: false,
            user_info: None,
            graph: String::new(),
            graph_keep: Duration::ZERO,
            refresh_threshold: Duration::ZERO,
            logout_url: String::new(),
            workload_identity: false,
            sealed: Sealed::new(key),
            renewing: tokio::sync::Mutex::default(),
            dex: Some((forwarder.map_err(|error| error.to_string())?, via)),
        })
    }
}

/// The connector that settings choose for users; empty when they choose, or when Dex has none of that id.
pub(crate) fn chosen_connector(dex: &settings::Dex) -> &str {
    let connectors = dex.config.reveal()["connectors"].as_array();
    let is_there = connectors.into_iter().flatten().any(|connector| connector["id"] == *dex.connector);
    if is_there { &dex.connector } else { "" }
}

/// The request for claims, as the provider reads it.
fn claims_parameter(claims: &BTreeMap<String, settings::RequestedClaim>) -> Value {
    let claims: Map<String, Value> = claims
        .iter()
        .map(|(name, claim)| {
            let mut wanted = Map::new();
            if claim.essential {
                wanted.insert("essential".into(), true.into());
            }
            if !claim.value.is_empty() {
                wanted.insert("value".into(), claim.value.clone().into());
            }
            if !claim.values.is_empty() {
                wanted.insert("values".into(), claim.values.clone().into());
            }
            (name.clone(), Value::Object(wanted))
        })
        .collect();
    json!({ "id_token": claims })
}
