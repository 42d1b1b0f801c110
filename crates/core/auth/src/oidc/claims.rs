//! What a provider's token says of somebody.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

/// Groups of somebody that are looked at.
const MOST_GROUPS: usize = 10_000;

/// The claims of a verified token.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FederatedClaims(pub(super) Map<String, Value>);

impl FederatedClaims {
    /// A claim that is text; empty when it is not there.
    pub fn text(&self, name: &str) -> &str {
        self.0.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// A claim that is a time in Unix seconds. Providers write fractions, too.
    #[expect(clippy::cast_possible_truncation, reason = "a float is cut to the range of the integer")]
    pub fn seconds(&self, name: &str) -> Option<i64> {
        let value = self.0.get(name)?;
        value.as_i64().or_else(|| value.as_f64().map(|seconds| seconds as i64))
    }

    /// Whom policies call the user: the connector's own id where Dex tells it, the subject elsewhere.
    pub fn identifier(&self) -> &str {
        let federated = self.0.get("federated_claims").and_then(|claims| claims.get("user_id"));
        federated.and_then(Value::as_str).filter(|id| !id.is_empty()).unwrap_or_else(|| self.text("sub"))
    }

    /// Whom people call the user.
    pub fn display_name(&self) -> &str {
        match self.text("email") {
            "" => self.identifier(),
            email => email,
        }
    }

    /// The values of the claims that name groups, each once and in their order.
    pub fn groups(&self, scopes: &[String]) -> Vec<String> {
        let mut groups = Vec::new();
        let values = scopes.iter().filter_map(|scope| self.0.get(scope)).flat_map(|value| match value {
            Value::String(one) => vec![one.as_str()],
            Value::Array(many) => many.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        });
        for group in values.filter(|group| !group.is_empty()).take(MOST_GROUPS) {
            if !groups.iter().any(|known| known == group) {
                groups.push(group.to_owned());
            }
        }
        groups
    }

    /// Puts the groups in that were found elsewhere.
    pub fn set_groups(&mut self, groups: Value) {
        self.0.insert("groups".into(), groups);
    }

    /// Whether the groups did not fit into the token, and are said to be elsewhere.
    pub fn groups_are_elsewhere(&self) -> bool {
        let names = self.0.get("_claim_names").and_then(|names| names.get("groups")).is_some();
        names || self.0.get("hasgroups").and_then(Value::as_bool).unwrap_or(false)
    }

    /// What tells this token from others of the same user, for taking it back; empty when it says nothing.
    pub fn token_id(&self) -> &str {
        match self.text("jti") {
            // Dex's tokens have no id.
            "" => self.text("at_hash"),
            id => id,
        }
    }

    /// A claim as it is.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }
}

impl From<Map<String, Value>> for FederatedClaims {
    fn from(claims: Map<String, Value>) -> Self {
        Self(claims)
    }
}

/// Who a token says has issued it, believed for nothing but choosing who verifies it.
pub fn unverified_issuer(token: &str) -> Option<String> {
    unverified(token)?.get("iss")?.as_str().map(str::to_owned)
}

/// When a token says that it ends, before anything of it is verified: for looking at it as it was until then.
pub fn unverified_expiry(token: &str) -> Option<i64> {
    FederatedClaims::from(unverified(token)?.as_object()?.clone()).seconds("exp")
}

/// Whether an access token lets its bearer do something, as it says itself: only whoever issued it can verify that.
pub fn unverified_scope(token: &str, scope: &str) -> bool {
    let claims = unverified(token).unwrap_or_default();
    let is_it = |text: &str| text.eq_ignore_ascii_case(scope);
    match claims.get("scp") {
        Some(Value::String(scopes)) => scopes.split_whitespace().any(is_it),
        Some(Value::Array(scopes)) => scopes.iter().filter_map(Value::as_str).any(is_it),
        _ => false,
    }
}

fn unverified(token: &str) -> Option<Value> {
    let mut parts = token.split('.');
    let (Some(_), Some(payload), Some(_), None) = (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return None;
    };
    let bytes = URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?;
    serde_json::from_slice(&bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::{FederatedClaims, unverified_scope};
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use serde_json::{Value, json};

    fn claims(value: &Value) -> FederatedClaims {
        value.as_object().unwrap().clone().into()
    }

    #[test]
    fn scopes_are_texts_or_lists() {
        let may = |claims: Value| {
            let token = format!("e30.{}.x", URL_SAFE_NO_PAD.encode(claims.to_string()));
            unverified_scope(&token, "User.Read")
        };
        assert!(may(json!({"scp": "openid user.read"})));
        assert!(may(json!({"scp": ["User.Read"]})));
        assert!(!may(json!({"scp": "User.ReadBasic.All"})));
        assert!(!may(json!({"scp": 1})));
        assert!(!unverified_scope("opaque", "User.Read"));
    }

    #[test]
    fn who_somebody_is_and_their_groups() {
        let of = claims(&json!({
            "sub": "Cg0w", "email": "jane@example.org", "groups": ["a", "b", "a", 1, ""], "roles": "c",
            "federated_claims": {"connector_id": "ldap", "user_id": "jane"},
        }));
        assert_eq!((of.identifier(), of.display_name()), ("jane", "jane@example.org"));
        let scopes = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        assert_eq!(of.groups(&scopes(&["groups", "roles", "none"])), ["a", "b", "c"]);
        assert_eq!(of.groups(&scopes(&["email"])), ["jane@example.org"]);
        let plain = claims(&json!({"sub": "s", "groups": {"a": 1}}));
        assert_eq!((plain.display_name(), plain.groups(&scopes(&["groups"])).len()), ("s", 0));
    }

    #[test]
    fn groups_that_did_not_fit_are_noticed() {
        assert!(claims(&json!({"_claim_names": {"groups": "src1"}})).groups_are_elsewhere());
        assert!(claims(&json!({"hasgroups": true})).groups_are_elsewhere());
        assert!(!claims(&json!({"_claim_names": {}, "groups": []})).groups_are_elsewhere());
    }

    #[test]
    fn times_may_have_fractions() {
        let of = claims(&json!({"exp": 12.9, "iat": 5, "nbf": "x", "big": 1e300}));
        assert_eq!((of.seconds("exp"), of.seconds("iat"), of.seconds("nbf")), (Some(12), Some(5), None));
        assert_eq!(of.seconds("big"), Some(i64::MAX));
    }
}
