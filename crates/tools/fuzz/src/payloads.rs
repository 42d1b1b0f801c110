//! What each provider sends, as a target of its own: the bytes are the body, and whoever sends it has proven itself, so that every byte is
//! read. Without the proof nothing is.

use crate::serving::{NOW, watch};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use webhook::{ApplicationKey, Audience, Event, Index, Job, Provider, Queue, Secrets};

/// The secret of every provider.
const SECRET: &str = "secret";
/// `secret:secret`, as browsers write it.
const BASIC: &str = "Basic c2VjcmV0OnNlY3JldA==";

/// How a provider sends.
struct Sender {
    provider: Provider,
    headers: &'static [(&'static str, &'static str)],
    /// The header that names the event, and the events that are read.
    events: (&'static str, &'static [&'static str]),
    proof: Proof,
}

enum Proof {
    Header(&'static str, &'static str),
    /// The body's signature.
    Signature(&'static str, &'static str),
    /// The address' query: with the proof, and without.
    Query(&'static str, &'static str),
}

const GITHUB: Sender = Sender {
    provider: Provider::GitHub,
    headers: &[],
    events: ("X-GitHub-Event", &["push", "pull_request", "ping"]),
    proof: Proof::Signature("X-Hub-Signature-256", "sha256="),
};
const GITLAB: Sender = Sender {
    provider: Provider::GitLab,
    headers: &[],
    events: ("X-Gitlab-Event", &["Push Hook", "Merge Request Hook", "System Hook"]),
    proof: Proof::Header("X-Gitlab-Token", SECRET),
};
const BITBUCKET: Sender = Sender {
    provider: Provider::Bitbucket,
    headers: &[],
    events: ("X-Event-Key", &["repo:push", "pullrequest:created"]),
    proof: Proof::Header("X-Hook-UUID", SECRET),
};
const BITBUCKET_SERVER: Sender = Sender {
    provider: Provider::BitbucketServer,
    headers: &[],
    events: ("X-Event-Key", &["repo:refs_changed", "pr:opened"]),
    proof: Proof::Signature("X-Hub-Signature", "sha256="),
};
const GOGS: Sender = Sender {
    provider: Provider::Gogs,
    headers: &[],
    events: ("X-Gogs-Event", &["push", "pull_request"]),
    proof: Proof::Signature("X-Gogs-Signature", ""),
};
const GITEA: Sender = Sender {
    provider: Provider::Gitea,
    headers: &[("X-Gitea-Event", "x"), ("X-GitHub-Event", "x")],
    events: ("X-Gogs-Event", &["push", "pull_request"]),
    proof: Proof::Signature("X-Gogs-Signature", ""),
};
const AZURE_DEVOPS: Sender = Sender {
    provider: Provider::AzureDevOps,
    headers: &[],
    events: ("X-Vss-Activityid", &["x"]),
    proof: Proof::Header("Authorization", BASIC),
};
const CODE_COMMIT: Sender = Sender {
    provider: Provider::CodeCommit,
    headers: &[],
    events: ("x-amz-sns-message-type", &["Notification", "SubscriptionConfirmation"]),
    proof: Proof::Header("Authorization", BASIC),
};
const GHCR: Sender = Sender {
    provider: Provider::Ghcr,
    headers: &[],
    events: ("X-GitHub-Event", &["package"]),
    proof: Proof::Signature("X-Hub-Signature-256", "sha256="),
};
const DOCKER_HUB: Sender = Sender {
    provider: Provider::DockerHub,
    headers: &[],
    events: ("Content-Type", &["application/json"]),
    proof: Proof::Query("type=dockerhub&secret=secret", "type=dockerhub"),
};
const HARBOR: Sender = Sender {
    provider: Provider::Harbor,
    headers: &[],
    events: ("Content-Type", &["application/json"]),
    proof: Proof::Header("Authorization", SECRET),
};
const DISTRIBUTION: Sender = Sender {
    provider: Provider::Distribution,
    headers: &[],
    events: ("Content-Type", &["application/vnd.docker.distribution.events.v1+json"]),
    proof: Proof::Header("Authorization", SECRET),
};

pub(crate) fn github(bytes: &[u8]) {
    sent(&GITHUB, bytes);
}

pub(crate) fn gitlab(bytes: &[u8]) {
    sent(&GITLAB, bytes);
}

pub(crate) fn bitbucket(bytes: &[u8]) {
    sent(&BITBUCKET, bytes);
}

pub(crate) fn bitbucket_server(bytes: &[u8]) {
    sent(&BITBUCKET_SERVER, bytes);
}

pub(crate) fn gogs(bytes: &[u8]) {
    sent(&GOGS, bytes);
}

pub(crate) fn gitea(bytes: &[u8]) {
    sent(&GITEA, bytes);
}

pub(crate) fn azure_devops(bytes: &[u8]) {
    sent(&AZURE_DEVOPS, bytes);
}

pub(crate) fn code_commit(bytes: &[u8]) {
    sent(&CODE_COMMIT, bytes);
}

pub(crate) fn ghcr(bytes: &[u8]) {
    sent(&GHCR, bytes);
}

pub(crate) fn docker_hub(bytes: &[u8]) {
    sent(&DOCKER_HUB, bytes);
}

pub(crate) fn harbor(bytes: &[u8]) {
    sent(&HARBOR, bytes);
}

pub(crate) fn distribution(bytes: &[u8]) {
    sent(&DISTRIBUTION, bytes);
}

fn sent(sender: &Sender, body: &[u8]) {
    // Harbor takes whatever has its header, and so must be the only one with a secret.
    let others = matches!(sender.provider, Provider::Harbor);
    let secrets = Secrets::from_data(|key| {
        let mine = others == key.contains("harbor");
        mine.then(|| SECRET.to_owned())
    });
    let (name, events) = sender.events;
    for event in events {
        let mut headers = sender.headers.to_vec();
        headers.push((name, event));
        let signature = match sender.proof {
            Proof::Signature(_, prefix) => format!("{prefix}{}", signature_of(body)),
            Proof::Header(..) | Proof::Query(..) => String::new(),
        };
        let mut proven = headers.clone();
        let (query, unproven) = match sender.proof {
            Proof::Header(name, value) => {
                proven.push((name, value));
                ("", "")
            }
            Proof::Signature(name, _) => {
                proven.push((name, &signature));
                ("", "")
            }
            Proof::Query(with, without) => (with, without),
        };
        for audience in [Audience::Applications, Audience::ApplicationsAndPullRequests] {
            let reception = receive(&secrets, query, &proven, body, audience);
            assert_eq!(reception.provider, Some(sender.provider), "somebody else's");
            if let Ok(event) = reception.outcome {
                heard(event);
            }
            let reception = receive(&secrets, unproven, &headers, body, audience);
            assert!(reception.outcome.is_err(), "{:?} is heard without a proof", sender.provider);
        }
    }
}

fn receive(
    secrets: &Secrets,
    query: &str,
    headers: &[(&str, &str)],
    body: &[u8],
    audience: Audience,
) -> webhook::Reception {
    let request = webhook::Request { method: "POST", query, headers, body: Some(body), limit_megabytes: 50 };
    let reception = webhook::receive(&request, secrets, audience);
    reception.answer(&request, audience);
    reception
}

/// What becomes of an event: it is queued, and looked up.
pub(crate) fn heard(event: Event) {
    let mut index = Index::new();
    let application = ApplicationKey { namespace: "argocd".into(), name: "a".into() };
    index.insert(&application, watch());
    let mut queue = Queue::new(4, jiff::SignedDuration::ZERO);
    queue.push(event, NOW);
    match queue.next(NOW) {
        Some(Job::Push(push)) => {
            Index::invalid(&push.web_urls);
            for change in &push.changes {
                index.pushed(&push.web_urls, change);
            }
        }
        Some(Job::Registry(pushes)) => pushes.iter().for_each(|push| drop(index.published(push))),
        Some(Job::PullRequest(pull)) => drop(index.meant_for(&pull)),
        None => {}
    }
}

fn signature_of(body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).expect("any key length will do");
    mac.update(body);
    mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}
