//! The configuration the bundled Dex is run with: the user's connectors, our clients and addresses.

use crate::single_sign_on::{DEX_CLI_CLIENT, DEX_CLIENT, Dex};
use object::Secret;
use serde_json::{Map, Value, json};
use url::Url;

/// Connectors whose `redirectURI` is ours to say.
const WITH_REDIRECT: [&str; 8] =
    ["bitbucket-cloud", "github", "gitlab", "linkedin", "microsoft", "oidc", "openshift", "saml"];
/// Where `rundex` leaves the certificate.
pub const CERTIFICATE: &str = "/tmp/tls.crt";
/// Where `rundex` leaves the certificate's key.
pub const CERTIFICATE_KEY: &str = "/tmp/tls.key";

/// What the configuration is made of beside `dex.config`.
#[derive(Clone, Debug)]
pub struct DexFacts {
    /// The address users know.
    pub url: String,
    /// Other addresses it is reached by.
    pub additional_urls: Vec<String>,
    /// The API server's secret at Dex.
    pub client_secret: Secret<String>,
    /// Whether Dex speaks plain HTTP.
    pub disable_tls: bool,
    /// How much Dex logs; empty for its default.
    pub log_level: String,
    /// How Dex logs; empty for its default.
    pub log_format: String,
}

/// The address of a path below an external one.
pub fn below(url: &str, path: &str) -> String {
    format!("{}{path}", url.trim_end_matches('/'))
}

/// The issuer of tokens of the bundled Dex.
pub fn dex_issuer(url: &str) -> String {
    // Not `below`: what stands in `url` is part of every token, and the original only joins.
    format!("{url}/api/dex")
}

/// Dex's configuration as a document. The error says what is malformed.
pub fn dex_configuration(dex: &Dex, facts: &DexFacts) -> Result<Value, String> {
    Url::parse(&facts.url).map_err(|error| format!("argocd-cm url {:?}: {error}", facts.url))?;
    let mut config = dex.config.reveal().as_object().cloned().ok_or("dex.config is not a map")?;
    config.insert("issuer".into(), dex_issuer(&facts.url).into());
    config.insert("storage".into(), json!({"type": "memory"}));
    let web = if facts.disable_tls {
        json!({"http": "0.0.0.0:5556"})
    } else {
        json!({"https": "0.0.0.0:5556", "tlsCert": CERTIFICATE, "tlsKey": CERTIFICATE_KEY})
    };
    config.insert("web".into(), web);
    config.insert("grpc".into(), json!({"addr": "0.0.0.0:5557"}));
    config.insert("telemetry".into(), json!({"http": "0.0.0.0:5558"}));
    fill(
        &mut config,
        "logger",
        &[("level", facts.log_level.clone().into()), ("format", facts.log_format.clone().into())],
    );
    fill(&mut config, "oauth2", &[("skipApprovalScreen", true.into())]);
    let mut clients = clients(facts);
    if let Some(Value::Array(own)) = config.remove("staticClients") {
        clients.extend(own);
    }
    config.insert("staticClients".into(), Value::Array(clients));
    if let Some(connectors) = config.get_mut("connectors") {
        redirect(connectors, &below(&facts.url, "/api/dex/callback"))?;
    } else if !config.get("enablePasswordDB").and_then(Value::as_bool).unwrap_or(false) {
        return Err("dex.config has no connectors".into());
    }
    Ok(Value::Object(config))
}

/// Adds what a section does not say.
fn fill(config: &mut Map<String, Value>, section: &str, defaults: &[(&str, Value)]) {
    let entry = config.entry(section).or_insert_with(|| json!({}));
    if !entry.is_object() {
        *entry = json!({});
    }
    for (key, value) in defaults.iter().filter(|(_, value)| value.as_str() != Some("")) {
        if let Some(members) = entry.as_object_mut() {
            members.entry(*key).or_insert_with(|| value.clone());
        }
    }
}

fn clients(facts: &DexFacts) -> Vec<Value> {
    let callback = |url: &String| below(url, "/auth/callback");
    let callbacks: Vec<String> =
        std::iter::once(&facts.url).chain(&facts.additional_urls).map(callback).collect();
    vec![
        json!({
            "id": DEX_CLIENT, "name": "Argo CD", "redirectURIs": callbacks,
            "secret": facts.client_secret.reveal(),
        }),
        json!({
            "id": DEX_CLI_CLIENT, "name": "Argo CD CLI", "public": true,
            "redirectURIs": ["http://localhost", "http://localhost:8085/auth/callback"],
        }),
        json!({
            "id": "argo-cd-pkce", "name": "Argo CD PKCE", "public": true,
            "redirectURIs": ["http://localhost:4000/auth/callback"],
        }),
    ]
}

