//! What the pieces promise: the recorded answers of Go, the original's own walk over all applications, and no panic on
//! anything.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use regex::Regex;
use webhook::{
    Affected, ApplicationKey, Audience, Effect, Event, Index, Job, Provider, Push, Pushed, Queue, RefChange,
    RegistryPush, RepositoryKey, Request, Role, Secrets, Source, Watch, receive, refresh_paths, revision,
};

const USER: &str = r"[0-9A-Za-z_\.][0-9A-Za-z_\.-]{0,30}[0-9A-Za-z_\.\$-]?";

#[test]
fn addresses_are_those_of_go() {
    let mut asked = 0;
    for line in include_str!("../cases/addresses.tsv").lines().filter(|line| !line.starts_with('#')) {
        let fields: Vec<&str> = line.split('\t').collect();
        let [web_url, repo_url, expected] = fields[..] else { panic!("three fields: {line:?}") };
        let found = match RepositoryKey::from_web_url(web_url) {
            Ok(key) => RepositoryKey::of_repo_url(repo_url).contains(&key).to_string(),
            Err(_) => "invalid".to_owned(),
        };
        assert_eq!(found, expected, "{web_url} {repo_url}");
        asked += 1;
    }
    assert!(asked > 300);
}

#[test]
fn paths_are_those_of_go() {
    let mut asked = 0;
    for line in include_str!("../cases/paths.tsv").lines().filter(|line| !line.starts_with('#')) {
        let fields: Vec<&str> = line.split('\t').collect();
        let [annotation, source, file, expected] = fields[..] else { panic!("four fields: {line:?}") };
        let paths = refresh_paths::refresh_paths(annotation, source);
        let found = refresh_paths::files_changed(&paths, &[file.to_owned()]);
        assert_eq!(found.to_string(), expected, "{annotation:?} at {source:?}: {file:?} ({paths:?})");
        asked += 1;
    }
    assert!(asked > 1500);
}

fn source(repo_url: &str, target_revision: &str, paths: &[&str]) -> Source {
    let refresh_paths = paths.iter().map(|path| (*path).to_owned()).collect();
    let (repo_url, target_revision) = (repo_url.to_owned(), target_revision.to_owned());
    let (tag_prefix, chart) = (String::new(), String::new());
    Source { repo_url, target_revision, tag_prefix, chart, role: Role::Plain, refresh_paths }
}

fn key(name: &str) -> ApplicationKey {
    ApplicationKey { namespace: "argocd".to_owned(), name: name.to_owned() }
}

fn change(revision: &str, touched_head: bool, files: &[&str]) -> RefChange {
    let files = files.iter().map(|file| (*file).to_owned()).collect();
    RefChange { revision: revision.to_owned(), touched_head, files: Some(files), ..RefChange::default() }
}

/// The walk of the original, and beyond it the tags behind a prefix.
fn naive(applications: &[(ApplicationKey, Watch)], web_urls: &[String], change: &RefChange) -> Vec<Affected> {
    let files = change.files.clone().unwrap_or_default();
    let mut found = Vec::new();
    for (application, watch) in applications {
        let follows = |source: &Source| {
            let short = revision::short_name(&source.target_revision);
            let full = ["refs/heads/", "refs/tags/"].iter().any(|it| source.target_revision.starts_with(it));
            let matches = |target: &str| {
                let behind = change.revision.strip_prefix(&source.tag_prefix);
                let behind = behind.filter(|_| semver_range::Range::parse(target).is_ok());
                revision::matches(&change.revision, target)
                    || behind.is_some_and(|version| revision::matches(version, target))
            };
            let revision = match short {
                "HEAD" | "" => change.touched_head,
                short if full => matches(short),
                _ => matches(&source.target_revision),
            };
            revision && web_urls.iter().any(|web_url| naive_address(web_url, &source.repo_url))
        };
        let sources: Vec<&Source> = watch.sources.iter().filter(|source| follows(source)).collect();
        if sources.is_empty() {
            continue;
        }
        let refresh =
            sources.iter().any(|source| refresh_paths::files_changed(&source.refresh_paths, &files));
        let effect = if refresh { Effect::Refresh } else { Effect::Unaffected };
        found.push(Affected { application: application.clone(), effect });
    }
    found.sort();
    found
}

