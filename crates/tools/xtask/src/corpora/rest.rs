//! Replays recorded HTTP exchanges.

use super::http;
use super::stage::Stage;
use anyhow::{Context, Result};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::time::Duration;
use transcripts::{Exchange, Replacements, Request, Response};

/// A token whose signature is not ours.
pub(super) const FOREIGN: &str =
    "eyJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJhcmdvY2QiLCJzdWIiOiJhZG1pbjpsb2dpbiJ9.c2lnbmF0dXJl";
/// The host key that was recorded by its fingerprint.
const HOST_KEY: &str = "AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";
/// A stream that says nothing for this long is over.
const QUIET: Duration = Duration::from_secs(3);
const LIMIT: Duration = Duration::from_secs(30);

/// Tokens by the recorder's names.
#[derive(Default)]
pub(super) struct Callers {
    tokens: Vec<(String, String)>,
    /// What identifies the object that was read last.
    read: Vec<(&'static str, String)>,
    /// The session that was made last, which a browser keeps in its cookie.
    latest: String,
}

impl Callers {
    /// Logs those in who can, before the first exchange.
    pub(super) fn prepare(&mut self, stage: &Stage) -> Result<()> {
        if self.tokens.iter().any(|(name, _)| name == "ADMIN") {
            return Ok(());
        }
        for (name, user, password) in [("ADMIN", "admin", "adminpass1"), ("ALICE", "alice", "alicepass1")] {
            let body = json!({"username": user, "password": password}).to_string();
            let token = token(stage, "/api/v1/session", body).with_context(|| format!("log {user} in"))?;
            self.tokens.retain(|(known, _)| known != name);
            self.tokens.push((name.into(), token));
        }
        self.latest = self.token("ADMIN").to_owned();
        Ok(())
    }

    pub(super) fn token(&self, name: &str) -> &str {
        let found = self.tokens.iter().find(|(known, _)| known == name);
        found.map_or(FOREIGN, |(_, token)| token.as_str())
    }

