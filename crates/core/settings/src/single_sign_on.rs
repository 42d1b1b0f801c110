//! Who else may say who somebody is: `oidc.config`, or the bundled Dex by `dex.config`.

use crate::duration::go_duration;
use crate::reader::{Data, Problem, Reader, text, texts};
use crate::references::{Lookup, resolve};
use object::Secret;
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;
use url::Url;

/// Client of the API server at the bundled Dex.
pub const DEX_CLIENT: &str = "argo-cd";
/// Client of the command line at the bundled Dex.
pub const DEX_CLI_CLIENT: &str = "argo-cd-cli";
const DEFAULT_SCOPES: [&str; 4] = ["openid", "profile", "email", "groups"];
const GRAPH: &str = "https://graph.microsoft.com/v1.0";

/// Which provider there is.
#[derive(Clone, Debug, PartialEq)]
pub enum SingleSignOn {
    /// A provider of one's own.
    Direct(Box<Oidc>),
    /// The bundled Dex.
    Dex(Dex),
}

/// A provider's settings.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Oidc {
    /// Caption of the button.
    pub name: String,
    /// The issuer's address, as its tokens spell it.
    pub issuer: String,
    /// The API server's client.
    pub client_id: String,
    /// Its secret; empty for a public client.
    pub client_secret: Secret<String>,
    /// The command line's client; empty for the same one.
    pub cli_client_id: String,
    /// Scopes that are asked for; none for [`scopes`] to say.
    pub scopes: Vec<String>,
    /// Claims that are asked for.
    pub requested_claims: BTreeMap<String, RequestedClaim>,
    /// Where a browser is sent when it logs out.
    pub logout_url: String,
    /// Authorities of the issuer's certificate, PEM; empty for the system's.
    pub root_ca: String,
    /// Audiences whose tokens are accepted.
    pub audiences: Vec<String>,
    /// Whether a token without audience is accepted.
    pub audience_may_be_missing: bool,
    /// Whether codes are bound to who asked for them.
    pub pkce: bool,
    /// What a provider of several domains is told.
    pub domain_hint: String,
    /// Where groups come from when not from the token.
    pub user_info: Option<UserInfo>,
    /// A token with less time left is renewed.
    pub refresh_threshold: Duration,
    /// Microsoft's particulars.
    pub azure: Azure,
    /// Whether the issuer's certificate is not looked at.
    pub skip_tls_verify: bool,
}

/// The endpoint that knows a user's groups.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserInfo {
    /// Its address.
    pub url: String,
    /// How long its answers are kept; zero for as long as the token lasts.
    pub keep: Duration,
}

/// Microsoft's particulars.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Azure {
    /// Whether the pod's own token stands for a client secret.
    pub workload_identity: bool,
    /// Where groups are asked for that do not fit into a token; empty for nowhere.
    pub graph: String,
    /// How long those answers are kept; zero for as long as the token lasts.
    pub keep: Duration,
}

/// A claim that is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequestedClaim {
    /// Whether a login without it makes no sense.
    pub essential: bool,
    /// The value it must have; empty for any.
    pub value: String,
    /// The values it may have; none for any.
    pub values: Vec<String>,
}

/// The bundled Dex.
#[derive(Clone, Debug, PartialEq)]
pub struct Dex {
    /// `dex.config` as it stands, references followed: it holds secrets.
    pub config: Secret<Value>,
    /// The connector that is chosen for users; empty when they choose.
    pub connector: String,
    /// Whether Dex's certificate is not looked at even where that is the default.
    pub skip_tls_verify: bool,
}

impl SingleSignOn {
    /// Reads `argocd-cm`. A provider of one's own wins over Dex; without `url` there is no Dex.
    pub fn parse(data: &Data, lookup: Lookup<'_>) -> (Option<Self>, Vec<Problem>) {
        let mut reader = Reader::new(data);
        let skip_tls_verify = reader.flag("oidc.tls.insecure.skip.verify", false);
        if !reader.text("oidc.config").trim().is_empty() {
            let direct = document(&mut reader, "oidc.config", lookup)
                .and_then(|value| oidc(&mut reader, &value, skip_tls_verify))
                .map(|oidc| Self::Direct(Box::new(oidc)));
            return (direct, reader.problems);
        }
        let dex = document(&mut reader, "dex.config", lookup).filter(|config| !is_empty(config));
        if dex.is_some() && reader.text("url").is_empty() {
            reader.problem("dex.config", "single sign-on needs url to be set: it is part of the issuer");
            return (None, reader.problems);
        }
        let connector = reader.text("dex.auth.connectorId").to_owned();
        let dex =
            dex.map(|config| Self::Dex(Dex { config: Secret::new(config), connector, skip_tls_verify }));
        (dex, reader.problems)
    }
}

