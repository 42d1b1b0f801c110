//! This process' own credentials at Amazon: of variables, a web identity, a profile, a container or pod, the machine.

use crate::failure::Failure;
use crate::world::World;
use bytes::Bytes;
use object::Secret;
use reqsign_aws_v4::{
    AssumeRoleWithWebIdentityCredentialProvider, Credential, ECSCredentialProvider, EnvCredentialProvider,
    IMDSv2CredentialProvider, ProfileCredentialProvider,
};
use reqsign_core::{
    Context, Error, HttpSend, ProvideCredential as _, ProvideCredentialChain, Result as Answered,
    SigningCredential as _, StaticEnv,
};
use reqsign_file_read_tokio::TokioFileRead;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::sync::Mutex;

/// Variables that say where credentials are.
pub const AMAZON_VARIABLES: [&str; 18] = [
    "AWS_ACCESS_KEY_ID",
    "AWS_CONFIG_FILE",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_DEFAULT_REGION",
    "AWS_EC2_METADATA_DISABLED",
    "AWS_PROFILE",
    "AWS_REGION",
    "AWS_ROLE_ARN",
    "AWS_ROLE_SESSION_NAME",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_STS_REGIONAL_ENDPOINTS",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "HOME",
];

/// The longest answer.
const LARGEST: usize = 1 << 20;
const CONNECT: Duration = Duration::from_secs(3);
const TIMEOUT: Duration = Duration::from_secs(15);

/// Finds credentials and keeps them as long as they are good.
pub(super) struct Amazon {
    context: Context,
    places: ProvideCredentialChain<Credential>,
    held: Mutex<Option<Credential>>,
}

impl Amazon {
    pub(super) fn new(world: &World, region: &str) -> Result<Self, String> {
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .user_agent("argocd-notifications")
            .connect_timeout(CONNECT)
            .timeout(TIMEOUT)
            .build()
            .map_err(|error| format!("awssqs: set up requests: {error}"))?;
        let variables = &world.environment;
        let home = variables.get("HOME").filter(|home| !home.is_empty()).map(Into::into);
        let envs = variables.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
        let requests = Requests { client, instead: world.instead.clone() };
        let profile = variables.get("AWS_PROFILE").filter(|profile| !profile.is_empty());
        let profile = profile.map_or("default", String::as_str);
        let places = ProvideCredentialChain::new()
            .push(EnvCredentialProvider::new())
            .push(
                AssumeRoleWithWebIdentityCredentialProvider::new()
                    .with_region(region.to_owned())
                    .with_regional_sts_endpoint(),
            )
            .push(ProfileCredentialProvider::new().with_profile(profile))
            .push(ECSCredentialProvider::new())
            .push(IMDSv2CredentialProvider::new());
        Ok(Self {
            context: Context::new()
                .with_file_read(TokioFileRead)
                .with_env(StaticEnv { home_dir: home, envs })
                .with_http_send(requests),
            places,
            held: Mutex::default(),
        })
    }

    /// Key, secret and, if there is one, the session's token.
    pub(super) async fn keys(&self) -> Result<(Secret<String>, Secret<String>, Secret<String>), Failure> {
        let mut held = self.held.lock().await;
        if !held.as_ref().is_some_and(Credential::is_valid) {
            let found = self.places.provide_credential(&self.context).await;
            let found =
                found.map_err(|error| Failure::passing(format!("awssqs: find credentials: {error}")))?;
            *held = found;
        }
        let Some(found) = &*held else {
            return Err(Failure::passing(
                "awssqs: no credentials: neither key and secret, nor variables, a web identity, a profile, a container or the machine",
            ));
        };
        Ok((
            Secret::new(found.access_key_id.clone()),
            Secret::new(found.secret_access_key.clone()),
            Secret::new(found.session_token.clone().unwrap_or_default()),
        ))
    }
}

/// What Amazon's services are below in a region.
pub(super) fn domain(region: &str) -> &'static str {
    match region {
        china if china.starts_with("cn-") => "amazonaws.com.cn",
        isolated if isolated.starts_with("us-iso-") => "c2s.ic.gov",
        isolated if isolated.starts_with("us-isob-") => "sc2s.sgov.gov",
        sovereign if sovereign.starts_with("eusc-") => "amazonaws.eu",
        _ => "amazonaws.com",
    }
}

#[derive(Debug)]
struct Requests {
    client: reqwest::Client,
    instead: BTreeMap<String, String>,
}

impl HttpSend for Requests {
    async fn http_send(&self, request: http::Request<Bytes>) -> Answered<http::Response<Bytes>> {
        let host = request.uri().host().unwrap_or_default().to_owned();
        let failed = |said: String| Error::unexpected(format!("ask {host}: {said}")).set_retryable(true);
        let told = |error: reqwest::Error| failed(causes(&error.without_url()));
        let mut address = request.uri().to_string();
        for (from, to) in &self.instead {
            if let Some(rest) = address.strip_prefix(from.as_str()) {
                address = format!("{to}{rest}");
            }
        }
        let (parts, body) = request.into_parts();
        let sent = self.client.request(parts.method, address).headers(parts.headers).body(body).send();
        let mut answer = sent.await.map_err(told)?;
        let mut built = http::Response::builder().status(answer.status());
        for (name, value) in answer.headers() {
            built = built.header(name, value);
        }
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(told)? {
            if body.len() + chunk.len() > LARGEST {
                return Err(failed(format!("the answer is larger than {LARGEST} bytes")));
            }
            body.extend_from_slice(&chunk);
        }
        built.body(body.into()).map_err(|error| failed(error.to_string()))
    }
}

/// An error with what it came from; the address, which may hold a key, is not in it.
fn causes(error: &dyn std::error::Error) -> String {
    let mut told = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        told = format!("{told}: {cause}");
        next = cause.source();
    }
    told
}

#[cfg(test)]
mod tests {
    use super::domain;

    #[test]
    fn every_part_of_amazon_has_its_domain() {
        assert_eq!(domain("eu-north-1"), "amazonaws.com");
        assert_eq!(domain("cn-northwest-1"), "amazonaws.com.cn");
        assert_eq!(domain("us-iso-east-1"), "c2s.ic.gov");
        assert_eq!(domain("us-isob-east-1"), "sc2s.sgov.gov");
    }
}
