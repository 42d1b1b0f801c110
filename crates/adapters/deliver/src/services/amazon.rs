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
    SigningCredential as _,
};
use std::fmt;
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
        let requests = Sent { requests: cloud_reach::Requests(client), world: world.clone() };
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
            context: cloud_reach::variables(variables).with_http_send(requests),
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

/// Requests, to where the world has them go.
struct Sent {
    requests: cloud_reach::Requests,
    world: World,
}

impl fmt::Debug for Sent {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.requests.fmt(formatter)
    }
}

impl HttpSend for Sent {
    async fn http_send(&self, mut request: http::Request<Bytes>) -> Answered<http::Response<Bytes>> {
        let address = self.world.reached(&request.uri().to_string());
        *request.uri_mut() = address.parse().map_err(|_| Error::unexpected("the address is none"))?;
        self.requests.http_send(request).await
    }
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