fn is_empty(value: &Value) -> bool {
    value.as_object().is_none_or(serde_json::Map::is_empty)
}

fn document(reader: &mut Reader<'_>, key: &str, lookup: Lookup<'_>) -> Option<Value> {
    let mut value = reader.yaml(key)?;
    if !value.is_object() {
        reader.problem(key, "expected a map");
        return None;
    }
    let mut missing = Vec::new();
    resolve(&mut value, lookup, &mut missing);
    for reference in missing {
        reader.problem(key, format!("${reference} refers to nothing: the text itself is used"));
    }
    Some(value)
}

fn oidc(reader: &mut Reader<'_>, value: &Value, skip_tls_verify: bool) -> Option<Oidc> {
    const KEY: &str = "oidc.config";
    let issuer = text(value, "issuer");
    let is_address = |text: &str| Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
    if !is_address(&issuer) {
        reader.problem(KEY, "issuer is not an http or https address");
        return None;
    }
    let mut span = |member: &str, within: &Value| {
        let text = text(within, member);
        if text.is_empty() {
            return Duration::ZERO;
        }
        go_duration(&text).unwrap_or_else(|| {
            reader.problem(KEY, format!("{member} is not a duration"));
            Duration::ZERO
        })
    };
    let flag = |within: &Value, member: &str| within.get(member).and_then(Value::as_bool).unwrap_or(false);
    let azure = value.get("azure").cloned().unwrap_or_default();
    let graph = match text(&azure, "graphApiEndpoint") {
        _ if !flag(&azure, "enableUserGroupOverageClaim") => String::new(),
        address if address.is_empty() => GRAPH.to_owned(),
        address => address,
    };
    let (client_id, cli_client_id) = (text(value, "clientID"), text(value, "cliClientID"));
    let mut audiences = texts(value, "allowedAudiences");
    if audiences.is_empty() {
        audiences = [&client_id, &cli_client_id].map(Clone::clone).to_vec();
        audiences.retain(|audience| !audience.is_empty());
    }
    let base = match text(value, "userInfoBaseURL") {
        base if base.is_empty() => issuer.clone(),
        base => base,
    };
    let path = text(value, "userInfoPath");
    let user_info = (flag(value, "enableUserInfoGroups") && !path.is_empty())
        .then(|| UserInfo { url: format!("{base}{path}"), keep: span("userInfoCacheExpiration", value) });
    Some(Oidc {
        name: text(value, "name"),
        client_id,
        client_secret: Secret::new(text(value, "clientSecret")),
        cli_client_id,
        scopes: texts(value, "requestedScopes"),
        requested_claims: requested_claims(value),
        logout_url: text(value, "logoutURL"),
        root_ca: text(value, "rootCA"),
        audiences,
        audience_may_be_missing: flag(value, "skipAudienceCheckWhenTokenHasNoAudience"),
        pkce: flag(value, "enablePKCEAuthentication"),
        domain_hint: text(value, "domainHint").trim().to_owned(),
        user_info,
        refresh_threshold: span("refreshTokenThreshold", value),
        azure: Azure {
            workload_identity: flag(&azure, "useWorkloadIdentity"),
            graph,
            keep: span("userGroupOverageClaimCacheExpiration", &azure),
        },
        skip_tls_verify,
        issuer,
    })
}

/// The scopes, or those that are asked for when none are named.
pub fn scopes(named: Vec<String>) -> Vec<String> {
    if named.is_empty() { DEFAULT_SCOPES.map(str::to_owned).to_vec() } else { named }
}

fn requested_claims(value: &Value) -> BTreeMap<String, RequestedClaim> {
    let claims = value.get("requestedIDTokenClaims").and_then(Value::as_object);
    let claim = |value: &Value| RequestedClaim {
        essential: value.get("essential").and_then(Value::as_bool).unwrap_or(false),
        value: text(value, "value"),
        values: texts(value, "values"),
    };
    claims.into_iter().flatten().map(|(name, value)| (name.clone(), claim(value))).collect()
}

