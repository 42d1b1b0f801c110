//! What the provider knows of a user beyond the token.

use crate::error::OidcError;
use crate::http;
use crate::provider::Provider;
use serde_json::{Map, Value, json};
use url::Url;

/// An answer of the user info endpoint.
#[derive(Clone, Debug, PartialEq)]
pub enum UserInfoAnswer {
    /// Claims; the connection vouches for them.
    Claims(Map<String, Value>),
    /// A token, which is to be verified.
    Signed(String),
}

impl Provider {
    /// Asks the user info endpoint in a user's name.
    pub async fn user_info(&self, url: &str, access_token: &str) -> Result<UserInfoAnswer, OidcError> {
        let what = "read user info at";
        let url = parsed(url)?;
        let address = self.reached(&url);
        let request = self.client.get(address.clone()).bearer_auth(access_token);
        let (kind, bytes) = http::answer(what, &address, request).await?;
        let malformed = || OidcError::Malformed {
            what,
            address: http::shown(&address),
            reason: "the answer is not a JSON object".into(),
        };
        if kind == "application/jwt" {
            let token = String::from_utf8(bytes).map_err(|_| malformed())?;
            return Ok(UserInfoAnswer::Signed(token.trim().to_owned()));
        }
        serde_json::from_slice(&bytes).map(UserInfoAnswer::Claims).map_err(|_| malformed())
    }

    /// The security groups of a user that do not fit into a token, from Microsoft's Graph.
    pub async fn graph_groups(&self, graph: &str, access_token: &str) -> Result<Vec<String>, OidcError> {
        let what = "read groups at";
        let url = parsed(&format!("{}/me/getMemberGroups", graph.trim_end_matches('/')))?;
        let body = json!({"securityEnabledOnly": true}).to_string();
        let request = self.client.post(url.clone()).bearer_auth(access_token);
        let request = request.header("content-type", "application/json").body(body);
        let (_, bytes) = http::answer(what, &url, request).await?;
        let answer: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        let groups = answer.get("value").and_then(Value::as_array).ok_or_else(|| OidcError::Malformed {
            what,
            address: http::shown(&url),
            reason: "the answer has no list of groups".into(),
        })?;
        Ok(groups.iter().filter_map(Value::as_str).map(str::to_owned).collect())
    }
}

fn parsed(url: &str) -> Result<Url, OidcError> {
    match Url::parse(url) {
        Ok(url) if matches!(url.scheme(), "http" | "https") => Ok(url),
        _ => Err(OidcError::Settings(format!("{url:?} is not an http or https address"))),
    }
}
