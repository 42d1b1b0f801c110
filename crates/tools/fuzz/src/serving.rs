//! Readers of what clients of the API, identity providers and senders of webhooks send, and of what administrators
//! write about who may do what and who is told.

use crate::payloads::heard;
use auth::oidc::{
    Audiences, Discovery, Expected, KeySet, LoginState, Sealed, check_return_url, verify_id_token,
};
use auth::{ISSUER, TokenKey};
use http::Method;
use jiff::Timestamp;
use notify::{Config, Origin, SecretData};
use object::TrackingId;
use rbac::{Enforcer, Glob, MatchMode, Policy, Request};
use std::collections::BTreeMap;
use webhook::{Audience, Secrets, Watch};
use wire::route::{Lookup, lookup, routes};

/// A moment; what is read must not depend on when.
pub(crate) const NOW: Timestamp = Timestamp::UNIX_EPOCH;
/// What every key is made of here.
const KEY: &[u8] = b"a key for what is read at random";
/// Longer texts are no more interesting.
const LONGEST: usize = 16 << 10;

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(&bytes[..bytes.len().min(LONGEST)]).into_owned()
}

/// A session token, an identity provider's token and the cookie of a login. Nobody without the key makes one.
pub(crate) fn token(bytes: &[u8]) {
    let text = text(bytes);
    if let Ok(claims) = TokenKey::new(KEY).verify(&text, NOW) {
        assert_eq!(claims.iss, ISSUER, "a token of another issuer is believed");
    }
    let issuer = auth::oidc::unverified_issuer(&text);
    assert!(issuer.is_none_or(|issuer| issuer.len() <= text.len()));
    let keys =
        br#"{"keys": [{"kty": "oct", "k": "AAAA"}, {"kty": "RSA", "n": "AQAB", "e": "AQAB", "kid": "x"}]}"#;
    if let Ok(keys) = KeySet::parse(keys) {
        let allowed = ["argo-cd".to_owned()];
        let audiences = Audiences { allowed: &allowed, may_be_missing: true };
        let expected = Expected {
            issuer: "https://idp.example",
            algorithms: &[],
            audiences,
            nonce: None,
            essential: None,
        };
        assert!(verify_id_token(&text, &keys, &expected, NOW).is_err(), "a token nobody signed is believed");
    }
    let sealed = Sealed::new(KEY);
    assert!(LoginState::open(&text, "state", &sealed, NOW).is_err(), "a cookie nobody sealed is believed");
    // A page to return to is one of ours, or none.
    let own = ["https://argocd.example/argo".to_owned()];
    if let Ok(target) = check_return_url(&text, &own, "/")
        && target != "/"
    {
        assert!(target.starts_with("https://argocd.example") || target.starts_with('/'), "{target:?}");
        assert!(!target.starts_with("//") && !target.starts_with("/\\"), "{target:?}");
    }
}

/// A policy, compiled both ways and asked about what its own lines speak of.
pub(crate) fn policy(bytes: &[u8]) {
    let Ok(policy) = Policy::parse(&text(bytes)) else { return };
    for mode in [MatchMode::Glob, MatchMode::Regex] {
        let enforcer = Enforcer::new(&policy, "role:everybody", mode);
        for rule in policy.rules.iter().take(8) {
            let permissions = enforcer.permissions(&rule.subject, &["group".to_owned()]);
            for object in [rule.object.as_str(), "default/x", ""] {
                let request = Request { resource: &rule.resource, action: &rule.action, object };
                let decision = permissions.decide(request);
                assert!(!decision.allowed || decision.rule.is_some(), "allowed by no line");
                assert_eq!(decision.allowed, permissions.permit(request));
            }
        }
    }
    let nobody = Enforcer::new(&policy, "", MatchMode::Glob).permissions("", &[]);
    assert!(!nobody.permit(Request { resource: "applications", action: "get", object: "a/b" }));
}

/// A glob in the first line, and a text in the next.
pub(crate) fn glob(bytes: &[u8]) {
    let text = text(bytes);
    let (pattern, rest) = text.split_once('\n').unwrap_or((&text, ""));
    let glob = Glob::new(pattern);
    let matches = glob.matches(rest);
    assert!(pattern != "*" || matches);
    if !pattern.contains(['*', '?', '[', ']', '{', '}', '\\']) {
        assert_eq!(matches, pattern == rest);
    }
    glob_pattern::matches(pattern, rest, &['/', '.']);
}

/// `VERB target`, an empty line, a body: found among the routes, made a message, and written as JSON again.
pub(crate) fn rest(bytes: &[u8]) {
    let whole = text(bytes);
    let (head, body) = whole.split_once("\n\n").unwrap_or((&whole, ""));
    let (verb, target) = head.split_once(' ').unwrap_or(("GET", head));
    let Ok(verb) = Method::from_bytes(verb.as_bytes()) else { return };
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    if let Some(clean) = wire::gateway::clean_path(path) {
        assert_eq!(wire::gateway::clean_path(&clean), None, "{path:?} becomes {clean:?}, which is not clean");
    }
    if let Lookup::Found(route, values) = lookup(&verb, path)
        && let Ok(message) = wire::bind::bind(route, &values, query, body.as_bytes())
    {
        let mut json = Vec::new();
        wire::transcode::to_json(&route.request, &message, &mut json)
            .expect("what was bound is that message");
    }
}

