//! This process' own credentials and region at Amazon: of variables, a web identity, a profile, a container or pod, the machine.

use crate::failure::Failure;
use crate::world::World;
use bytes::Bytes;
use cloud_reach::amazon::profiles::Profiles;
use cloud_reach::amazon::{Asking, of_process};
use cloud_reach::programs::Programs;
use object::Secret;
use reqsign_aws_v4::Credential;
use reqsign_core::{
    Context, Error, HttpSend, ProvideCredential as _, Result as Answered, SigningCredential as _,
};
use std::fmt;
use std::time::Duration;
use tokio::sync::Mutex;

/// Variables that say where credentials are.
pub const AMAZON_VARIABLES: [&str; 19] = [
    "AWS_ACCESS_KEY_ID",
    "AWS_CONFIG_FILE",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_DEFAULT_PROFILE",
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
/// Who acts, in the cloud's own log, when a profile does not say.
const SESSION: &str = "argocd-notifications";

/// Finds credentials and keeps them as long as they are good.
pub(super) struct Amazon {
    context: Context,
    held: Mutex<Option<Credential>>,
}

impl Amazon {
    pub(super) fn new(world: &World) -> Result<Self, String> {
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .user_agent("argocd-notifications")
            .connect_timeout(CONNECT)
            .timeout(TIMEOUT)
            .build()
            .map_err(|error| format!("awssqs: set up requests: {error}"))?;
        let requests = Sent { requests: cloud_reach::Requests(client), world: world.clone() };
        let context = cloud_reach::variables(&world.environment)
            .with_http_send(requests)
            .with_command_execute(Programs((*world.environment).clone()));
        Ok(Self { context, held: Mutex::default() })
    }

    /// The region of variables or the profile; empty when there is none.
    pub(super) async fn region(&self) -> Result<String, Failure> {
        let profiles = Profiles::read(&self.context).await.map_err(|error| failed(&error))?;
        let profile = profiles.chosen(&self.context).map_err(|error| failed(&error))?;
        Ok(profiles.region(&self.context, &profile).unwrap_or_default())
    }

    /// Key, secret and, if there is one, the session's token. Roles are taken in that region.
    pub(super) async fn keys(
        &self,
        region: &str,
    ) -> Result<(Secret<String>, Secret<String>, Secret<String>), Failure> {
        let mut held = self.held.lock().await;
        if !held.as_ref().is_some_and(Credential::is_valid) {
            *held = self.found(region).await.map_err(|error| failed(&error))?;
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

    async fn found(&self, region: &str) -> Answered<Option<Credential>> {
        // Files of profiles change while the process lives.
        let profiles = Profiles::read(&self.context).await?;
        let profile = profiles.chosen(&self.context)?;
        let asking = Asking { context: &self.context, region, session: SESSION };
        of_process(&profiles, &profile, &asking)?.provide_credential(&self.context).await
    }
}

fn failed(error: &Error) -> Failure {
    Failure::passing(format!("awssqs: find credentials: {error}"))
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