#[cfg(test)]
mod tests {
    use super::{SingleSignOn, UserInfo};
    use std::time::Duration;

    fn parse(pairs: &[(&str, &str)]) -> (Option<SingleSignOn>, Vec<String>) {
        let data = pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let lookup = |key: &str| (key == "oidc.secret").then(|| "hush\n".to_owned());
        let (found, problems) = SingleSignOn::parse(&data, &lookup);
        (found, problems.into_iter().map(|problem| format!("{}: {}", problem.key, problem.message)).collect())
    }

    #[test]
    fn a_provider_of_ones_own_wins_and_every_field_is_read() {
        let config = "name: Sign in\nissuer: https://idp.example\nclientID: web\nclientSecret: $oidc.secret\n\
             cliClientID: cli\nrequestedIDTokenClaims: {groups: {essential: true}, acr: {values: [a, b]}}\n\
             logoutURL: https://idp.example/out?t={{token}}\nenablePKCEAuthentication: true\n\
             enableUserInfoGroups: true\nuserInfoPath: /me\nuserInfoCacheExpiration: 5m\nrefreshTokenThreshold: 2m\n\
             skipAudienceCheckWhenTokenHasNoAudience: true\ndomainHint: ' x '\n\
             azure: {useWorkloadIdentity: true, enableUserGroupOverageClaim: true}\n";
        let (found, problems) = parse(&[
            ("url", "https://argocd.example"),
            ("oidc.config", config),
            ("dex.config", "connectors: []"),
            ("oidc.tls.insecure.skip.verify", "true"),
        ]);
        assert_eq!(problems, Vec::<String>::new());
        let Some(SingleSignOn::Direct(oidc)) = found else { panic!("{found:?}") };
        assert_eq!(oidc.client_secret.reveal(), "hush");
        assert_eq!(super::scopes(oidc.scopes.clone()), ["openid", "profile", "email", "groups"]);
        assert_eq!(oidc.audiences, ["web", "cli"]);
        assert!(oidc.requested_claims["groups"].essential && oidc.requested_claims["acr"].values.len() == 2);
        let five = Duration::from_secs(300);
        assert_eq!(oidc.user_info, Some(UserInfo { url: "https://idp.example/me".into(), keep: five }));
        assert!(oidc.pkce && oidc.audience_may_be_missing && oidc.skip_tls_verify);
        assert_eq!((oidc.domain_hint.as_str(), oidc.refresh_threshold.as_secs()), ("x", 120));
        assert!(oidc.azure.workload_identity);
        assert_eq!(oidc.azure.graph, "https://graph.microsoft.com/v1.0");
        let shown = format!("{oidc:?}");
        assert!(!shown.contains("hush"), "{shown}");
    }

    #[test]
    fn dex_needs_an_address_and_a_wrong_setting_turns_single_sign_on_off() {
        let dex = ("dex.config", "connectors: [{type: mock, id: m, name: M}]");
        let (found, problems) = parse(&[dex, ("url", "https://a"), ("dex.auth.connectorId", "m")]);
        assert!(matches!(found, Some(SingleSignOn::Dex(dex)) if dex.connector == "m"), "{problems:?}");
        let (found, problems) = parse(&[dex]);
        assert!(found.is_none() && problems[0].contains("needs url"), "{problems:?}");
        for wrong in ["issuer: javascript:alert(1)", "clientID: x", "[]", "a: [", "{issuer: ftp://x}"] {
            let (found, problems) = parse(&[("oidc.config", wrong), ("url", "https://a"), dex]);
            assert!(found.is_none() && !problems.is_empty(), "{wrong}: {found:?}");
        }
        assert_eq!(parse(&[("oidc.config", " "), ("dex.config", "{}"), ("url", "https://a")]).0, None);
    }

    #[test]
    fn a_reference_to_nothing_is_told() {
        let (found, problems) = parse(&[("oidc.config", "issuer: https://i\nclientSecret: $nowhere")]);
        assert!(
            found.is_some()
                && problems == ["oidc.config: $nowhere refers to nothing: the text itself is used"]
        );
    }
}
