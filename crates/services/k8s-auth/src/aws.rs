//! Amazon: whoever has the signed address of `GetCallerIdentity` can ask STS who signed it, and that is the token.
//! Source: kubernetes-sigs/aws-iam-authenticator, "API Authorization from Outside a Cluster".

mod profiles;

use crate::{Refusal, Token, variable};
use aws_signature::{Scope, Signer};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use profiles::Profiles;
use reqsign_aws_v4::{
    AssumeRoleCredentialProvider, AssumeRoleWithWebIdentityCredentialProvider, Credential,
    ECSCredentialProvider, EnvCredentialProvider, IMDSv2CredentialProvider, ProcessCredentialProvider,
    ProfileCredentialProvider, RequestSigner, SSOCredentialProvider,
};
use reqsign_core::{Context, ProvideCredential, ProvideCredentialDyn};

/// What is asked for on the command line.
pub(crate) struct Asked {
    pub(crate) cluster: String,
    pub(crate) role: String,
    pub(crate) profile: String,
}

/// Places where credentials may be, in the order they are asked. The first that has some counts; one that has some and fails is
/// told, not passed over.
#[derive(Debug, Default)]
struct Chain(Vec<Box<dyn ProvideCredentialDyn<Credential = Credential>>>);

impl Chain {
    fn push(mut self, provider: impl ProvideCredential<Credential = Credential> + 'static) -> Self {
        self.0.push(Box::new(provider));
        self
    }
}

impl ProvideCredential for Chain {
    type Credential = Credential;

    async fn provide_credential(&self, context: &Context) -> reqsign_core::Result<Option<Credential>> {
        for provider in &self.0 {
            if let Some(found) = provider.provide_credential_dyn(context).await? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }
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
        "" => variable(context, "AWS_PROFILE").unwrap_or_else(|| "default".to_owned()),
        named if profiles.has(named) => named.to_owned(),
        named => return Err(Refusal::lasting(format!("the profile {named:?} is in no file of profiles"))),
    };
    let region = variable(context, "AWS_REGION")
        .or_else(|| variable(context, "AWS_DEFAULT_REGION"))
        .or_else(|| profiles.value(&profile, "region"))
        .ok_or_else(|| Refusal::lasting("there is no region: set AWS_REGION, or region in the profile"))?;
    let mut chain = if asked.profile.is_empty() {
        let rest = of_profile(&profiles, &profile, &region, 0)?;
        Chain::default()
            .push(EnvCredentialProvider::new())
            .push(
                AssumeRoleWithWebIdentityCredentialProvider::new()
                    .with_region(region.clone())
                    .with_regional_sts_endpoint(),
            )
            .push(rest)
            .push(ECSCredentialProvider::new())
            .push(IMDSv2CredentialProvider::new())
    } else {
        of_profile(&profiles, &profile, &region, 0)?
    };
    if !asked.role.is_empty() {
        chain = Chain::default().push(assumed(&asked.role, SESSION, None, &region, chain, context));
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
    let host = host(&region);
    let moment = now.strftime("%Y%m%dT%H%M%SZ").to_string();
    let scope = Scope { moment: &moment, region: &region, service: "sts" };
    let headers = [("host", host.clone()), (CLUSTER, asked.cluster.clone())];
    let action = [("Action", "GetCallerIdentity"), ("Version", "2011-06-15")];
    let query = scope.address(&signer, LASTS_S, "/", &action, &headers);
    let text = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(format!("https://{host}/?{query}")));
    Ok(Token { text, expires: now.saturating_add(EXPIRES).unwrap_or(now) })
}

/// STS of a region.
fn host(region: &str) -> String {
    let domain = match region {
        china if china.starts_with("cn-") => "amazonaws.com.cn",
        isolated if isolated.starts_with("us-iso-") => "c2s.ic.gov",
        isolated if isolated.starts_with("us-isob-") => "sc2s.sgov.gov",
        sovereign if sovereign.starts_with("eusc-") => "amazonaws.eu",
        _ => "amazonaws.com",
    };
    format!("sts.{region}.{domain}")
}

fn assumed(
    role: &str,
    session: &str,
    external: Option<String>,
    region: &str,
    by: Chain,
    context: &Context,
) -> AssumeRoleCredentialProvider {
    let signer = reqsign_core::Signer::new(context.clone(), by, RequestSigner::new("sts", region));
    let provider = AssumeRoleCredentialProvider::new(role.to_owned(), signer)
        .with_role_session_name(session.to_owned())
        .with_region(region.to_owned())
        .with_regional_sts_endpoint();
    match external {
        Some(external) => provider.with_external_id(external),
        None => provider,
    }
}

/// Profiles may name one another; this many in a row.
const DEPTH: usize = 8;

/// Where a profile's credentials come from.
fn of_profile(profiles: &Profiles, name: &str, region: &str, depth: usize) -> Result<Chain, Refusal> {
    if depth > DEPTH {
        return Err(Refusal::lasting(format!("the profile {name:?} leads to itself by source_profile")));
    }
    let value = |key: &str| profiles.value(name, key);
    let Some(role) = value("role_arn") else {
        return Ok(Chain::default()
            .push(ProfileCredentialProvider::new().with_profile(name))
            .push(SSOCredentialProvider::new().with_profile(name))
            .push(ProcessCredentialProvider::new().with_profile(name)));
    };
    let session = value("role_session_name").unwrap_or_else(|| SESSION.to_owned());
    if let Some(file) = value("web_identity_token_file") {
        let provider = AssumeRoleWithWebIdentityCredentialProvider::with_config(role, file.into())
            .with_role_session_name(session)
            .with_region(region.to_owned())
            .with_regional_sts_endpoint();
        return Ok(Chain::default().push(provider));
    }
    let by = match (value("source_profile"), value("credential_source").as_deref()) {
        (Some(source), _) if source == name => {
            Chain::default().push(ProfileCredentialProvider::new().with_profile(name))
        }
        (Some(source), _) if !profiles.has(&source) => {
            return Err(Refusal::lasting(format!(
                "source_profile {source:?} of {name:?} is in no file of profiles"
            )));
        }
        (Some(source), _) => of_profile(profiles, &source, region, depth + 1)?,
        (None, Some("Environment")) => Chain::default().push(EnvCredentialProvider::new()),
        (None, Some("EcsContainer")) => Chain::default().push(ECSCredentialProvider::new()),
        (None, Some("Ec2InstanceMetadata")) => Chain::default().push(IMDSv2CredentialProvider::new()),
        (None, other) => {
            let found =
                other.map_or_else(|| "neither is there".to_owned(), |other| format!("{other:?} is none"));
            return Err(Refusal::lasting(format!(
                "the profile {name:?} has a role_arn and must say by source_profile or credential_source who takes it: {found}"
            )));
        }
    };
    Ok(Chain::default().push(assumed(&role, &session, value("external_id"), region, by, &profiles.context)))
}

#[cfg(test)]
mod tests;
