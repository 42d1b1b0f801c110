//! What credentials are found with: programs, beside variables, files and requests.

use cloud_reach::programs::Programs;
use cloud_reach::{Requests, variables};
use reqsign_core::Context;
use std::collections::BTreeMap;
use std::time::Duration;

const CONNECT: Duration = Duration::from_secs(5);
const TIMEOUT: Duration = Duration::from_secs(20);

pub(crate) fn context(environment: &BTreeMap<String, String>) -> Result<Context, String> {
    let client = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(concat!("argocd-k8s-auth/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT)
        .timeout(TIMEOUT)
        .build()
        .map_err(|error| format!("set up requests: {error}"))?;
    Ok(variables(environment)
        .with_http_send(Requests(client))
        .with_command_execute(Programs(environment.clone())))
}