    /// Sends one exchange's request as its caller.
    pub(super) fn replay(&mut self, stage: &Stage, id: &str, exchange: &Exchange) -> Result<Response> {
        let cookie = exchange.request.headers.iter().any(|(name, _)| name == "Cookie");
        let token = if cookie { self.latest.clone() } else { self.token(&exchange.caller).to_owned() };
        let replacements = stage.replacements();
        let half = token.len() / 2;
        let concrete = |text: &str| {
            let text = text.replace("<token part 1>", &token[..half]);
            let text = text.replace("<token part 2>", &token[half..]);
            let text = self.read.iter().fold(text, |text, (name, value)| text.replace(name, value));
            replacements.concrete(&text.replace("<token>", &token))
        };
        let recorded = &exchange.request;
        let mut request = Request {
            method: recorded.method.clone(),
            target: pods(stage, target(exchange, &replacements, &concrete))?,
            headers: recorded.headers.iter().map(|(name, value)| (name.clone(), concrete(value))).collect(),
            body: concrete(&material(stage, recorded)?),
        };
        super::webhooks::sign(id, &mut request);
        let quiet = if super::interludes::changes(id) { QUIET * 2 } else { QUIET };
        let response = http::send(&stage.server_address(), &request, quiet, LIMIT)?;
        self.learn(recorded, &response);
        Ok(response)
    }
}

impl Callers {
    /// Tokens that are made under way are who the recorder called so, and what was read before an update is what
    /// the update is made from.
    fn learn(&mut self, request: &Request, response: &Response) {
        if request.target == "/api/v1/session" && response.status == 200 {
            match token_in(&response.body) {
                Some(token) => self.latest = token,
                // Who logged out logs in again before the next exchange.
                None if request.method == "DELETE" => self.tokens.retain(|(name, _)| name != "ADMIN"),
                None => {}
            }
        }
        let makes = |part: &str| request.method == "POST" && request.target.contains(part);
        let made = [("PROJ", "/roles/ci/token"), ("BOB", "/account/bob/token")];
        for (name, _) in made.iter().filter(|(_, part)| makes(part)) {
            let known = self.tokens.iter().any(|(known, _)| known == name);
            if let Some(token) = token_in(&response.body).filter(|_| !known) {
                self.tokens.push(((*name).into(), token));
            }
        }
        if request.method == "GET"
            && let Ok(value) = serde_json::from_str::<Value>(&response.body)
            && let Some(metadata) = value.get("metadata").filter(|metadata| metadata.get("uid").is_some())
        {
            let text = |name: &str| metadata[name].as_str().unwrap_or_default().to_owned();
            self.read = vec![
                ("<uid>", text("uid")),
                ("<rv>", text("resourceVersion")),
                ("<time>", text("creationTimestamp")),
            ];
            let issued = value.pointer("/spec/roles/0/jwtTokens/0/iat").and_then(Value::as_i64);
            self.read.extend(issued.map(|issued| ("<epoch>", issued.to_string())));
        }
    }
}

/// The body with the certificates and keys that the recordings leave out.
fn material(stage: &Stage, request: &Request) -> Result<String> {
    let mut body = request.body.clone();
    let mut fill = |member: &str, value: &str| {
        body = body.replace(&format!("\"{member}\":\"<base64>\""), &format!("\"{member}\":\"{value}\""));
    };
    if request.target.contains("/clusters") {
        for (member, value) in stage.second_credentials()? {
            fill(member, &value);
        }
    } else if request.body.contains("\"https\"") {
        fill("certData", &STANDARD.encode(super::stage::PEM));
    } else {
        fill("certData", &STANDARD.encode(HOST_KEY));
    }
    Ok(body)
}

/// The path and query. Addresses in a path were sent escaped, unless the recorder noted otherwise.
fn target(exchange: &Exchange, replacements: &Replacements, concrete: &dyn Fn(&str) -> String) -> String {
    let mut target = exchange.request.target.clone();
    if !exchange.note.contains("not escaped") {
        for name in ["<repo>", "<privrepo>", "<tlsrepo>", "<helmrepo>", "<cluster2>"] {
            let value = replacements.concrete(name);
            if target.contains(name) && value != name {
                target = target.replace(name, &value.replace(':', "%3A").replace('/', "%2F"));
            }
        }
    }
    concrete(&target).replace(' ', "%20").replace('<', "%3C").replace('>', "%3E")
}

/// The name of the pod that runs now, where a recorded one has letters of its own.
fn pods(stage: &Stage, target: String) -> Result<String> {
    const RECORDED: &str = "guestbook-ui-6cc64c94b6-%3Crand%3E";
    if !target.contains(RECORDED) {
        return Ok(target);
    }
    let answer = stage.kubernetes.call("GET", "/api/v1/namespaces/gb/pods", "application/json", "")?;
    let answer: Value = serde_json::from_str(&answer)?;
    let mut names = answer["items"].as_array().into_iter().flatten().filter_map(|pod| {
        let gone = pod["metadata"].get("deletionTimestamp").is_some();
        pod["metadata"]["name"].as_str().filter(|name| !gone && name.starts_with("guestbook-ui-"))
    });
    let name = names.next_back().context("no pod of guestbook-ui runs")?;
    Ok(target.replace(RECORDED, name))
}

fn token(stage: &Stage, path: &str, body: String) -> Result<String> {
    let headers = vec![("Content-Type".to_owned(), "application/json".to_owned())];
    let request = Request { method: "POST".into(), target: path.into(), headers, body };
    let response = http::send(&stage.server_address(), &request, QUIET, LIMIT)?;
    token_in(&response.body).with_context(|| format!("{} {}", response.status, response.body))
}

fn token_in(body: &str) -> Option<String> {
    let value: Value = serde_json::from_str(body).ok()?;
    Some(value.get("token")?.as_str()?.to_owned())
}
