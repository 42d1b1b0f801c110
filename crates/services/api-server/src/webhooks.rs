//! `/api/webhook`: a push is believed or refused at once, and told to the applications it concerns by a worker behind a
//! bounded queue. Who follows what is known beforehand, so that an answer costs the same with ten thousand
//! applications as with one.

mod pushes;
mod refreshes;

use crate::found;
use crate::hub::Hub;
use crate::pull_requests;
use axum::body::Body;
use axum::extract::Request;
use http::{HeaderValue, Response, StatusCode, header};
use jiff::{SignedDuration, Timestamp};
use pushes::Pushes;
use refreshes::{Refresh, Refreshes, Spread};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use store::{EventKind, Store, StoredEvent};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::Instant;
use webhook::{
    Affected, Answer, ApplicationKey, Audience, Effect, Event, Index, Job, PullRequest, Pushed, Queue,
    RefChange, Watch,
};
use wire::reads::{Candidate, ConcernedRequest};

/// Events that wait, at most; more are refused, and senders try again.
const CAPACITY: usize = 50_000;
/// A repository whose push was told rests so long; pushes meanwhile become one.
const REST: SignedDuration = SignedDuration::from_millis(500);
/// Sizes beyond which no body is read, whatever the setting says.
const MOST_MEGABYTES: u64 = 1 << 10;

/// What is known of who follows what, and what is still to be told.
pub(crate) struct Webhooks {
    index: Mutex<Index>,
    line: Mutex<Line>,
    pushed: Notify,
    refreshes: Mutex<Refreshes>,
    refresh: Notify,
    pushes: Mutex<Pushes>,
}

impl Default for Webhooks {
    fn default() -> Self {
        Self {
            index: Mutex::new(Index::new()),
            line: Mutex::new(Line::new(CAPACITY, REST)),
            pushed: Notify::new(),
            refreshes: Mutex::default(),
            refresh: Notify::new(),
            pushes: Mutex::default(),
        }
    }
}

/// A moment, for clocks on the wall and for what is measured.
#[derive(Clone, Copy)]
struct Arrival {
    at: Timestamp,
    moment: Instant,
}

impl Arrival {
    fn now() -> Self {
        Self { at: Timestamp::now(), moment: Instant::now() }
    }
}

/// What waits, and since when.
struct Line {
    queue: Queue,
    /// When the first of those pushes came in that wait together.
    arrivals: HashMap<Vec<String>, Arrival>,
}

impl Line {
    fn new(capacity: usize, rest: SignedDuration) -> Self {
        Self { queue: Queue::new(capacity, rest), arrivals: HashMap::new() }
    }

    /// Takes an event in that came just now.
    fn put(&mut self, event: Event, now: Arrival) -> Pushed {
        let key = match &event {
            Event::Push(push) => Some(push.key()),
            Event::Registry(_) | Event::PullRequest(_) | Event::Ignored(_) => None,
        };
        let pushed = self.queue.push(event, now.at);
        if let (Some(key), Pushed::Queued | Pushed::Coalesced) = (key, pushed) {
            self.arrivals.entry(key).or_insert(now);
        }
        pushed
    }

    /// The next job, and when its first push came in.
    fn take(&mut self, now: Arrival) -> Option<(Job, Arrival)> {
        let job = self.queue.next(now.at)?;
        let arrival = match &job {
            Job::Push(push) => self.arrivals.remove(&push.key()),
            Job::Registry(_) | Job::PullRequest(_) => None,
        };
        Some((job, arrival.unwrap_or(now)))
    }
}

/// The tasks behind the endpoint; they end with this value.
pub(crate) type Workers = JoinSet<()>;

/// Starts to follow applications and to tell them of pushes.
pub(crate) fn start(hub: &Arc<Hub>) -> Workers {
    let mut tasks = JoinSet::new();
    tasks.spawn(follow(Arc::downgrade(hub), hub.store.clone()));
    tasks.spawn(pull_requests::work(Arc::downgrade(hub)));
    for _ in 0..hub.options.webhook_parallelism {
        tasks.spawn(work(Arc::downgrade(hub)));
    }
    for _ in 0..hub.options.webhook_refreshes {
        tasks.spawn(ask(Arc::downgrade(hub)));
    }
    tasks
}

