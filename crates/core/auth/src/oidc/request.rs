//! Where a browser is sent to log in.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest;
use url::Url;

/// Binds a code to who asked for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pkce {
    /// What is told when the code becomes a token.
    pub verifier: String,
    /// What is told when the code is asked for.
    pub challenge: String,
}

impl Pkce {
    /// From random bytes.
    pub fn new(random: [u8; 32]) -> Self {
        let verifier = random_text(random);
        let challenge = URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, verifier.as_bytes()));
        Self { verifier, challenge }
    }
}

/// Random bytes as text that may stand in addresses.
pub fn random_text(random: [u8; 32]) -> String {
    URL_SAFE_NO_PAD.encode(random)
}

/// What is asked of the provider.
#[derive(Clone, Copy, Debug)]
pub struct AuthorizationRequest<'a> {
    /// Our client.
    pub client_id: &'a str,
    /// Where the answer goes.
    pub redirect_uri: &'a str,
    /// Scopes asked for.
    pub scopes: &'a [String],
    /// What comes back with the answer.
    pub state: &'a str,
    /// What comes back in the token; empty for none.
    pub nonce: &'a str,
    /// The challenge of [`Pkce`]; empty without.
    pub challenge: &'a str,
    /// Whatever else a provider wants to know.
    pub more: &'a [(&'a str, String)],
}

/// The address a browser is sent to.
pub fn authorization_url(endpoint: &Url, request: &AuthorizationRequest<'_>) -> Url {
    let mut url = endpoint.clone();
    {
        let mut query = url.query_pairs_mut();
        query
            .append_pair("client_id", request.client_id)
            .append_pair("redirect_uri", request.redirect_uri)
            .append_pair("response_type", "code")
            .append_pair("scope", &request.scopes.join(" "))
            .append_pair("state", request.state);
        if !request.nonce.is_empty() {
            query.append_pair("nonce", request.nonce);
        }
        if !request.challenge.is_empty() {
            query.append_pair("code_challenge", request.challenge);
            query.append_pair("code_challenge_method", "S256");
        }
        for (name, value) in request.more {
            query.append_pair(name, value);
        }
    }
    url
}

#[cfg(test)]
mod tests {
    use super::{AuthorizationRequest, Pkce, authorization_url, random_text};

    #[test]
    fn the_challenge_is_the_standards() {
        // RFC 7636, appendix B.
        let random = [
            116, 24, 223, 180, 151, 153, 224, 37, 79, 250, 96, 125, 216, 173, 187, 186, 22, 212, 37, 77, 105,
            214, 191, 240, 91, 88, 5, 88, 83, 132, 141, 121,
        ];
        let pkce = Pkce::new(random);
        assert_eq!(pkce.verifier, "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
        assert_eq!(pkce.challenge, "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
        assert_eq!(random_text(random), pkce.verifier);
    }

    #[test]
    fn everything_is_escaped() {
        let endpoint = "https://idp.example/auth?tenant=t".parse().unwrap();
        let url = authorization_url(
            &endpoint,
            &AuthorizationRequest {
                client_id: "c&d",
                redirect_uri: "https://a.example/auth/callback",
                scopes: &["openid".into(), "groups".into()],
                state: "s",
                nonce: "n",
                challenge: "",
                more: &[("claims", r#"{"id_token":{}}"#.to_owned())],
            },
        );
        assert_eq!(
            url.as_str(),
            "https://idp.example/auth?tenant=t&client_id=c%26d&redirect_uri=https%3A%2F%2Fa.example%2Fauth%2Fcallback\
             &response_type=code&scope=openid+groups&state=s&nonce=n&claims=%7B%22id_token%22%3A%7B%7D%7D"
        );
    }
}
