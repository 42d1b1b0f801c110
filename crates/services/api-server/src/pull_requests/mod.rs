//! Pull requests, answered where they are made: what one would change in the applications that follow its branch, as a
//! status of its newest commit and as a comment. They are told by webhooks, wait in a bounded line in which each request
//! stands once, and are looked at a few at a time. Nothing of this runs unless `argocd-cm` switches it on and an
//! application or its project asks for it.

mod account;
mod findings;
mod judging;
mod lives;

use crate::audit;
use crate::hub::Hub;
use crate::webhooks;
use account::Teller;
use api::v1alpha1::Application;
use findings::{Finding, context, page};
use futures::stream::{FuturesUnordered, StreamExt as _};
use preview::{Asked, Comment, Entry, Judgement, State};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;
use tokio::sync::Notify;
use webhook::{Affected, Effect, Provider, PullRequest, RefChange};
use wire::previews::{ChangedRequest, ChangedResponse};

/// Requests that wait; of more the oldest is forgotten.
const MOST_WAITING: usize = 1_000;
/// Requests that are looked at at once, and applications of one of them.
const AT_ONCE: usize = 3;
const APPLICATIONS_AT_ONCE: usize = 4;
/// Applications of one request that are looked at.
const MOST_APPLICATIONS: usize = 50;
/// How long one request may take.
const LONGEST: Duration = Duration::from_secs(600);

/// Which request.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key(Provider, String, u64);

impl Key {
    fn of(pull: &PullRequest) -> Self {
        Self(pull.provider, pull.address.clone(), pull.number)
    }
}

/// The line.
#[derive(Default)]
struct Line {
    waiting: BTreeMap<Key, PullRequest>,
    order: VecDeque<Key>,
    running: BTreeSet<Key>,
}

/// Requests that wait for their answer.
#[derive(Default)]
pub(crate) struct PullRequests {
    line: Mutex<Line>,
    changed: Notify,
}

impl PullRequests {
    fn line(&self) -> std::sync::MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a request in, in the place of what was told of it before.
    pub(crate) fn put(&self, pull: PullRequest) {
        let mut line = self.line();
        let key = Key::of(&pull);
        if line.waiting.insert(key.clone(), pull).is_none() {
            line.order.push_back(key);
        }
        if line.order.len() > MOST_WAITING
            && let Some(oldest) = line.order.pop_front()
        {
            line.waiting.remove(&oldest);
            tracing::warn!(number = oldest.2, "too many pull requests wait: the oldest gets no answer");
        }
        drop(line);
        self.changed.notify_one();
    }

    /// The next one that is not being looked at.
    fn next(&self) -> Option<(Key, PullRequest)> {
        let mut line = self.line();
        let place = line.order.iter().position(|key| !line.running.contains(key))?;
        let key = line.order.remove(place)?;
        let pull = line.waiting.remove(&key)?;
        line.running.insert(key.clone());
        Some((key, pull))
    }

    fn done(&self, key: &Key) {
        self.line().running.remove(key);
        self.changed.notify_one();
    }
}

/// Answers what waits.
pub(crate) async fn work(hub: Weak<Hub>) {
    let mut running = FuturesUnordered::new();
    loop {
        let Some(strong) = hub.upgrade() else { return };
        while running.len() < AT_ONCE
            && let Some((key, pull)) = strong.pull_requests.next()
        {
            let hub = strong.clone();
            running.push(async move {
                let answered = AssertUnwindSafe(tokio::time::timeout(LONGEST, answer(&hub, &pull)));
                let failure = match futures::FutureExt::catch_unwind(answered).await {
                    Ok(Ok(Ok(()))) => None,
                    Ok(Ok(Err(reason))) => Some(reason),
                    Ok(Err(_)) => Some(format!("it takes longer than {}s", LONGEST.as_secs())),
                    Err(_) => Some("it ended unexpectedly".to_owned()),
                };
                if let Some(reason) = failure {
                    let (number, repository) = (pull.number, &pull.repository);
                    tracing::warn!(number, repository, "a pull request is not answered: {reason}");
                    hub.metrics.pull_request("request", false);
                }
                hub.pull_requests.done(&key);
            });
        }
        tokio::select! {
            () = strong.pull_requests.changed.notified() => {}
            Some(()) = running.next(), if !running.is_empty() => {}
        }
    }
}

/// An application whose pull requests are asked for.
struct Concerned {
    application: Arc<Application>,
    asked: Asked,
}