/// Answers a sender.
pub(crate) async fn answer(hub: &Hub, request: Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let snapshot = hub.snapshot();
    let limit_megabytes = snapshot.server.webhook_max_megabytes.min(MOST_MEGABYTES);
    let limit = usize::try_from(limit_megabytes << 20).unwrap_or(usize::MAX);
    let body = axum::body::to_bytes(body, limit).await.ok();
    let text = |value: &HeaderValue| value.to_str().unwrap_or_default().to_owned();
    let headers: Vec<(&str, String)> =
        parts.headers.iter().map(|(name, value)| (name.as_str(), text(value))).collect();
    let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let request = webhook::Request {
        method: parts.method.as_str(),
        query: parts.uri.query().unwrap_or_default(),
        headers: &headers,
        body: body.as_deref(),
        limit_megabytes,
    };
    let audience = match snapshot.pull_requests.enabled {
        true => Audience::ApplicationsAndPullRequests,
        false => Audience::Applications,
    };
    let reception = webhook::receive(&request, &snapshot.webhooks, audience);
    if let Some(warning) = reception.warning {
        tracing::warn!("webhook: {warning}");
    }
    let answer = reception.answer(&request, audience);
    match reception.outcome {
        Ok(event) => {
            let urls: &[String] = match &event {
                Event::Push(push) => &push.web_urls,
                _ => &[],
            };
            urls.iter().for_each(|url| hub.metrics.webhook(&project::normalized(url)));
            queue(hub, event, &answer)
        }
        Err(refusal) if refusal.is_security_event() => {
            tracing::warn!(security = 3, "webhook refused: {}", answer.body.trim_end());
            respond(&answer)
        }
        Err(_) => {
            tracing::info!("webhook not understood: {}", answer.body.trim_end());
            respond(&answer)
        }
    }
}

/// Puts an event in line.
fn queue(hub: &Hub, event: Event, answer: &Answer) -> Response<Body> {
    match hub.webhooks.line().put(event, Arrival::now()) {
        Pushed::Queued | Pushed::Coalesced => {
            hub.webhooks.pushed.notify_one();
            respond(answer)
        }
        Pushed::Ignored => respond(answer),
        Pushed::Full => {
            tracing::warn!("webhook: {CAPACITY} events wait already; the sender is asked to try again");
            respond(&Answer::queue_full())
        }
    }
}

fn respond(answer: &Answer) -> Response<Body> {
    let mut response = Response::new(Body::from(answer.body.clone()));
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::BAD_REQUEST);
    if !answer.body.is_empty() {
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
        headers.insert("x-content-type-options", HeaderValue::from_static("nosniff"));
    }
    response
}

impl Webhooks {
    /// The applications that follow the branch of a pull request.
    pub(crate) fn meant_for(&self, pull: &PullRequest) -> Vec<ApplicationKey> {
        self.index().meant_for(pull)
    }

    /// The applications that follow a ref, and what a change of it means to them.
    pub(crate) fn pushed(&self, web_urls: &[String], change: &RefChange) -> Vec<Affected> {
        self.index().pushed(web_urls, change)
    }

    fn index(&self) -> std::sync::MutexGuard<'_, Index> {
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn refreshes(&self) -> std::sync::MutexGuard<'_, Refreshes> {
        self.refreshes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How far an application came with what was pushed.
    fn seen(&self, hub: &Hub, event: &StoredEvent<api::v1alpha1::Application>) {
        let key = key(&event.item.namespace, &event.item.name);
        let mut pushes = self.pushes.lock().unwrap_or_else(PoisonError::into_inner);
        match event.item.value() {
            Some(application) if event.kind != EventKind::Deleted => {
                for (stage, took) in pushes.seen(&key, application, Instant::now()) {
                    hub.metrics.pushed(stage.name(), took);
                }
            }
            _ => pushes.forget(&key),
        }
    }