/// The expression of the original, for the addresses the strategy makes: host and path need no unescaping.
fn naive_address(web_url: &str, repo_url: &str) -> bool {
    let rest = web_url.split_once("://").map_or(web_url, |(_, rest)| rest);
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let host = authority.rsplit('@').next().unwrap_or_default();
    let host = host.split(':').next().unwrap_or_default();
    let (host, path) = (regex::escape(host), regex::escape(path));
    let expression =
        format!(r"(?i)^((https?|ssh)://)?({USER}@)?((alt)?ssh\.)?{host}(:[0-9]+)?[:/]{path}(\.git)?$");
    Regex::new(&expression).expect("an expression").is_match(repo_url)
}

fn pieces(options: &'static [&'static str]) -> impl Strategy<Value = &'static str> {
    prop::sample::select(options)
}

/// Addresses that are alike enough to be confused.
fn repo_url() -> impl Strategy<Value = String> {
    let scheme = pieces(&["", "https://", "http://", "ssh://", "HTTPS://", "git://", "oci://"]);
    let user = pieces(&["", "git@", "user:pw@", "a.b-c$@", "-@", "@", "git@ssh."]);
    let host = pieces(&[
        "host",
        "HOST",
        "ssh.host",
        "altssh.host",
        "ssh",
        "ho.st",
        "hoxst",
        "host:22",
        "host:2:3",
        "::1",
    ]);
    let separator = pieces(&["/", ":", "//", ":/", ":443/"]);
    let path = pieces(&[
        "org/repo",
        "Org/Repo",
        "org/repo.git",
        "repo",
        "repo.git",
        "",
        ".git",
        "org/repo/",
        "a:b",
        "org/re.o",
    ]);
    let end = pieces(&["", ".git", ".GIT", "/"]);
    (scheme, user, host, separator, path, end).prop_map(|(a, b, c, d, e, f)| [a, b, c, d, e, f].concat())
}

fn web_url() -> impl Strategy<Value = String> {
    let scheme = pieces(&["https://", "http://", "ssh://"]);
    let host = pieces(&["host", "Host", "ssh.host", "ho.st", "host:8080", "git@host", "ssh", "hoxst"]);
    let path = pieces(&[
        "org/repo",
        "ORG/repo",
        "repo",
        "org/repo.git",
        "",
        ".git",
        "a:b",
        "org/repo/",
        "22/repo",
        "org/re.o",
    ]);
    (scheme, host, path).prop_map(|(scheme, host, path)| format!("{scheme}{host}/{path}"))
}

fn target() -> impl Strategy<Value = &'static str> {
    pieces(&[
        "",
        "HEAD",
        "main",
        "refs/heads/main",
        "refs/heads/HEAD",
        "refs/tags/v1.0.0",
        "v1.0.0",
        "1.0.0",
        "1.0",
        "1.x",
        ">=1.0.0",
        "^1.0.0 || ~2.1",
        "*",
        "feature/a",
        "refs/heads/feature/a",
        "1.0.0-rc.1",
        ">=1.0.0-0",
        "1.0.0+build",
        "=1.0.0",
        "v1",
        "refs/remotes/main",
        "x/HEAD",
        "1.0.0 - 2.0.0",
        "01.0.0",
        "!=1.0.0",
    ])
}

fn pushed_revision() -> impl Strategy<Value = &'static str> {
    pieces(&[
        "main",
        "v1.0.0",
        "1.0.0",
        "v1.2.3",
        "2.1.9",
        "apps/a-1.0.0",
        "apps/2.1.9",
        "apps/main",
        "feature/a",
        "1.0.0-rc.1",
        "1.0.0+x",
        "HEAD",
        "",
        "a",
        "1.0",
        "v1",
        ">=1.0.0",
    ])
}

