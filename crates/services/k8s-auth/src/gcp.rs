//! Google: the default credentials' access token.

use crate::{Refusal, Token};
use jiff::{SignedDuration, Timestamp};
use reqsign_core::{Context, ProvideCredential, SignRequest};
use reqsign_google::{
    DefaultCredentialProvider, EnvCredentialProvider, RequestSigner, VmMetadataCredentialProvider,
    WellKnownCredentialProvider,
};

/// `cloud-platform` opens the cluster; with `userinfo.email` it knows the account by its address, not by a number.
const SCOPES: &str =
    "https://www.googleapis.com/auth/cloud-platform https://www.googleapis.com/auth/userinfo.email";
/// How long a token lasts whose end is not told: five minutes less than an hour, which is what Google gives.
const USUAL: SignedDuration = SignedDuration::from_mins(55);

pub(crate) async fn token(context: &Context, now: Timestamp) -> Result<Token, Refusal> {
    let provider = DefaultCredentialProvider::builder()
        .env(EnvCredentialProvider::new().with_scope(SCOPES))
        .well_known(WellKnownCredentialProvider::new().with_scope(SCOPES))
        .vm_metadata(VmMetadataCredentialProvider::new().with_scope(SCOPES))
        .build();
    let found = provider.provide_credential(context).await?.ok_or_else(|| {
        Refusal::lasting(
            "there are no credentials of Google: set GOOGLE_APPLICATION_CREDENTIALS, or run where the machine has an account",
        )
    })?;
    let told = found.token.as_ref().and_then(|token| token.expires_at);
    let expires = told
        .and_then(|end| Timestamp::from_second(end.as_second()).ok())
        .unwrap_or_else(|| now.saturating_add(USUAL).unwrap_or(now));
    // A service account's key becomes a token when a request is signed with it.
    let (mut parts, ()) = http::Request::builder()
        .uri("https://container.googleapis.com/")
        .body(())
        .map_err(|error| Refusal::lasting(format!("make a request to be signed: {error}")))?
        .into_parts();
    let signer = RequestSigner::new("container").with_scope(SCOPES);
    signer.sign_request(context, &mut parts, Some(&found), None).await?;
    let header = parts.headers.get(http::header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let text = header.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
    if text.is_empty() {
        return Err(Refusal::lasting("the credentials of Google give no access token"));
    }
    Ok(Token { text: text.to_owned(), expires })
}
