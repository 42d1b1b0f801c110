//! A push that is told by a webhook: how long the sender waits for its answer with many applications there, and how
//! long it takes until the change is in the cluster and the application is healthy again.

use super::Setting;
use super::figure::{Figure, percentile};
use super::hub::{APPLICATIONS, Hub, application};
use super::process::Component;
use super::push::until;
use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};
use testkit::git_http::{self, GitHttp};
use testkit::git_repo::GitRepo;
use testkit::redis::Redis;

/// The first sync of all applications included.
const LIMIT: Duration = Duration::from_secs(1800);
/// Repositories that many applications follow where answers are measured, and as many that one follows each.
const REPOSITORIES: usize = 100;

pub(crate) fn run(setting: &Setting) -> Result<Vec<Figure>> {
    let mut figures = pushes(setting, 1)?;
    figures.extend(pushes(setting, setting.count(10_000, 100))?);
    Ok(figures)
}

/// Answers of an api-server that knows many applications. Nobody acts on the refreshes it asks for.
pub(crate) fn answers(setting: &Setting) -> Result<Vec<Figure>> {
    let count = setting.count(10_000, 1000);
    let hub = Hub::start(setting)?;
    let redis = Redis::start()?;
    let server = hub.api_server(testkit::free_port()?, redis.port)?;
    let shared = |number: usize| format!("https://git.example/shared/{:03}", number % REPOSITORIES);
    let own = |number: usize| format!("https://git.example/own/{:03}", number % REPOSITORIES);
    let applications: Vec<Value> = (0..count)
        .map(|number| {
            let url = if number < REPOSITORIES { own(number) } else { shared(number) };
            application(&format!("app-{number:05}"), &url, "app", "default")
        })
        .collect();
    hub.fill(APPLICATIONS, &applications)?;
    server.settle(Duration::from_secs(60))?;
    let waits = |url: &dyn Fn(usize) -> String, pause: u64| -> Result<Vec<f64>> {
        let (pause, mut times) = (Duration::from_millis(pause), Vec::new());
        for number in 0..500 {
            let began = Instant::now();
            tell(&server, &url(number), &["app/file.yaml"])?;
            let took = began.elapsed();
            times.push(took.as_secs_f64() * 1000.0);
            std::thread::sleep(pause.saturating_sub(took));
        }
        server.settle(Duration::from_secs(60))?;
        Ok(times)
    };
    let followers = count / REPOSITORIES - 1;
    let mut figures = Vec::new();
    for (what, url, pause, budget) in [
        ("1 application each, 100 a second", &own as &dyn Fn(usize) -> String, 10, Some(10.0)),
        ("many applications each, 10 a second", &shared, 100, None),
        ("many applications each, up to 100 a second", &shared, 10, None),
    ] {
        let mut times = waits(url, pause)?;
        let name = format!("webhook answer, {count} applications; {what}: p50 of {}", times.len());
        figures.push(Figure::new(name, percentile(&mut times, 0.5), "ms"));
        let figure = Figure::new("  p99", percentile(&mut times, 0.99), "ms");
        figures.push(match budget {
            Some(budget) => figure.budget(budget).note("the original with 1,500 applications: 10 to 15 s"),
            None => figure.note(format!(
                "{followers} refreshes for each, which the API server makes on the same cores"
            )),
        });
    }
    Ok(figures)
}

fn manifest(name: &str, value: usize) -> String {
    format!("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\ndata:\n  value: \"{value}\"\n")
}

