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

pub(crate) struct App {
    id: i64,
    /// Zero where it is to be looked for.
    installation: i64,
    /// Owner and repository, percent encoded, for an installation that is looked for.
    about: String,
    key: EncodingKey,
    /// Where tokens are made.
    base: String,
    token: Mutex<Option<(Secret<String>, Timestamp)>>,
}

impl App {
    pub(crate) fn new(id: i64, installation: i64, pem: &str, base: String) -> Result<Self, String> {
        const WRONG: &str =
            "could not parse private key: invalid key: Key must be a PEM encoded PKCS1 or PKCS8 key";
        let pem = pem.trim();
        let key =
            rsa::RsaPrivateKey::from_pkcs1_pem(pem).or_else(|_| rsa::RsaPrivateKey::from_pkcs8_pem(pem));
        let der = key.map_err(|_| WRONG.to_owned())?.to_pkcs1_der().map_err(|_| WRONG.to_owned())?;
        let key = EncodingKey::from_rsa_der(der.as_bytes());
        Ok(Self { id, installation, about: String::new(), key, base, token: Mutex::new(None) })
    }

    /// An app whose installation is that of a repository, `owner/name`, unless it is told.
    pub(crate) fn of_repository(self, about: String) -> Self {
        Self { about, ..self }
    }

    async fn installation(&self, client: &Client, signed: &str) -> Result<i64, Failure> {
        if self.installation != 0 || self.about.is_empty() {
            return Ok(self.installation);
        }
        let url = format!("{}/repos/{}/installation", self.base, self.about);
        let request = Request::new("GET", &url)
            .header("Accept", "application/vnd.github.v3+json")
            .header("Authorization", format!("Bearer {signed}"));
        let answer = client.send(request).await?.good(&url)?.json("github installation")?;
        answer
            .get("id")
            .and_then(Value::as_i64)
            .ok_or_else(|| Failure::lasting("github: the app is not installed at the repository"))
    }

    /// The installation's token, made when there is none or it is about to end.
    pub(crate) async fn token(&self, client: &Client) -> Result<Secret<String>, Failure> {
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
        let installation = self.installation(client, &signed).await?;
        let url = format!("{}/app/installations/{installation}/access_tokens", self.base);
        let request = Request::new("POST", &url)
            .header("Accept", "application/vnd.github.v3+json")
            .header("Authorization", format!("Bearer {signed}"))
            .json("null\n");
        let answer = client.send(request).await?;
        if !answer.is_good() {
            let status = answer.status;
            let text = format!(
                "could not refresh installation id {installation}'s token: received non 2xx response status {status} when fetching {}",
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
