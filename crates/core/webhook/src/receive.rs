//! Finding the provider and letting it read. The first that recognises its own header has the request, whatever the
//! others would say: Gitea and Gogs send GitHub's headers as well, so Gogs comes first.

use crate::event::{Event, Provider};
use crate::providers;
use crate::request::{Answer, Audience, Refusal, Request};
use crate::secrets::{Secrets, is_secret, is_set};

/// What became of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reception {
    /// Whose it was, if anyone's.
    pub provider: Option<Provider>,
    /// What it says, or why it is refused.
    pub outcome: Result<Event, Refusal>,
    /// Worth a line in the log though another provider may still take the request.
    pub warning: Option<&'static str>,
}

impl Reception {
    /// What to send back once the event is in the queue.
    pub fn answer(&self, request: &Request<'_>, audience: Audience) -> Answer {
        match &self.outcome {
            Ok(_) => Answer::accepted(),
            Err(refusal) => refusal.answer(request, audience),
        }
    }
}

/// Recognises, verifies and reads a request.
pub fn receive(request: &Request<'_>, secrets: &Secrets, audience: Audience) -> Reception {
    let mut warning = None;
    let provider = recognise(request, secrets, audience, &mut warning);
    let mut outcome =
        provider.map_or(Err(Refusal::Unknown), |provider| read(provider, request, secrets, audience));
    // Whoever may open one has others' files rendered and told: that takes a sender who is known.
    if let Ok(Event::PullRequest(pull)) = &outcome
        && audience == Audience::ApplicationsAndPullRequests
        && !secrets.guard(pull.provider)
    {
        warning = Some("a pull request is not answered: its provider has no webhook secret in argocd-secret");
        outcome = Ok(Event::Ignored("a pull request of a provider without a secret".to_owned()));
    }
    Reception { provider, outcome, warning }
}

fn recognise(
    request: &Request<'_>,
    secrets: &Secrets,
    audience: Audience,
    warning: &mut Option<&'static str>,
) -> Option<Provider> {
    let has = |name: &str| !request.header(name).is_empty();
    let package = request.header("X-GitHub-Event") == "package";
    if audience == Audience::ApplicationSets {
        return match () {
            () if package => Some(Provider::Ghcr),
            () if has("X-GitHub-Event") => Some(Provider::GitHub),
            () if has("X-Gitlab-Event") => Some(Provider::GitLab),
            () if has("X-Vss-Activityid") => Some(Provider::AzureDevOps),
            () => None,
        };
    }
    let git = match () {
        () if has("X-Vss-Activityid") => Some(Provider::AzureDevOps),
        () if has("X-Gogs-Event") && has("X-Forgejo-Event") => Some(Provider::Forgejo),
        () if has("X-Gogs-Event") && has("X-Gitea-Event") => Some(Provider::Gitea),
        () if has("X-Gogs-Event") => Some(Provider::Gogs),
        () if has("X-GitHub-Event") && !package => Some(Provider::GitHub),
        () if has("X-Gitlab-Event") => Some(Provider::GitLab),
        () if has("X-Hook-UUID") => Some(Provider::Bitbucket),
        () if has("X-Event-Key") => Some(Provider::BitbucketServer),
        () => None,
    };
    if git.is_some() {
        return git;
    }
    let authorization = request.header("Authorization");
    if is_set(&secrets.harbor) && !authorization.is_empty() {
        if is_secret(authorization, &secrets.harbor) {
            return Some(Provider::Harbor);
        }
        *warning = Some("Harbor webhook auth header mismatch");
    }
    match () {
        () if package => Some(Provider::Ghcr),
        () if is_set(&secrets.docker_hub) && request.parameter("type") == "dockerhub" => {
            Some(Provider::DockerHub)
        }
        () if is_set(&secrets.code_commit) && has("X-Amz-Sns-Message-Type") => Some(Provider::CodeCommit),
        () if is_set(&secrets.oci) && providers::distribution::recognises(request) => {
            Some(Provider::Distribution)
        }
        () => None,
    }
}

fn read(
    provider: Provider,
    request: &Request<'_>,
    secrets: &Secrets,
    audience: Audience,
) -> Result<Event, Refusal> {
    match provider {
        Provider::GitHub => providers::github::read(request, &secrets.github, audience),
        Provider::GitLab => providers::gitlab::read(request, &secrets.gitlab, audience),
        Provider::Bitbucket => providers::bitbucket::read(request, &secrets.bitbucket_uuid, audience),
        Provider::BitbucketServer => {
            providers::bitbucket_server::read(request, &secrets.bitbucket_server, audience)
        }
        Provider::Gogs | Provider::Gitea | Provider::Forgejo => {
            providers::gogs::read(request, &secrets.gogs, provider, audience)
        }
        Provider::AzureDevOps => providers::azure_devops::read(request, secrets),
        Provider::CodeCommit => providers::code_commit::read(request, &secrets.code_commit),
        Provider::Ghcr => providers::ghcr::read(request, &secrets.github),
        Provider::Harbor => providers::harbor::read(request),
        Provider::DockerHub => providers::docker_hub::read(request, &secrets.docker_hub),
        Provider::Distribution => providers::distribution::read(request, &secrets.oci),
    }
}
