//! Where keys of Amazon come from, in the order of Amazon's SDK: variables, a web identity, a profile and those it leads to, a
//! container or pod, the machine.
//! Source: aws-sdk-go-v2, `config/resolve_credentials.go`.

mod link;
mod process;
pub mod profiles;

use link::{Link, wrong};
use process::Process;
use profiles::Profiles;
use reqsign_aws_v4::{
    AssumeRoleCredentialProvider, AssumeRoleWithWebIdentityCredentialProvider, Credential,
    ECSCredentialProvider, EnvCredentialProvider, IMDSv2CredentialProvider, RequestSigner,
    SSOCredentialProvider, StaticCredentialProvider,
};
use reqsign_core::{Context, ProvideCredential, ProvideCredentialDyn, Result, Signer};

/// How long an assumed role lasts when a profile does not say, in seconds.
const ROLE_S: u32 = 900;

/// Who asks.
#[derive(Clone, Copy)]
pub struct Asking<'a> {
    /// What is asked with.
    pub context: &'a Context,
    /// The region whose STS is asked.
    pub region: &'a str,
    /// Who acts, in the cloud's own log, when a profile does not say.
    pub session: &'a str,
}

/// Places where credentials may be, in the order they are asked. The first that has some counts; one that has some and fails is
/// told, not passed over.
#[derive(Debug, Default)]
pub struct Chain(Vec<Box<dyn ProvideCredentialDyn<Credential = Credential>>>);

impl Chain {
    fn push(mut self, provider: impl ProvideCredential<Credential = Credential> + 'static) -> Self {
        self.0.push(Box::new(provider));
        self
    }

    /// The same, then the role.
    pub fn assuming(self, role: &str, asking: &Asking<'_>) -> Self {
        let provider = assumed(self, role, asking).with_duration_seconds(ROLE_S);
        Self::default().push(provider.with_role_session_name(asking.session.to_owned()))
    }
}

impl ProvideCredential for Chain {
    type Credential = Credential;

    async fn provide_credential(&self, context: &Context) -> Result<Option<Credential>> {
        for provider in &self.0 {
            if let Some(found) = provider.provide_credential_dyn(context).await? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }
}

/// Where this process' own keys are: variables and a web identity come before the profile.
pub fn of_process(profiles: &Profiles, profile: &str, asking: &Asking<'_>) -> Result<Chain> {
    let web = AssumeRoleWithWebIdentityCredentialProvider::new();
    Ok(Chain::default()
        .push(EnvCredentialProvider::new())
        .push(web.with_region(asking.region.to_owned()).with_regional_sts_endpoint())
        .push(of_profile(profiles, profile, asking)?))
}

/// Where a profile's keys are; when it says nothing of that, in the container or the machine.
pub fn of_profile(profiles: &Profiles, profile: &str, asking: &Asking<'_>) -> Result<Chain> {
    along(&Link::of(profiles, profile)?, asking)
}

fn along(link: &Link, asking: &Asking<'_>) -> Result<Chain> {
    let role = link.value("role_arn");
    let by = if let Some(source) = &link.source {
        along(source, asking)?
    } else if let Some((key, secret)) = link.keys() {
        let provider = StaticCredentialProvider::new(key, secret);
        Chain::default().push(match link.value("aws_session_token") {
            Some(token) => provider.with_session_token(token),
            None => provider,
        })
    } else if let Some(source) = link.value("credential_source") {
        match source {
            "Environment" => Chain::default().push(EnvCredentialProvider::new()),
            "EcsContainer" => Chain::default().push(ECSCredentialProvider::new()),
            "Ec2InstanceMetadata" => Chain::default().push(IMDSv2CredentialProvider::new()),
            other => {
                return Err(wrong(
                    &link.name,
                    &format!("has the credential_source {other:?}, which is none"),
                ));
            }
        }
    } else if let (Some(file), Some(role)) = (link.value("web_identity_token_file"), role) {
        let session = link.value("role_session_name").unwrap_or(asking.session).to_owned();
        let provider = AssumeRoleWithWebIdentityCredentialProvider::with_config(role.to_owned(), file.into())
            .with_role_session_name(session)
            .with_region(asking.region.to_owned())
            .with_regional_sts_endpoint();
        return Ok(Chain::default().push(provider));
    } else if link.has_sso() {
        Chain::default().push(SSOCredentialProvider::new().with_profile(link.name.clone()))
    } else if link.value("login_session").is_some() {
        return Err(wrong(&link.name, "has a login_session, which only a person at hand can use"));
    } else if let Some(command) = link.value("credential_process") {
        Chain::default().push(Process { profile: link.name.clone(), command: command.to_owned() })
    } else {
        Chain::default().push(ECSCredentialProvider::new()).push(IMDSv2CredentialProvider::new())
    };
    let Some(role) = role else { return Ok(by) };
    if link.value("mfa_serial").is_some() {
        return Err(wrong(&link.name, "has an mfa_serial, and there is nobody to ask for its code"));
    }
    let lasts = link.value("duration_seconds").and_then(|seconds| seconds.parse().ok());
    let session = link.value("role_session_name").unwrap_or(asking.session);
    let mut provider = assumed(by, role, asking)
        .with_duration_seconds(lasts.unwrap_or(ROLE_S))
        .with_role_session_name(session.to_owned());
    if let Some(external) = link.value("external_id") {
        provider = provider.with_external_id(external.to_owned());
    }
    Ok(Chain::default().push(provider))
}

fn assumed(by: Chain, role: &str, asking: &Asking<'_>) -> AssumeRoleCredentialProvider {
    let signer = Signer::new(asking.context.clone(), by, RequestSigner::new("sts", asking.region));
    AssumeRoleCredentialProvider::new(role.to_owned(), signer)
        .with_region(asking.region.to_owned())
        .with_regional_sts_endpoint()
}

/// What Amazon's services are below in a region.
pub fn domain(region: &str) -> &'static str {
    match region {
        china if china.starts_with("cn-") => "amazonaws.com.cn",
        isolated if isolated.starts_with("us-iso-") => "c2s.ic.gov",
        isolated if isolated.starts_with("us-isob-") => "sc2s.sgov.gov",
        sovereign if sovereign.starts_with("eusc-") => "amazonaws.eu",
        _ => "amazonaws.com",
    }
}

/// A variable, when it is not empty.
fn variable(context: &Context, name: &str) -> Option<String> {
    context.env_var(name).filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests;