    fn line(&self) -> std::sync::MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Keeps the index: who follows what.
async fn follow(hub: Weak<Hub>, store: Store) {
    loop {
        // Hears first and lists then: nothing falls between the two, and what is heard twice changes nothing.
        let mut follower = store.applications().follow();
        let fresh = listed(&store);
        let Some(strong) = hub.upgrade() else { return };
        *strong.webhooks.index() = fresh;
        drop(strong);
        while let Some(event) = follower.next().await {
            // Behind: list anew.
            let Ok(event) = event else { break };
            let Some(hub) = hub.upgrade() else { return };
            note(&mut hub.webhooks.index(), &event);
            hub.webhooks.seen(&hub, &event);
        }
    }
}

fn listed(store: &Store) -> Index {
    let mut index = Index::new();
    for stored in store.applications().list() {
        if let Some(application) = stored.value() {
            index.insert(&key(&stored.namespace, &stored.name), Watch::of(application));
        }
    }
    index
}

fn note(index: &mut Index, event: &StoredEvent<api::v1alpha1::Application>) {
    let key = key(&event.item.namespace, &event.item.name);
    match event.item.value() {
        Some(application) if event.kind != EventKind::Deleted => {
            index.insert(&key, Watch::of(application));
        }
        _ => {
            index.remove(&key);
        }
    }
}

fn key(namespace: &str, name: &str) -> ApplicationKey {
    ApplicationKey { namespace: namespace.to_owned(), name: name.to_owned() }
}

/// Finds out which applications pushes concern, one repository after another.
async fn work(hub: Weak<Hub>) {
    loop {
        let Some(strong) = hub.upgrade() else { return };
        let now = Arrival::now();
        let (taken, wake) = {
            let mut line = strong.webhooks.line();
            (line.take(now), line.queue.wake())
        };
        if let Some((job, arrival)) = taken {
            // Whoever else waits may find more.
            strong.webhooks.pushed.notify_one();
            let _counted = strong.metrics.webhook_handler();
            tell(&strong, &job, arrival).await;
            continue;
        }
        let pause =
            wake.map(|at| std::time::Duration::try_from(at.duration_since(now.at)).unwrap_or_default());
        woken(&strong.webhooks.pushed, pause.map(|pause| Instant::now() + pause)).await;
    }
}

async fn tell(hub: &Arc<Hub>, job: &Job, arrival: Arrival) {
    let mut affected = match job {
        Job::Push(push) => {
            for invalid in Index::invalid(&push.web_urls) {
                tracing::warn!("webhook: {invalid}");
            }
            let mut affected = Vec::new();
            for change in &push.changes {
                let followers = hub.webhooks.index().pushed(&push.web_urls, change);
                let all = followers.len();
                let Judged { mut concerned, unknown } =
                    concerned(hub, followers, change.files.as_deref()).await;
                concerned.retain(|affected| affected.effect != Effect::Unaffected);
                // The others need no render: what is known of them is good for this commit, too.
                let carried = all - concerned.len().min(all);
                for url in &push.web_urls {
                    hub.metrics.carried_over(&project::normalized(url), carried, unknown);
                }
                let mut pushes = hub.webhooks.pushes.lock().unwrap_or_else(PoisonError::into_inner);
                concerned.iter().for_each(|one| pushes.put(&one.application, &change.after, arrival.moment));
                affected.extend(concerned);
            }
            affected
        }
        Job::Registry(pushes) => {
            let index = hub.webhooks.index();
            pushes.iter().flat_map(|push| index.published(push)).collect()
        }
        Job::PullRequest(pull) => {
            hub.pull_requests.put(pull.clone());
            return;
        }
    };
    // One that is hydrated by any of the changes is hydrated.
    affected.sort_by(|one, other| (&one.application, other.effect).cmp(&(&other.application, one.effect)));
    affected.dedup_by(|later, first| later.application == first.application);
    let server = hub.snapshot().server.clone();
    let spread = Spread { jitter: server.webhook_jitter, threshold: server.webhook_jitter_threshold };
    tracing::info!(applications = affected.len(), "webhook: applications are asked to refresh");
    {
        let (mut refreshes, now) = (hub.webhooks.refreshes(), Instant::now());
        for (place, affected) in affected.into_iter().enumerate() {
            let hydrate = affected.effect == Effect::RefreshAndHydrate;
            let due = now + spread.wait(place, rand::random());
            refreshes.put(Refresh { application: affected.application, hydrate, pushed: arrival.at }, due);
        }
    }
    hub.webhooks.refresh.notify_one();
}

/// Waits until there is more, or until what waits is due.
async fn woken(more: &Notify, due: Option<Instant>) {
    match due {
        Some(due) => drop(tokio::time::timeout_at(due, more.notified()).await),
        None => more.notified().await,
    }
}

/// Asks for refreshes, one after another.
async fn ask(hub: Weak<Hub>) {
    loop {
        let Some(strong) = hub.upgrade() else { return };
        let now = Instant::now();
        let (refresh, wake) = {
            let mut refreshes = strong.webhooks.refreshes();
            (refreshes.take(now), refreshes.wake())
        };
        if let Some(refresh) = refresh {
            // Whoever else waits may find more.
            strong.webhooks.refresh.notify_one();
            let Refresh { application: ApplicationKey { namespace, name }, hydrate, pushed } = refresh;
            let asked = strong.store.request_refresh_of_push(&namespace, &name, hydrate, pushed).await;
            if let Err(error) = asked {
                tracing::warn!(%namespace, %name, %error, "webhook: refresh");
            }
            continue;
        }
        woken(&strong.webhooks.refresh, wake).await;
    }
}

/// The followers of a revision, judged.
pub(crate) struct Judged {
    /// Those whose manifests the changed files may change.
    pub(crate) concerned: Vec<Affected>,
    /// How many of these are there for want of knowledge of what they read.
    pub(crate) unknown: usize,
}

/// Those among the followers of a revision whose manifests the changed files may change. Everybody, where the sender
/// does not say which files changed or the repo-server cannot be asked.
pub(crate) async fn concerned(hub: &Hub, followers: Vec<Affected>, files: Option<&[String]>) -> Judged {
    let Some(files) = files.filter(|files| !files.is_empty()) else {
        return Judged { concerned: followers, unknown: 0 };
    };
    let mut candidates = Vec::new();
    // Where the candidates of each follower end.
    let mut ends = Vec::with_capacity(followers.len());
    let (mut unknown, mut judged) = (0, 0);
    for follower in &followers {
        match told_by_reads(hub, follower) {
            Reads::Of(own) => {
                judged += 1;
                candidates.extend(own);
            }
            Reads::Unknown => unknown += 1,
            Reads::NotAsked => {}
        }
        ends.push(candidates.len());
    }
    if candidates.is_empty() {
        return Judged { concerned: followers, unknown };
    }
    let request = ConcernedRequest { candidates, files: files.to_vec() };
    let concerned = match hub.reads().concerned(request).await {
        Ok(answer) => answer.into_inner().concerned,
        Err(error) => {
            tracing::warn!(%error, "webhook: who read what was pushed is not known");
            return Judged { concerned: followers, unknown: unknown + judged };
        }
    };
    let mut from = 0;
    let mut kept = Vec::new();
    for (follower, end) in followers.into_iter().zip(ends) {
        let own = concerned.get(from..end).unwrap_or_default();
        // A follower without candidates is not judged by what it read.
        if own.is_empty() || own.contains(&true) {
            kept.push(follower);
        }
        from = end;
    }
    Judged { concerned: kept, unknown }
}

/// What decides whether a push concerns an application whose revision moved.
enum Reads {
    /// What these sources read.
    Of(Vec<Candidate>),
    /// What they would read now is not known: the last look at the application did not succeed.
    Unknown,
    /// Something else: the user says what matters.
    NotAsked,
}

fn told_by_reads(hub: &Hub, follower: &Affected) -> Reads {
    let ApplicationKey { namespace, name } = &follower.application;
    let Ok(application) = hub.store.application(namespace, name) else { return Reads::NotAsked };
    let is_asked = application.metadata.annotations.contains_key(api::names::MANIFEST_GENERATE_PATHS);
    let is_known =
        application.status.sync.status == "Synced" || application.status.sync.status == "OutOfSync";
    let has_failed =
        application.status.conditions.iter().any(|condition| condition.r#type.ends_with("Error"));
    let is_hydrated = application.spec.source_hydrator.is_some();
    if follower.effect != Effect::Refresh || is_asked || is_hydrated {
        return Reads::NotAsked;
    }
    if !is_known || has_failed {
        return Reads::Unknown;
    }
    let app_name = found::instance(hub, &application);
    let candidate = |source| Candidate { app_name: app_name.clone(), source: Some(source) };
    Reads::Of(application.spec.effective_sources().into_iter().map(candidate).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use webhook::{Provider, Push};

    fn push(url: &str) -> Event {
        let change = RefChange { revision: "main".to_owned(), ..RefChange::default() };
        let web_urls = vec![url.to_owned()];
        Event::Push(Push { provider: Provider::GitHub, web_urls, changes: vec![change] })
    }

    #[test]
    fn every_arrival_ends_with_its_event() {
        let began = Instant::now();
        let after = |milliseconds: u32| Arrival {
            at: Timestamp::from_millisecond(milliseconds.into()).expect("a time"),
            moment: began + Duration::from_millis(milliseconds.into()),
        };
        let mut line = Line::new(2, REST);
        assert_eq!(line.put(push("https://host/org/repo"), after(0)), Pushed::Queued);
        assert_eq!(line.put(push("http://git@HOST/org/repo"), after(1)), Pushed::Coalesced);
        assert_eq!(line.put(push("https://host/other"), after(2)), Pushed::Queued);
        assert_eq!(line.put(push("https://host/third"), after(3)), Pushed::Full);
        assert_eq!(line.put(Event::Ignored(String::new()), after(4)), Pushed::Ignored);
        let mut next = |millisecond: u32| {
            let (_, arrival) = line.take(after(millisecond))?;
            Some((arrival.at.as_millisecond(), arrival.moment.duration_since(began).as_millis()))
        };
        assert_eq!([next(5), next(5), next(5)], [Some((0, 0)), Some((2, 2)), None]);
        // One that comes after it was taken waits by itself, and the one before says nothing of it.
        assert_eq!(line.put(push("http://HOST/org/repo"), after(100)), Pushed::Queued);
        let (_, arrival) = line.take(after(900)).expect("it has rested");
        assert_eq!(arrival.at, after(100).at);
        assert!(line.arrivals.is_empty() && line.queue.is_empty());
    }
}