fn watch() -> impl Strategy<Value = Watch> {
    let paths = prop::sample::select(vec![vec![], vec!["a"], vec!["b", "/c"], vec!["*.yaml"]]);
    let prefix = prop::sample::select(vec!["", "", "apps/a-", "apps/", "v"]);
    let source = (repo_url(), target(), paths, prefix).prop_map(|(url, target, paths, prefix)| Source {
        tag_prefix: prefix.to_owned(),
        ..source(&url, target, &paths)
    });
    prop::collection::vec(source, 0..3).prop_map(|sources| Watch { sources })
}

#[test]
fn a_tag_behind_a_prefix_is_the_version_that_a_source_waits_for() {
    let application: api::v1alpha1::Application = serde_json::from_value(serde_json::json!({
        "metadata": {"name": "a"},
        "spec": {"source": {"repoURL": "https://host/apps", "targetRevision": "1.0.*", "tagPrefix": "b/"}},
    }))
    .expect("an application");
    let mut index = Index::new();
    index.insert(&key("a"), Watch::of(&application));
    index.insert(
        &key("exact"),
        Watch {
            sources: vec![Source {
                tag_prefix: "b/".to_owned(),
                ..source("https://host/apps", "1.0.7", &[])
            }],
        },
    );
    let web_urls = ["https://host/apps".to_owned()];
    let found = |index: &Index, revision: &str| {
        let affected = index.pushed(&web_urls, &change(revision, false, &["x"]));
        affected.into_iter().map(|affected| affected.application.name).collect::<Vec<_>>()
    };
    assert_eq!(found(&index, "b/1.0.5"), ["a"]);
    assert_eq!(found(&index, "b/1.0.7"), ["a", "exact"]);
    assert_eq!(found(&index, "c/1.0.5"), [""; 0]);
    assert_eq!(found(&index, "b/1.1.0"), [""; 0]);
    index.remove(&key("a"));
    assert_eq!(found(&index, "b/1.0.5"), [""; 0]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn one_address_as_the_expression(web_url in web_url(), repo_url in repo_url()) {
        let key = RepositoryKey::from_web_url(&web_url).expect("the strategy makes addresses");
        let found = RepositoryKey::of_repo_url(&repo_url).contains(&key);
        prop_assert_eq!(found, naive_address(&web_url, &repo_url), "{} {}", web_url, repo_url);
    }

    #[test]
    fn the_index_finds_what_the_walk_finds(
        steps in prop::collection::vec((0_usize..12, prop::option::weighted(0.8, watch())), 0..40),
        web_urls in prop::collection::vec(web_url(), 1..3),
        revision in pushed_revision(),
        head in any::<bool>(),
        files in prop::sample::select(vec![vec![], vec!["a/x"], vec!["b"], vec!["c/d/e", "z"], vec!["q.yaml"]]),
    ) {
        let mut index = Index::new();
        let mut applications: std::collections::BTreeMap<ApplicationKey, Watch> = std::collections::BTreeMap::new();
        for (number, watch) in steps {
            let key = key(&format!("application-{number}"));
            match watch {
                Some(watch) => {
                    index.insert(&key, watch.clone());
                    applications.insert(key, watch);
                }
                None => {
                    prop_assert_eq!(index.remove(&key), applications.remove(&key).is_some());
                }
            }
        }
        let change = change(revision, head, &files);
        let expected = naive(&applications.clone().into_iter().collect::<Vec<_>>(), &web_urls, &change);
        prop_assert_eq!(index.pushed(&web_urls, &change), expected);
        prop_assert_eq!(index.len(), applications.len());
        for key in applications.keys() {
            index.remove(key);
        }
        prop_assert!(index.pushed(&web_urls, &change).is_empty());
    }

    #[test]
    fn no_text_makes_an_address_panic(text in any::<String>(), other in any::<String>()) {
        let _ = RepositoryKey::from_web_url(&text);
        let _ = RepositoryKey::from_web_url(&format!("https://{text}/{other}"));
        prop_assert!(RepositoryKey::of_repo_url(&text).len() <= 1200);
        let paths = refresh_paths::refresh_paths(&text, &other);
        let _ = refresh_paths::files_changed(&paths, &[other]);
    }
}

/// Headers that make each provider read.
const HEADERS: &[&[(&str, &str)]] = &[
    &[("X-GitHub-Event", "push")],
    &[("X-GitHub-Event", "ping")],
    &[("X-GitHub-Event", "pull_request")],
    &[("X-GitHub-Event", "package")],
    &[("X-Gitlab-Event", "Push Hook")],
    &[("X-Gitlab-Event", "System Hook")],
    &[("X-Gitlab-Event", "Merge Request Hook")],
    &[("X-Hook-UUID", "x"), ("X-Event-Key", "repo:push")],
    &[("X-Event-Key", "repo:refs_changed"), ("X-Hub-Signature", "sha")],
    &[("X-Gogs-Event", "push"), ("X-Gitea-Event", "push")],
    &[("X-Vss-Activityid", "x")],
    &[("Authorization", "h")],
    &[("Content-Type", "application/vnd.docker.distribution.events.v1+json"), ("Authorization", "o")],
    &[("x-amz-sns-message-type", "Notification"), ("Authorization", "Basic eDpj")],
    &[("Content-Type", "application/json"), ("Authorization", "d")],
];

fn read_everywhere(body: &[u8]) -> Vec<Event> {
    let data = |key: &str| match key {
        "webhook.harbor.secret" => Some("h".to_owned()),
        "webhook.oci.secret" => Some("o".to_owned()),
        "webhook.codecommit.secret" => Some("c".to_owned()),
        "webhook.dockerhub.secret" => Some("d".to_owned()),
        _ => None,
    };
    let secrets = Secrets::from_data(data);
    let mut events = Vec::new();
    for headers in HEADERS {
        for audience in [Audience::Applications, Audience::ApplicationSets] {
            let request = Request {
                method: "POST",
                query: "type=dockerhub",
                headers,
                body: Some(body),
                limit_megabytes: 50,
            };
            let reception = receive(&request, &secrets, audience);
            let status = reception.answer(&request, audience).status;
            assert_eq!(reception.outcome.is_ok(), status == 200);
            events.extend(reception.outcome);
        }
    }
    events
}

/// Bodies like the real ones, with a piece cut out, doubled or replaced.
fn mutated() -> impl Strategy<Value = Vec<u8>> {
    let bodies: Vec<&str> = vec![
        include_str!("../cases/payloads/github-push.case"),
        include_str!("../cases/payloads/github-pull-request.case"),
        include_str!("../cases/payloads/gitlab-push.case"),
        include_str!("../cases/payloads/gitlab-merge-request.case"),
        include_str!("../cases/payloads/bitbucket-push.case"),
        include_str!("../cases/payloads/bitbucket-server-push.case"),
        include_str!("../cases/payloads/gogs-push.case"),
        include_str!("../cases/payloads/azure-push.case"),
        include_str!("../cases/payloads/azure-pull-request.case"),
        include_str!("../cases/payloads/ghcr-published.case"),
        include_str!("../cases/payloads/harbor-push.case"),
        include_str!("../cases/payloads/docker-hub-push.case"),
        include_str!("../cases/payloads/distribution-push.case"),
        include_str!("../cases/payloads/code-commit-rule.case"),
    ];
    let body = |case: &str| {
        let start = case.find("\n\n{").map_or(0, |place| place + 2);
        let end = case.find("\n=>\n").unwrap_or(case.len());
        case.as_bytes()[start..end].to_vec()
    };
    let bodies: Vec<Vec<u8>> = bodies.into_iter().map(body).collect();
    let piece = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..8),
        pieces(&[
            "null",
            "[]",
            "{}",
            "\"\"",
            "1e999",
            "-1",
            "true",
            "[null]",
            "\"\\ud800\"",
            "9999999999999999999999"
        ])
        .prop_map(|text| text.as_bytes().to_vec()),
    ];
    (prop::sample::select(bodies), any::<prop::sample::Index>(), 0_usize..40, piece).prop_map(
        |(mut body, place, length, piece)| {
            let start = place.index(body.len());
            let end = (start + length).min(body.len());
            body.splice(start..end, piece);
            body
        },
    )
}

