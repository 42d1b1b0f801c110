//! Replays recorded HTTP exchanges.

use super::http;
use super::stage::Stage;
use anyhow::{Context, Result};
use serde_json::{Value, json};
use std::time::Duration;
use transcripts::{Exchange, Request, Response};

/// A token whose signature is not ours.
pub(super) const FOREIGN: &str =
    "eyJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJhcmdvY2QiLCJzdWIiOiJhZG1pbjpsb2dpbiJ9.c2lnbmF0dXJl";
/// A stream that says nothing for this long is over.
const QUIET: Duration = Duration::from_secs(3);
const LIMIT: Duration = Duration::from_secs(30);

/// Tokens by the recorder's names.
#[derive(Default)]
pub(super) struct Callers {
    tokens: Vec<(String, String)>,
}

impl Callers {
    /// Logs those in who can, before the first exchange.
    pub(super) fn prepare(&mut self, stage: &Stage) -> Result<()> {
        if !self.tokens.is_empty() {
            return Ok(());
        }
        for (name, user, password) in [("ADMIN", "admin", "adminpass1"), ("ALICE", "alice", "alicepass1")] {
            let body = json!({"username": user, "password": password}).to_string();
            let token = token(stage, "/api/v1/session", None, body).with_context(|| format!("log {user} in"))?;
            self.tokens.push((name.into(), token));
        }
        let admin = self.token("ADMIN").to_owned();
        let bob = token(stage, "/api/v1/account/bob/token", Some(&admin), "{}".into());
        self.tokens.push(("BOB".into(), bob.context("make a token for bob")?));
        Ok(())
    }

    fn token(&self, name: &str) -> &str {
        let found = self.tokens.iter().find(|(known, _)| known == name);
        found.map_or(FOREIGN, |(_, token)| token.as_str())
    }

    /// Sends one exchange's request as its caller.
    pub(super) fn replay(&mut self, stage: &Stage, exchange: &Exchange) -> Result<Response> {
        let token = self.token(&exchange.caller).to_owned();
        let replacements = stage.replacements();
        let half = token.len() / 2;
        let concrete = |text: &str| {
            let text = text.replace("<token part 1>", &token[..half]);
            let text = text.replace("<token part 2>", &token[half..]);
            replacements.concrete(&text.replace("<token>", &token))
        };
        let recorded = &exchange.request;
        let request = Request {
            method: recorded.method.clone(),
            target: concrete(&recorded.target).replace(' ', "%20"),
            headers: recorded.headers.iter().map(|(name, value)| (name.clone(), concrete(value))).collect(),
            body: concrete(&recorded.body),
        };
        let response = http::send(&stage.server_address(), &request, QUIET, LIMIT)?;
        // The first token of a project's role is who the recorder called PROJ.
        let made = recorded.target.contains("/roles/ci/token") && recorded.method == "POST";
        if made
            && self.tokens.iter().all(|(name, _)| name != "PROJ")
            && let Some(token) = token_in(&response.body)
        {
            self.tokens.push(("PROJ".into(), token));
        }
        Ok(response)
    }
}

fn token(stage: &Stage, path: &str, caller: Option<&str>, body: String) -> Result<String> {
    let mut headers = vec![("Content-Type".to_owned(), "application/json".to_owned())];
    headers.extend(caller.map(|token| ("Authorization".to_owned(), format!("Bearer {token}"))));
    let request = Request { method: "POST".into(), target: path.into(), headers, body };
    let response = http::send(&stage.server_address(), &request, QUIET, LIMIT)?;
    token_in(&response.body).with_context(|| format!("{} {}", response.status, response.body))
}

fn token_in(body: &str) -> Option<String> {
    let value: Value = serde_json::from_str(body).ok()?;
    Some(value.get("token")?.as_str()?.to_owned())
}
