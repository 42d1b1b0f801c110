//! Amazon: whoever has the signed address of `GetCallerIdentity` can ask STS who signed it, and that is the token.
//! Source: kubernetes-sigs/aws-iam-authenticator, "API Authorization from Outside a Cluster".

use crate::{Refusal, Token};
use aws_signature::{Scope, Signer};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cloud_reach::amazon::profiles::Profiles;
use cloud_reach::amazon::{Asking, domain, of_process, of_profile};
use jiff::{SignedDuration, Timestamp};
use reqsign_core::{Context, ProvideCredential};

/// What is asked for on the command line.
pub(crate) struct Asked {
    pub(crate) cluster: String,
    pub(crate) role: String,
    pub(crate) profile: String,
}

/// The header that binds the token to one cluster.
const CLUSTER: &str = "x-k8s-aws-id";
const PREFIX: &str = "k8s-aws-v1.";
/// What the address says; STS takes it for a quarter of an hour.
const LASTS_S: u32 = 60;
/// A minute less than STS takes it.
const EXPIRES: SignedDuration = SignedDuration::from_mins(14);
/// Who acts, in the cloud's own log, when a profile does not say.
const SESSION: &str = "argocd-k8s-auth";

pub(crate) async fn token(asked: &Asked, context: &Context, now: Timestamp) -> Result<Token, Refusal> {
    if asked.cluster.is_empty() {
        return Err(Refusal::lasting("--cluster-name is empty: it is the name of the cluster at Amazon"));
    }
    let profiles = Profiles::read(context).await?;
    let profile = match asked.profile.as_str() {
        "" => profiles.chosen(context)?,
        named if profiles.has(named) => named.to_owned(),
        named => return Err(Refusal::lasting(format!("the profile {named:?} is in no file of profiles"))),
    };
    let region = profiles
        .region(context, &profile)
        .ok_or_else(|| Refusal::lasting("there is no region: set AWS_REGION, or region in the profile"))?;
    let asking = Asking { context, region: &region, session: SESSION };
    let mut chain = match asked.profile.as_str() {
        "" => of_process(&profiles, &profile, &asking)?,
        named => of_profile(&profiles, named, &asking)?,
    };
    if !asked.role.is_empty() {
        chain = chain.assuming(&asked.role, &asking);
    }
    let found = chain.provide_credential(context).await?.ok_or_else(|| {
        Refusal::lasting(
            "there are no credentials of Amazon: neither in variables, nor of a web identity, a profile, a container or the machine",
        )
    })?;
    let signer = Signer {
        key: &found.access_key_id,
        secret: &found.secret_access_key,
        session: found.session_token.as_deref().unwrap_or_default(),
    };
    let host = format!("sts.{region}.{}", domain(&region));
    let moment = now.strftime("%Y%m%dT%H%M%SZ").to_string();
    let scope = Scope { moment: &moment, region: &region, service: "sts" };
    let headers = [("host", host.clone()), (CLUSTER, asked.cluster.clone())];
    let action = [("Action", "GetCallerIdentity"), ("Version", "2011-06-15")];
    let query = scope.address(&signer, LASTS_S, "/", &action, &headers);
    let text = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(format!("https://{host}/?{query}")));
    Ok(Token { text, expires: now.saturating_add(EXPIRES).unwrap_or(now) })
}

#[cfg(test)]
mod tests;