/// A whole value of a real body replaced by another one.
fn retyped() -> impl Strategy<Value = Vec<u8>> {
    let values =
        pieces(&["null", "[]", "{}", "\"x\"", "7", "-7", "1.5", "true", "[null]", "[{}]", "[[]]", "[\"a\"]"]);
    (mutated(), any::<prop::sample::Index>(), values).prop_map(|(body, place, value)| {
        let text = String::from_utf8_lossy(&body).into_owned();
        let colons: Vec<usize> = text.match_indices("\": ").map(|(position, _)| position + 3).collect();
        if colons.is_empty() {
            return body;
        }
        let start = colons[place.index(colons.len())];
        let end = text[start..].find([',', '\n']).map_or(text.len(), |length| start + length);
        [&text[..start], value, &text[end..]].concat().into_bytes()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_body_makes_a_provider_panic(body in prop::collection::vec(any::<u8>(), 0..200)) {
        read_everywhere(&body);
    }

    #[test]
    fn no_mutated_body_makes_anything_panic(body in prop_oneof![mutated(), retyped()]) {
        let now = Timestamp::UNIX_EPOCH;
        let mut queue = Queue::new(100, SignedDuration::from_secs(1));
        let mut index = Index::new();
        index.insert(&key("a"), Watch { sources: vec![source("https://github.com/octo-org/deployments", "", &["apps"])] });
        for event in read_everywhere(&body) {
            queue.push(event, now);
        }
        while let Some(job) = queue.next(now) {
            match job {
                Job::Push(push) => {
                    for change in &push.changes {
                        let _ = index.pushed(&push.web_urls, change);
                    }
                }
                Job::Registry(pushes) => {
                    for push in &pushes {
                        let _ = index.published(push);
                    }
                }
                Job::PullRequest(pull) => {
                    let _ = pull.concerns_generators();
                }
            }
        }
        prop_assert!(queue.is_empty());
    }
}

#[test]
fn a_body_over_the_limit_is_refused_by_everyone() {
    for headers in HEADERS {
        let request = Request { method: "POST", query: "", headers, body: None, limit_megabytes: 7 };
        let reception = receive(&request, &Secrets::default(), Audience::Applications);
        let answer = reception.answer(&request, Audience::Applications);
        assert_eq!(answer.status, 400, "{headers:?}");
        if headers[0] == ("X-GitHub-Event", "push") {
            assert_eq!(answer.body, "Webhook processing failed: payload must be valid JSON under 7 MB\n");
        }
    }
}

#[test]
fn secrets_are_in_no_text() {
    let secrets = Secrets::from_data(|key| Some(format!("canary of {key}")));
    let headers =
        [("X-GitHub-Event", "push"), ("X-Hub-Signature-256", "canary"), ("Authorization", "canary")];
    let request = Request {
        method: "POST",
        query: "secret=canary",
        headers: &headers,
        body: Some(b"{}"),
        limit_megabytes: 1,
    };
    let reception = receive(&request, &secrets, Audience::Applications);
    let texts = format!(
        "{secrets:?} {request:?} {reception:?} {:?}",
        reception.answer(&request, Audience::Applications)
    );
    assert!(!texts.contains("canary"), "{texts}");
}

#[test]
fn charts_and_artifacts_are_found_by_tag() {
    let mut index = Index::new();
    let chart =
        |url: &str, chart: &str, target: &str| Source { chart: chart.to_owned(), ..source(url, target, &[]) };
    index.insert(&key("chart"), Watch { sources: vec![chart("ghcr.io/Org/charts/", "guestbook", "^1.0.0")] });
    index.insert(
        &key("oci"),
        Watch { sources: vec![source("oci://ghcr.io/org/charts/guestbook", "1.2.0", &["none"])] },
    );
    index.insert(
        &key("other"),
        Watch { sources: vec![source("oci://ghcr.io/org/charts/guestbook", "2.x", &[])] },
    );
    let mut hydrated = vec![source("oci://x", "", &[]), chart("ghcr.io/org/charts", "guestbook", "1.2.0")];
    hydrated[1].role = Role::Dry;
    index.insert(&key("hydrated"), Watch { sources: hydrated });
    let (registry, repository) = ("ghcr.io".to_owned(), "org/charts/guestbook".to_owned());
    let push = RegistryPush { provider: Provider::Ghcr, registry, repository, tag: "1.2.0".to_owned() };
    let found: Vec<_> =
        index.published(&push).into_iter().map(|it| (it.application.name, it.effect)).collect();
    let expected = [
        ("chart".to_owned(), Effect::Refresh),
        ("hydrated".to_owned(), Effect::RefreshAndHydrate),
        ("oci".to_owned(), Effect::Refresh),
    ];
    assert_eq!(found, expected);
}

#[test]
fn ten_thousand_applications_answer_in_microseconds() {
    let mut index = Index::new();
    for number in 0..10_000 {
        let url = format!("https://git.example.com/team-{}/repo-{}.git", number / 10 % 100, number / 10);
        let target = ["HEAD", "main", "^1.0.0", "v1.2.3"][number % 4];
        let watch = Watch { sources: vec![source(&url, target, &[&format!("apps/{number}")])] };
        assert!(index.insert(&key(&format!("application-{number}")), watch.clone()));
        assert!(!index.insert(&key(&format!("application-{number}")), watch));
    }
    let web_urls = ["https://git.example.com/Team-5/repo-5".to_owned()];
    let change = change("main", true, &["apps/52/deployment.yaml"]);
    #[expect(
        clippy::disallowed_methods,
        clippy::disallowed_types,
        reason = "the figure is what is asked for"
    )]
    let start = std::time::Instant::now();
    let rounds = 1_000;
    let mut found = 0;
    for _ in 0..rounds {
        found += index.pushed(&web_urls, &change).len();
    }
    let each = start.elapsed() / rounds;
    println!("one look-up among 10,000: {each:?}");
    assert_eq!(found, 4 * rounds as usize, "two follow the head, two follow main by name");
    assert!(each < Duration::from_millis(1), "{each:?}");
}