/// Looks at a request and tells what is found.
async fn answer(hub: &Arc<Hub>, pull: &PullRequest) -> Result<(), String> {
    let snapshot = hub.snapshot();
    if !snapshot.pull_requests.enabled || !pull.moved {
        return Ok(());
    }
    if pull.fork && !snapshot.pull_requests.forks {
        tracing::info!(number = pull.number, repository = %pull.repository, "a pull request of a fork is not answered");
        return Ok(());
    }
    let followers = hub.webhooks.meant_for(pull);
    let wanted = asking(hub, &followers);
    let Some(first) = wanted.first() else { return Ok(()) };
    let teller = Teller::new(hub, &snapshot.pull_requests, pull, &first.application)?;
    let changed = match changed(hub, pull, &first.application).await {
        Ok(changed) => changed,
        Err(status) => {
            let reason = format!("what it changes is not known: {}", status.message());
            refuse(hub, &teller, pull, &wanted).await;
            return Err(reason);
        }
    };
    let touched = touched(hub, pull, &changed).await;
    let (mut concerned, others): (Vec<_>, Vec<_>) =
        wanted.into_iter().partition(|wanted| touched.contains(&name(&wanted.application)));
    let wants_comment = |concerned: &[Concerned]| concerned.iter().any(|one| one.asked.comment);
    let (comment, update) = (wants_comment(&concerned), wants_comment(&others));
    let more = concerned.len().saturating_sub(MOST_APPLICATIONS);
    concerned.truncate(MOST_APPLICATIONS);
    let findings = look(hub, &teller, pull, &changed.commit, concerned).await;
    if comment || update {
        comment_on(hub, &teller, pull, &changed.commit, &findings, more, comment).await?;
    }
    Ok(())
}

/// Those of the applications, in order of their names, that ask for something.
fn asking(hub: &Hub, followers: &[webhook::ApplicationKey]) -> Vec<Concerned> {
    let found = followers.iter().filter_map(|key| {
        let application = hub.store.application(&key.namespace, &key.name).ok()?;
        let project = hub.project_of(&application).ok()?.project;
        let said = |annotations: &BTreeMap<String, String>| annotations.get(preview::ANNOTATION).cloned();
        let own = said(&application.metadata.annotations);
        let inherited = said(&project.metadata.annotations);
        let (asked, unknown) = Asked::read(own.as_deref(), inherited.as_deref());
        for word in unknown {
            tracing::warn!(application = %key, "{}: {word:?} means nothing", preview::ANNOTATION);
        }
        // What a hydrator renders is not what is synced.
        let hydrated = application.spec.source_hydrator.is_some();
        (asked.any() && !hydrated).then_some(Concerned { application, asked })
    });
    found.collect()
}

/// What a request changes, asked of the repo-server.
async fn changed(
    hub: &Hub,
    pull: &PullRequest,
    application: &Application,
) -> Result<ChangedResponse, tonic::Status> {
    let source = judging::source_of(application, pull)
        .ok_or_else(|| tonic::Status::not_found("the application does not follow the branch any more"))?;
    let project = crate::authorization::project_name(application);
    let request = ChangedRequest {
        repo: Some(hub.repository(&source.repo_url, project)?),
        target: format!("refs/heads/{}", pull.target_branch),
        head: head(pull),
    };
    hub.previews().changed(request).await.map(tonic::Response::into_inner)
}

/// The head as Git finds it. Gogs tells no commit, but has a name for the head of each request.
fn head(pull: &PullRequest) -> String {
    if pull.head.is_empty() { format!("refs/pull/{}/head", pull.number) } else { pull.head.clone() }
}

/// Names of the applications whose manifests the changed files may change.
async fn touched(hub: &Hub, pull: &PullRequest, changed: &ChangedResponse) -> BTreeSet<(String, String)> {
    if changed.complete && changed.files.is_empty() {
        return BTreeSet::new();
    }
    let files = changed.complete.then(|| changed.files.clone());
    let change = RefChange {
        revision: pull.target_branch.clone(),
        touched_head: pull.for_head,
        files,
        ..RefChange::default()
    };
    let mut followers: Vec<Affected> = hub.webhooks.pushed(&pull.web_urls, &change);
    followers.retain(|follower| follower.effect != Effect::Unaffected);
    let followers = webhooks::concerned(hub, followers, change.files.as_deref()).await.concerned;
    followers
        .into_iter()
        .map(|follower| (follower.application.namespace, follower.application.name))
        .collect()
}