/// The number of a message and its bytes, as gRPC and gRPC-web carry them; its JSON is read as the same again.
pub(crate) fn message(bytes: &[u8]) {
    let Some((number, message)) = bytes.split_first() else { return };
    let route = &routes()[usize::from(*number) % routes().len()];
    for name in [&route.request, &route.response] {
        let mut json = Vec::new();
        if wire::transcode::to_json(name, message, &mut json).is_err() {
            continue;
        }
        serde_json::from_slice::<serde::de::IgnoredAny>(&json).expect("a message is written as JSON");
        // Values that JSON carries as text may be refused; what is taken is written alike.
        if let Ok(read) = wire::transcode::from_json(name, &json) {
            let mut again = Vec::new();
            wire::transcode::to_json(name, &read, &mut again).expect("what was read is that message");
            // Bytes that are no text are written escaped, as Go does, and read as the sign for that.
            let value = |text: &[u8]| serde_json::from_slice::<serde_json::Value>(text).ok();
            assert_eq!(value(&json), value(&again), "{name}");
        }
    }
}

/// A query, where there is one, header lines, an empty line, a payload: verified, read, queued and told.
pub(crate) fn payload(bytes: &[u8]) {
    let end = bytes.windows(2).position(|two| two == b"\n\n");
    let (head, body) = end.map_or((bytes, &[][..]), |end| (&bytes[..end], &bytes[end + 2..]));
    let head = text(head);
    // Some senders prove themselves in the address: the first line is its query, then.
    let (query, head) = match head.strip_prefix('?') {
        Some(rest) => rest.split_once('\n').unwrap_or((rest, "")),
        None => ("secret=secret&x=%zz", &*head),
    };
    let headers: Vec<(&str, &str)> = head.lines().filter_map(|line| line.split_once(": ")).collect();
    for secret in [None, Some("secret".to_owned())] {
        let secrets = Secrets::from_data(|_| secret.clone());
        let audiences =
            [Audience::Applications, Audience::ApplicationsAndPullRequests, Audience::ApplicationSets];
        for audience in audiences {
            let request = webhook::Request {
                method: "POST",
                query,
                headers: &headers,
                body: Some(body),
                limit_megabytes: 50,
            };
            let reception = webhook::receive(&request, &secrets, audience);
            reception.answer(&request, audience);
            if let Ok(event) = reception.outcome {
                heard(event);
            }
        }
    }
}

/// An application that waits for pushes.
pub(crate) fn watch() -> Watch {
    let mut application = api::v1alpha1::Application::default();
    application.spec.source = Some(api::v1alpha1::ApplicationSource {
        repo_url: "https://git.example/apps.git".into(),
        path: "guestbook".into(),
        target_revision: "main".into(),
        ..Default::default()
    });
    Watch::of(&application)
}

/// A tracking id, written as it was read.
pub(crate) fn tracking_id(bytes: &[u8]) {
    let text = text(bytes);
    if let Ok(id) = text.parse::<TrackingId>() {
        assert_eq!(id.to_string().parse::<TrackingId>().as_ref(), Ok(&id));
        id.application.split("argocd");
    }
}

/// What an identity provider publishes of itself: its description, and its keys.
pub(crate) fn provider(bytes: &[u8]) {
    drop(Discovery::parse(bytes, "https://idp.example"));
    if let Ok(keys) = KeySet::parse(bytes) {
        assert!(keys.is_empty() || keys.len() <= bytes.len());
    }
}

/// An expression of a trigger, run on an application.
pub(crate) fn expression(bytes: &[u8]) {
    let Ok(program) = expr::Program::compile(&text(bytes)) else { return };
    let application = serde_json::json!({
        "metadata": {"name": "a", "labels": {"x": "y"}, "annotations": {}},
        "status": {"health": {"status": "Healthy"}, "history": [{"id": 1}, {"id": 2}], "operationState": {"phase": "Succeeded", "finishedAt": "2026-01-02T03:04:05Z"}},
    });
    let variables = BTreeMap::from([("app".to_owned(), expr::Value::from_json(&application))]);
    let limits = expr::Limits { steps: 50_000, memory: 50_000 };
    drop(program.run(&variables, NOW, limits));
}

/// Every kind of entry of `argocd-notifications-cm`, and a selector.
pub(crate) fn notifications(bytes: &[u8]) {
    let text = text(bytes);
    for key in [
        "trigger.x",
        "template.x",
        "service.webhook.x",
        "service.slack",
        "subscriptions",
        "context",
        "defaultTriggers",
    ] {
        let data = BTreeMap::from([(key.to_owned(), text.clone())]);
        let origin = Origin { namespace: "argocd".into(), ..Origin::default() };
        let secrets =
            SecretData::from([("token".to_owned(), object::Secret::new(b"plantedcanary".to_vec()))]);
        if let Err(error) = Config::parse(&data, secrets, origin) {
            assert!(!error.to_string().contains("plantedcanary"), "{error}");
        }
    }
}