fn push_event(web_url: &str, revision: &str, before: &str, after: &str, files: Option<&[&str]>) -> Event {
    let files = files.map(|files| files.iter().map(|file| (*file).to_owned()).collect());
    let change = RefChange {
        revision: revision.to_owned(),
        before: before.to_owned(),
        after: after.to_owned(),
        touched_head: false,
        files,
    };
    Event::Push(Push {
        provider: Provider::GitHub,
        web_urls: vec![web_url.to_owned()],
        changes: vec![change],
    })
}

fn at(milliseconds: i64) -> Timestamp {
    Timestamp::from_millisecond(milliseconds).expect("a time")
}

#[test]
fn a_burst_is_two_jobs() {
    let mut queue = Queue::new(100, SignedDuration::from_millis(500));
    let url = "https://host/org/repo";
    assert_eq!(queue.push(push_event(url, "main", "0", "1", Some(&["a"])), at(0)), Pushed::Queued);
    assert_eq!(queue.wake(), Some(at(0)), "the first is not kept waiting");
    assert!(queue.next(at(0)).is_some());
    assert_eq!(queue.push(push_event(url, "main", "1", "2", Some(&["b"])), at(10)), Pushed::Queued);
    assert_eq!(
        queue.push(push_event("https://HOST/org/repo", "main", "2", "3", Some(&["c"])), at(20)),
        Pushed::Coalesced
    );
    assert_eq!(queue.push(push_event(url, "dev", "8", "9", None), at(30)), Pushed::Coalesced);
    assert_eq!(queue.push(push_event("https://host/other", "main", "1", "2", None), at(40)), Pushed::Queued);
    assert_eq!((queue.len(), queue.wake()), (3, Some(at(40))));
    let Some(Job::Push(other)) = queue.next(at(40)) else { panic!("another repository does not rest") };
    assert_eq!(other.web_urls, ["https://host/other"]);
    assert_eq!(queue.next(at(499)), None);
    assert_eq!(queue.wake(), Some(at(500)));
    let Some(Job::Push(push)) = queue.next(at(500)) else { panic!("it has rested") };
    let seen: Vec<_> =
        push.changes.iter().map(|it| (it.revision.as_str(), it.before.as_str(), it.after.as_str())).collect();
    assert_eq!(seen, [("main", "1", "3"), ("dev", "8", "9")]);
    assert_eq!(push.changes[0].files.as_deref(), Some(&["b".to_owned(), "c".to_owned()][..]));
    // The job is called as each of its pushes is.
    let Event::Push(last) = push_event("http://git@HOST/org/repo", "x", "", "", None) else {
        panic!("a push")
    };
    assert_eq!((push.key(), push.key()), (last.key(), vec!["git".to_owned(), "host/org/repo".to_owned()]));
    assert!(queue.is_empty() && queue.wake().is_none());
}