fn name(application: &Application) -> (String, String) {
    (application.metadata.namespace.clone(), application.metadata.name.clone())
}

/// Judges the applications, a few at a time, and sets their statuses.
async fn look(
    hub: &Arc<Hub>,
    teller: &Teller,
    pull: &PullRequest,
    commit: &str,
    concerned: Vec<Concerned>,
) -> Vec<Finding> {
    let each = concerned.into_iter().map(|Concerned { application, asked }| async move {
        if asked.status {
            teller.status(hub, &application, commit, State::Pending, "being compared").await;
        }
        let judgement = judging::judge(hub, &application, pull, commit).await;
        if asked.status {
            let (state, words) = judgement.status();
            teller.status(hub, &application, commit, state, &words).await;
        }
        note(hub, &application, pull, &judgement).await;
        Finding { application, asked, judgement }
    });
    let mut findings: Vec<Finding> =
        futures::stream::iter(each).buffer_unordered(APPLICATIONS_AT_ONCE).collect().await;
    findings.sort_by_key(|finding| name(&finding.application));
    findings
}

/// Says of all who ask that nobody knows.
async fn refuse(hub: &Hub, teller: &Teller, pull: &PullRequest, wanted: &[Concerned]) {
    if pull.head.is_empty() {
        return;
    }
    for one in wanted.iter().filter(|one| one.asked.status).take(MOST_APPLICATIONS) {
        let words = "what it changes is not known";
        teller.status(hub, &one.application, &pull.head, State::Error, words).await;
    }
}

/// What could not be found out, where the application's users look.
async fn note(hub: &Hub, application: &Application, pull: &PullRequest, judgement: &Judgement) {
    let Judgement::Failed(reason) = judgement else { return };
    let (number, application_name) = (pull.number, &application.metadata.name);
    tracing::warn!(number, application = application_name, "a pull request could not be compared: {reason}");
    hub.metrics.pull_request("comparison", false);
    audit::tell_of_pull_request(hub, application, &format!("pull request {number}: {reason}")).await;
}

/// Writes the comment, unless the request has newer commits by now: their answer is on its way.
async fn comment_on(
    hub: &Hub,
    teller: &Teller,
    pull: &PullRequest,
    commit: &str,
    findings: &[Finding],
    more: usize,
    wanted: bool,
) -> Result<(), String> {
    let entries: Vec<Entry> = findings
        .iter()
        .filter(|finding| finding.asked.comment)
        .map(|finding| Entry {
            name: context(hub, &finding.application),
            url: page(hub, &finding.application),
            judgement: finding.judgement.clone(),
        })
        .collect();
    let marker = findings::marker(hub, pull);
    let comment = Comment { commit, entries: &entries, more, marker: &marker };
    teller.comment(hub, pull, commit, &comment, wanted).await
}

#[cfg(test)]
mod tests {
    use super::{MOST_WAITING, PullRequests};
    use webhook::{Provider, PullRequest};

    fn pull(number: u64, head: &str) -> PullRequest {
        PullRequest {
            provider: Provider::GitHub,
            action: "opened".into(),
            number,
            address: "https://git.example/app".into(),
            owner: String::new(),
            repository: String::new(),
            project_id: None,
            source_branch: String::new(),
            target_branch: "main".into(),
            head: head.into(),
            web_urls: Vec::new(),
            fork: false,
            for_head: true,
            moved: true,
        }
    }

    #[test]
    fn a_storm_of_one_request_is_one_and_the_newest_counts() {
        let line = PullRequests::default();
        for head in ["a", "b", "c"] {
            line.put(pull(1, head));
        }
        let (key, first) = line.next().expect("one");
        assert_eq!(first.head, "c");
        // While it is looked at, what comes waits and is no second look.
        line.put(pull(1, "d"));
        line.put(pull(2, "x"));
        assert_eq!(line.next().expect("the other one").1.number, 2);
        assert!(line.next().is_none());
        line.done(&key);
        assert_eq!(line.next().expect("the newer one").1.head, "d");
        assert!(line.next().is_none());
    }

    #[test]
    fn the_line_has_an_end() {
        let line = PullRequests::default();
        for number in 0..=MOST_WAITING as u64 {
            line.put(pull(number, "a"));
        }
        assert_eq!(line.line().waiting.len(), MOST_WAITING);
        assert_eq!(line.next().expect("one").1.number, 1, "the oldest is gone");
    }
}
