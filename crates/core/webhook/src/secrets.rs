//! The shared secrets of the providers, and how each of them proves that it knows its own.
//! Every comparison takes the same time whatever was sent.

use base64::Engine as _;
use hmac::{Hmac, KeyInit as _, Mac as _};
use object::Secret;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::event::Provider;
use crate::request::{Refusal, Request};

/// The secrets in `argocd-secret`; an empty one is one that is not configured.
#[derive(Clone, Debug, Default)]
pub struct Secrets {
    /// `webhook.github.secret`, for GHCR too.
    pub github: Secret<String>,
    /// `webhook.gitlab.secret`.
    pub gitlab: Secret<String>,
    /// `webhook.bitbucket.uuid`.
    pub bitbucket_uuid: Secret<String>,
    /// `webhook.bitbucketserver.secret`.
    pub bitbucket_server: Secret<String>,
    /// `webhook.gogs.secret`; Gitea and Forgejo speak as Gogs does.
    pub gogs: Secret<String>,
    /// `webhook.harbor.secret`: the whole `Authorization` header. Without it Harbor is not heard.
    pub harbor: Secret<String>,
    /// `webhook.dockerhub.secret`. Without it Docker Hub is not heard.
    pub docker_hub: Secret<String>,
    /// `webhook.oci.secret`: the whole `Authorization` header of a distribution registry. Without it none is heard.
    pub oci: Secret<String>,
    /// `webhook.codecommit.secret`: password of the basic authentication in the topic's subscription. Without it no
    /// topic is heard.
    pub code_commit: Secret<String>,
    /// `webhook.azuredevops.username`.
    pub azure_username: Secret<String>,
    /// `webhook.azuredevops.password`.
    pub azure_password: Secret<String>,
}

impl Secrets {
    /// Picks the secrets out of the data of `argocd-secret`.
    pub fn from_data(value: impl Fn(&str) -> Option<String>) -> Self {
        let secret = |key: &str| Secret::new(value(key).unwrap_or_default());
        Self {
            github: secret("webhook.github.secret"),
            gitlab: secret("webhook.gitlab.secret"),
            bitbucket_uuid: secret("webhook.bitbucket.uuid"),
            bitbucket_server: secret("webhook.bitbucketserver.secret"),
            gogs: secret("webhook.gogs.secret"),
            harbor: secret("webhook.harbor.secret"),
            docker_hub: secret("webhook.dockerhub.secret"),
            oci: secret("webhook.oci.secret"),
            code_commit: secret("webhook.codecommit.secret"),
            azure_username: secret("webhook.azuredevops.username"),
            azure_password: secret("webhook.azuredevops.password"),
        }
    }
}

impl Secrets {
    /// Whether a provider has to prove itself: a secret of its own is configured.
    pub fn guard(&self, provider: Provider) -> bool {
        match provider {
            Provider::GitHub | Provider::Ghcr => is_set(&self.github),
            Provider::GitLab => is_set(&self.gitlab),
            Provider::Bitbucket => is_set(&self.bitbucket_uuid),
            Provider::BitbucketServer => is_set(&self.bitbucket_server),
            Provider::Gogs | Provider::Gitea | Provider::Forgejo => is_set(&self.gogs),
            Provider::AzureDevOps => is_set(&self.azure_password),
            Provider::CodeCommit => is_set(&self.code_commit),
            Provider::Harbor => is_set(&self.harbor),
            Provider::DockerHub => is_set(&self.docker_hub),
            Provider::Distribution => is_set(&self.oci),
        }
    }
}

/// Whether a secret is configured.
pub(crate) fn is_set(secret: &Secret<String>) -> bool {
    !secret.reveal().is_empty()
}

/// Whether what was sent is the secret itself. Digests are compared, so that not even the length shows.
pub(crate) fn is_secret(sent: &str, secret: &Secret<String>) -> bool {
    let digest = |text: &str| Sha256::digest(text.as_bytes());
    digest(sent).ct_eq(&digest(secret.reveal())).into()
}

/// Whether `signature` is the hexadecimal HMAC-SHA256 of the body. With no secret configured there is nothing to prove.
pub(crate) fn is_signed(signature: &str, body: &[u8], secret: &Secret<String>) -> bool {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.reveal().as_bytes()).expect("any key length will do");
    mac.update(body);
    let expected = hexadecimal(&mac.finalize().into_bytes());
    signature.as_bytes().ct_eq(expected.as_bytes()).into()
}

/// Refuses a body without the signature that a configured secret asks for.
pub(crate) fn check_signature(
    request: &Request<'_>,
    header: &'static str,
    prefix: &str,
    body: &[u8],
    secret: &Secret<String>,
) -> Result<(), Refusal> {
    if !is_set(secret) {
        return Ok(());
    }
    let signature = request.header(header);
    if signature.is_empty() {
        return Err(Refusal::MissingHeader(header));
    }
    let signature = signature.strip_prefix(prefix).unwrap_or(signature);
    if is_signed(signature, body, secret) {
        Ok(())
    } else {
        Err(Refusal::Unproven("HMAC verification failed"))
    }
}

/// User and password of a basic `Authorization` header.
pub(crate) fn basic_auth(request: &Request<'_>) -> Option<(String, String)> {
    let header = request.header("Authorization");
    let (scheme, credentials) = header.split_at_checked(6)?;
    if !scheme.eq_ignore_ascii_case("Basic ") {
        return None;
    }
    let decoded = base64::engine::general_purpose::STANDARD.decode(credentials).ok()?;
    let text = String::from_utf8(decoded).ok()?;
    let (user, password) = text.split_once(':')?;
    Some((user.to_owned(), password.to_owned()))
}

fn hexadecimal(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |value: u8| char::from(DIGITS[usize::from(value & 15)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(*byte)]).collect()
}