/// Pushes that change one of many applications of one repository, everything in one process.
fn pushes(setting: &Setting, count: usize) -> Result<Vec<Figure>> {
    let mut hub = Hub::start(setting)?;
    let process = hub.standalone()?;
    let names: Vec<String> = (0..count).map(|number| format!("app-{number:05}")).collect();
    let mut repository = GitRepo::create("told")?;
    for name in &names {
        repository.write(&format!("apps/{name}/map.yaml"), manifest(name, 0))?;
    }
    repository.commit("first")?;
    repository.push()?;
    let served = GitHttp::serve(&repository.root(), &git_http::Options::default())?;
    let url = served.url("told.git");
    let applications: Vec<Value> =
        names.iter().map(|name| application(name, &url, &format!("apps/{name}"), "default")).collect();
    hub.fill(APPLICATIONS, &applications)?;
    hub.wait_for("Synced", count, LIMIT, &process)?;
    process.settle(Duration::from_secs(60))?;
    let by_timer = compared_by_timer(&process)?;
    let (compared, began) = (process.counted("argocd_app_reconcile_count")?, Instant::now());
    let rounds = setting.count(40, 10);
    let (mut live, mut healthy) = (Vec::new(), Vec::new());
    for round in 1..=rounds {
        let name = &names[round * 7 % count];
        let file = format!("apps/{name}/map.yaml");
        let revision = repository.change(&file, &manifest(name, round))?;
        let began = Instant::now();
        tell(&process, &url, &[&file])?;
        until(&mut hub, &format!("/api/v1/namespaces/default/configmaps/{name}"), |object| {
            object["data"]["value"].as_str() == Some(round.to_string().as_str())
        })?;
        live.push(began.elapsed().as_secs_f64() * 1000.0);
        until(&mut hub, &format!("{APPLICATIONS}/{name}"), |object| {
            let status = &object["status"];
            object["operation"].is_null()
                && status["sync"]["status"] == "Synced"
                && status["health"]["status"] == "Healthy"
                && status["operationState"]["syncResult"]["revision"] == revision.as_str()
        })?;
        healthy.push(began.elapsed().as_secs_f64() * 1000.0);
    }
    process.settle(Duration::from_secs(20))?;
    let by_timer = by_timer * began.elapsed().as_secs_f64();
    let compared = (process.counted("argocd_app_reconcile_count")? - compared - by_timer) / rounds as f64;
    let of = |values: &mut [f64], share| percentile(values, share);
    let spread =
        |values: &mut [f64]| format!("p95 {:.0} ms, p99 {:.0} ms", of(values, 0.95), of(values, 0.99));
    Ok(vec![
        Figure::new(format!("told push to first apply, 1 of {count}, p50"), of(&mut live, 0.5), "ms")
            .budget(1000.0)
            .note(spread(&mut live)),
        Figure::new("  until healthy, p50", of(&mut healthy, 0.5), "ms").note(spread(&mut healthy)),
        Figure::new("  applications compared per push", compared, "")
            .note(format!(
                "one push concerns one application; an operation compares it again; the timer's {by_timer:.0} meanwhile are left out"
            )),
    ])
}

/// How many applications are compared in a second when nothing happens.
fn compared_by_timer(process: &Component) -> Result<f64> {
    let (compared, began) = (process.counted("argocd_app_reconcile_count")?, Instant::now());
    std::thread::sleep(Duration::from_secs(30));
    Ok((process.counted("argocd_app_reconcile_count")? - compared) / began.elapsed().as_secs_f64())
}

/// Tells of a push as GitHub does.
fn tell(server: &Component, url: &str, files: &[&str]) -> Result<()> {
    let url = url.trim_end_matches(".git");
    let body = json!({
        "ref": "refs/heads/main", "before": "0123456789012345678901234567890123456789",
        "after": "9876543210987654321098765432109876543210", "forced": false, "created": false,
        "repository": {"html_url": url, "clone_url": format!("{url}.git"), "default_branch": "main"},
        "commits": [{"added": [], "removed": [], "modified": files}],
    })
    .to_string();
    let mut stream = TcpStream::connect(("127.0.0.1", server.port)).context("reach the api-server")?;
    let length = body.len();
    write!(
        stream,
        "POST /api/webhook HTTP/1.0\r\nHost: localhost\r\nContent-Type: application/json\r\nX-GitHub-Event: push\r\nContent-Length: {length}\r\n\r\n{body}"
    )
    .context("tell of a push")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).context("read the answer")?;
    if !answer.starts_with("HTTP/1.0 200") {
        bail!("the webhook was answered {:?}", answer.lines().next().unwrap_or_default());
    }
    Ok(())
}
