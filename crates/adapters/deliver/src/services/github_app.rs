//! A GitHub App's way in: a token signed with its key opens an installation, whose token lasts an hour.

use crate::failure::Failure;
use crate::http::{Client, Request};
use jiff::Timestamp;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use object::Secret;
use rsa::pkcs1::{DecodeRsaPrivateKey as _, EncodeRsaPrivateKey as _};
use rsa::pkcs8::DecodePrivateKey as _;
use serde_json::{Value, json};
use tokio::sync::Mutex;

/// A token is made anew this long before it ends.
const MARGIN_SECONDS: i64 = 60;

pub(super) struct App {
    id: i64,
    installation: i64,
    key: EncodingKey,
    /// Where tokens are made.
    base: String,
    token: Mutex<Option<(Secret<String>, Timestamp)>>,
}

impl App {
    pub(super) fn new(id: i64, installation: i64, pem: &str, base: String) -> Result<Self, String> {
        const WRONG: &str =
            "could not parse private key: invalid key: Key must be a PEM encoded PKCS1 or PKCS8 key";
        let pem = pem.trim();
        let key =
            rsa::RsaPrivateKey::from_pkcs1_pem(pem).or_else(|_| rsa::RsaPrivateKey::from_pkcs8_pem(pem));
        let der = key.map_err(|_| WRONG.to_owned())?.to_pkcs1_der().map_err(|_| WRONG.to_owned())?;
        let key = EncodingKey::from_rsa_der(der.as_bytes());
        Ok(Self { id, installation, key, base, token: Mutex::new(None) })
    }

    /// The installation's token, made when there is none or it is about to end.
    pub(super) async fn token(&self, client: &Client) -> Result<Secret<String>, Failure> {
        let mut held = self.token.lock().await;
        let now = Timestamp::now();
        if let Some((token, until)) = &*held
            && until.as_second() - MARGIN_SECONDS > now.as_second()
        {
            return Ok(token.clone());
        }
        let issued = now.as_second() - 30;
        let claims = json!({"iat": issued, "exp": issued + 150, "iss": self.id.to_string()});
        let signed = jsonwebtoken::encode(&Header::new(Algorithm::RS256), &claims, &self.key);
        let signed = signed.map_err(|_| Failure::lasting("github: the app's token cannot be signed"))?;
        let url = format!("{}/app/installations/{}/access_tokens", self.base, self.installation);
        let request = Request::new("POST", &url)
            .header("Accept", "application/vnd.github.v3+json")
            .header("Authorization", format!("Bearer {signed}"))
            .json("null\n");
        let answer = client.send(request).await?;
        if !answer.is_good() {
            let status = answer.status;
            let text = format!(
                "could not refresh installation id {}'s token: received non 2xx response status {status} when fetching {}",
                self.installation,
                crate::http::shown(&url)
            );
            return Err(answer.failure(text));
        }
        let said = answer.json("github token")?;
        let text = said.get("token").and_then(Value::as_str);
        let token = text.ok_or_else(|| Failure::lasting("github: the answer holds no token"))?;
        let until = said.get("expires_at").and_then(Value::as_str).and_then(|text| text.parse().ok());
        let token = Secret::new(token.to_owned());
        *held = Some((token.clone(), until.unwrap_or(now)));
        Ok(token)
    }
}