fn redirect(connectors: &mut Value, callback: &str) -> Result<(), String> {
    let connectors = connectors.as_array_mut().ok_or("dex.config connectors: expected a list")?;
    for (number, connector) in connectors.iter_mut().enumerate() {
        let at = |what: &str| format!("dex.config connectors[{number}]: {what}");
        let connector = connector.as_object_mut().ok_or_else(|| at("expected a map"))?;
        let kind = connector.get("type").and_then(Value::as_str).ok_or_else(|| at("it has no type"))?;
        if !WITH_REDIRECT.contains(&kind) {
            continue;
        }
        let config = connector.get_mut("config").and_then(Value::as_object_mut);
        let config = config.ok_or_else(|| at("it has no config"))?;
        config.insert("redirectURI".into(), callback.into());
    }
    Ok(())
}

/// The same with its secrets hidden, for people.
pub fn masked(mut config: Value) -> Value {
    mask(&mut config, 0);
    config
}

fn mask(value: &mut Value, depth: usize) {
    const SECRET: [&str; 6] = ["secret", "clientSecret", "bindPW", "password", "token", "hash"];
    if depth > 32 {
        *value = Value::Null;
        return;
    }
    match value {
        Value::Array(entries) => entries.iter_mut().for_each(|entry| mask(entry, depth + 1)),
        Value::Object(members) => {
            for (name, member) in members {
                if member.is_string() && SECRET.contains(&name.as_str()) {
                    *member = "******".into();
                } else {
                    mask(member, depth + 1);
                }
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::{Dex, DexFacts, dex_configuration, masked};
    use object::Secret;
    use serde_json::{Value, json};

    fn made(config: Value, disable_tls: bool) -> Result<Value, String> {
        let dex = Dex { config: Secret::new(config), connector: String::new(), skip_tls_verify: false };
        let facts = DexFacts {
            url: "https://argocd.example/a".into(),
            additional_urls: vec!["https://other.example/".into()],
            client_secret: Secret::new("derived".into()),
            disable_tls,
            log_level: "INFO".into(),
            log_format: String::new(),
        };
        dex_configuration(&dex, &facts)
    }

    #[test]
    fn our_clients_come_first_and_our_addresses_win() {
        let config = json!({
            "issuer": "https://evil", "storage": {"type": "etcd"},
            "connectors": [
                {"type": "github", "id": "g", "config": {"clientID": "x", "redirectURI": "https://evil"}},
                {"type": "ldap", "id": "l", "config": {"bindPW": "hush"}},
            ],
            "staticClients": [{"id": "mine", "secret": "mine-secret"}],
            "oauth2": {"skipApprovalScreen": false},
        });
        let made = made(config, false).unwrap();
        assert_eq!(made["issuer"], "https://argocd.example/a/api/dex");
        assert_eq!(made["storage"], json!({"type": "memory"}));
        assert_eq!(made["web"]["tlsCert"], "/tmp/tls.crt");
        assert_eq!(made["logger"], json!({"level": "INFO"}));
        assert_eq!(made["oauth2"], json!({"skipApprovalScreen": false}));
        let clients = &made["staticClients"];
        assert_eq!(clients[0]["secret"], "derived");
        let callbacks =
            json!(["https://argocd.example/a/auth/callback", "https://other.example/auth/callback"]);
        assert_eq!(clients[0]["redirectURIs"], callbacks);
        assert_eq!((&clients[1]["id"], &clients[3]["id"]), (&json!("argo-cd-cli"), &json!("mine")));
        let redirect = &made["connectors"][0]["config"]["redirectURI"];
        assert_eq!(redirect, "https://argocd.example/a/api/dex/callback");
        assert_eq!(made["connectors"][1]["config"].get("redirectURI"), None);
        let shown = masked(made).to_string();
        assert!(!["derived", "hush", "mine-secret"].iter().any(|secret| shown.contains(secret)), "{shown}");
    }

    #[test]
    fn what_is_malformed_is_named() {
        for (config, words) in [
            (json!({"a": 1}), "no connectors"),
            (json!({"connectors": {}}), "expected a list"),
            (json!({"connectors": [1]}), "connectors[0]: expected a map"),
            (json!({"connectors": [{"id": "x"}]}), "it has no type"),
            (json!({"connectors": [{"type": "oidc"}]}), "it has no config"),
        ] {
            let error = made(config, true).unwrap_err();
            assert!(error.contains(words), "{error}");
        }
        let passwords = json!({"enablePasswordDB": true, "staticPasswords": []});
        assert_eq!(made(passwords, true).unwrap()["web"], json!({"http": "0.0.0.0:5556"}));
    }
}