#[test]
fn a_full_queue_says_so_and_still_coalesces() {
    let mut queue = Queue::new(2, SignedDuration::ZERO);
    assert_eq!(queue.push(push_event("https://host/a", "main", "", "", Some(&["x"])), at(0)), Pushed::Queued);
    assert_eq!(queue.push(push_event("https://host/b", "main", "", "", None), at(0)), Pushed::Queued);
    assert_eq!(queue.push(push_event("https://host/c", "main", "", "", None), at(0)), Pushed::Full);
    assert_eq!(queue.push(push_event("https://host/a", "dev", "", "", None), at(0)), Pushed::Full);
    assert_eq!(queue.push(push_event("https://host/a", "main", "", "2", None), at(0)), Pushed::Coalesced);
    assert_eq!(queue.push(Event::Ignored(String::new()), at(0)), Pushed::Ignored);
    let Some(Job::Push(push)) = queue.next(at(0)) else { panic!("in the order they came") };
    assert_eq!((push.changes[0].after.as_str(), &push.changes[0].files), ("2", &None));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    /// Nothing that was taken in is lost, nothing comes out that was not put in, and nobody waits longer than the rest.
    #[test]
    fn the_queue_keeps_what_it_took(
        steps in prop::collection::vec((0_i64..300, 0_usize..4, 0_usize..4, any::<bool>()), 1..80),
        capacity in 1_usize..12,
    ) {
        let mut queue = Queue::new(capacity, SignedDuration::from_millis(400));
        let mut now = 0;
        let mut owed: BTreeSet<(String, String)> = BTreeSet::new();
        for (passed, repository, reference, take) in steps {
            now += passed;
            let (url, name) = (format!("https://host/{repository}"), format!("r{reference}"));
            if take {
                if let Some(Job::Push(push)) = queue.next(at(now)) {
                    for change in push.changes {
                        prop_assert!(owed.remove(&(push.web_urls[0].clone(), change.revision)));
                    }
                }
            } else if queue.push(push_event(&url, &name, "", "", None), at(now)) != Pushed::Full {
                owed.insert((url, name));
            }
            prop_assert!(queue.len() <= capacity);
            prop_assert_eq!(queue.len(), owed.len());
            prop_assert!(queue.wake().is_none_or(|wake| wake <= at(now + 400)));
        }
        while let Some(Job::Push(push)) = queue.next(at(now + 400)) {
            for change in push.changes {
                prop_assert!(owed.remove(&(push.web_urls[0].clone(), change.revision)));
            }
        }
        prop_assert!(owed.is_empty());
    }
}
