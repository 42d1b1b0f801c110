//! What clients of an api-server with many applications wait for: the whole list, its first page, one application, an
//! event at five hundred watchers; and how many permissions are checked in a second.

use super::Setting;
use super::figure::{Figure, percentile};
use super::hub::{APPLICATIONS, Hub, NAMESPACE, application};
use super::process::Component;
use crate::run::{cargo, root};
use anyhow::{Context, Result, bail};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::time::{Duration, Instant};
use testkit::redis::Redis;

const LIMIT: Duration = Duration::from_secs(60);
const WATCHERS: usize = 500;
/// Lines of the policy of whoever asks.
const LINES: usize = 500;
/// What a page with a row for each application shows.
const ROWS: &str = "items.metadata.name,items.metadata.namespace,items.metadata.creationTimestamp,items.metadata.labels,\
items.spec.project,items.spec.destination,items.spec.source,items.status.sync.status,items.status.health,\
items.operation.sync,items.status.operationState.phase";
/// Clients that ask at the same time.
const CLIENTS: usize = 4;

pub(crate) fn run(setting: &Setting) -> Result<Vec<Figure>> {
    let count = setting.count(10_000, 1000);
    let mut hub = Hub::start(setting)?;
    let redis = Redis::start()?;
    let server = hub.api_server(testkit::free_port()?, redis.port)?;
    let applications: Vec<Value> = (0..count)
        .map(|number| application(&format!("app-{number:05}"), "https://git.example/apps", "app", "default"))
        .collect();
    hub.fill(APPLICATIONS, &applications)?;
    server.settle(LIMIT)?;
    let admin = log_in(&mut hub, &server)?;
    let token = reader(&mut hub, &server, &admin)?;
    let mut figures = vec![Figure::new(
        format!("api-server with {count} applications and {LINES} lines of policy, resident"),
        server.resident()?,
        "MiB",
    )];
    let page = format!("/api/v1/applications?limit=100&fields={ROWS}");
    let (times, bytes) = ask(&server, &token, &page, setting.count(2000, 200))?;
    figures.extend(answers("first page of 100", times, Some(100.0)));
    figures.push(Figure::new("  its size", bytes as f64 / 1000.0, "kB").budget(50.0));
    let (times, bytes) =
        ask(&server, &token, &format!("/api/v1/applications?fields={ROWS}"), setting.count(40, 8))?;
    figures.extend(answers("the whole list, chosen fields", times, None));
    figures.push(Figure::new("  its size", bytes as f64 / 1e6, "MB"));
    let (times, _) = ask(&server, &token, "/api/v1/applications", setting.count(20, 4))?;
    figures.extend(answers("the whole list", times, None));
    let one = "/api/v1/applications/app-00007?project=default";
    let (times, _) = ask(&server, &token, one, setting.count(10_000, 1000))?;
    figures.extend(answers("one application", times, None));
    figures.extend(watches(&mut hub, &server, &token)?);
    figures.extend(permissions()?);
    Ok(figures)
}

fn log_in(hub: &mut Hub, server: &Component) -> Result<String> {
    let path = format!("/api/v1/namespaces/{NAMESPACE}/secrets/argocd-initial-admin-secret");
    let secret =
        testkit::poll(LIMIT, || hub.client.get(&path).ok().flatten()).context("no password was made")?;
    let password = STANDARD.decode(secret["data"]["password"].as_str().unwrap_or_default())?;
    let body = json!({"username": "admin", "password": String::from_utf8(password)?}).to_string();
    let mut client = Client::connect(server.port)?;
    let answer = client.send(&format!(
        "POST /api/v1/session HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    ))?;
    let answer: Value = serde_json::from_slice(&answer).context("log in")?;
    Ok(answer["token"].as_str().context("log in: no token came")?.to_owned())
}

/// The token of somebody who may see the applications by the last of many lines.
fn reader(hub: &mut Hub, server: &Component, admin: &str) -> Result<String> {
    let line = |number: usize| format!("p, reader, applications, get, team-{number}/*, allow\n");
    let mut lines: String = (1..LINES).map(line).collect();
    lines += "p, reader, applications, get, default/*, allow\n";
    let settings = |name: &str| format!("/api/v1/namespaces/{NAMESPACE}/configmaps/{name}");
    hub.client.merge(&settings("argocd-cm"), &json!({"data": {"accounts.reader": "apiKey"}}))?;
    hub.client.merge(&settings("argocd-rbac-cm"), &json!({"data": {"policy.csv": lines}}))?;
    let asked = format!(
        "POST /api/v1/account/reader/token HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {admin}\r\n\
         Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{{}}"
    );
    let one = get("/api/v1/applications/app-00007?project=default", "TOKEN");
    let token = testkit::poll(LIMIT, || {
        let answer = Client::connect(server.port).ok()?.send(&asked).ok()?;
        let token = serde_json::from_slice::<Value>(&answer).ok()?["token"].as_str()?.to_owned();
        // Until the policy is known, nothing may be seen.
        Client::connect(server.port).ok()?.send(&one.replace("TOKEN", &token)).ok().map(|_| token)
    });
    token.context("no account with many policy lines came to be")
}

/// Milliseconds of each answer, the number of requests a second, and the size of an answer.
fn ask(server: &Component, token: &str, path: &str, count: usize) -> Result<((Vec<f64>, f64), usize)> {
    let request = get(path, token);
    let began = Instant::now();
    let results = std::thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|_| {
                scope.spawn(|| -> Result<(Vec<f64>, usize)> {
                    let mut client = Client::connect(server.port)?;
                    let (mut times, mut size) = (Vec::new(), 0);
                    for _ in 0..count.div_ceil(CLIENTS) {
                        let began = Instant::now();
                        size = client.send(&request)?.len();
                        times.push(began.elapsed().as_secs_f64() * 1000.0);
                    }
                    Ok((times, size))
                })
            })
            .collect();
        clients
            .into_iter()
            .map(|client| client.join().map_err(|_| anyhow::anyhow!("a client ended unexpectedly"))?)
            .collect::<Result<Vec<_>>>()
    })?;
    let took = began.elapsed().as_secs_f64();
    let size = results.first().map_or(0, |(_, size)| *size);
    let times: Vec<f64> = results.into_iter().flat_map(|(times, _)| times).collect();
    let speed = times.len() as f64 / took;
    Ok(((times, speed), size))
}

fn answers(what: &str, (mut times, speed): (Vec<f64>, f64), budget: Option<f64>) -> Vec<Figure> {
    let p99 = Figure::new(format!("{what}, p99 of {}", times.len()), percentile(&mut times, 0.99), "ms");
    vec![
        match budget {
            Some(budget) => p99.budget(budget),
            None => p99,
        },
        Figure::new("  p50", percentile(&mut times, 0.5), "ms"),
        Figure::new(format!("  by {CLIENTS} clients"), speed, "/s"),
    ]
}

/// From a change in the cluster until each watcher, and until the last of them, has heard of it.
fn watches(hub: &mut Hub, server: &Component, token: &str) -> Result<Vec<Figure>> {
    let request = get(
        "/api/v1/stream/applications?name=app-00003&fields=result.type,result.application.metadata.name,result.application.metadata.labels",
        token,
    );
    let mut watchers = Vec::new();
    for _ in 0..WATCHERS {
        let mut client = Client::connect(server.port)?;
        client.write(&request)?;
        client.until("app-00003")?;
        watchers.push(client);
    }
    let (mut times, mut single) = (Vec::new(), Vec::new());
    for round in 0..20 {
        let label = format!("round-{round}");
        let patch = json!({"metadata": {"labels": {"round": label}}});
        let began = Instant::now();
        hub.client.merge(&format!("{APPLICATIONS}/app-00003"), &patch)?;
        for watcher in &mut watchers {
            watcher.until(&label)?;
            // They are read one after another: each has its event by then, and may have had it sooner.
            single.push(began.elapsed().as_secs_f64() * 1000.0);
        }
        times.push(began.elapsed().as_secs_f64() * 1000.0);
    }
    Ok(vec![
        Figure::new(
            format!("a change at each of {WATCHERS} watchers, p99 of {} events", single.len()),
            percentile(&mut single, 0.99),
            "ms",
        ),
        Figure::new("  p50", percentile(&mut single, 0.5), "ms"),
        Figure::new(
            format!("a change at the last of {WATCHERS} watchers, p50"),
            percentile(&mut times, 0.5),
            "ms",
        ),
        Figure::new("  the slowest of 20", percentile(&mut times, 1.0), "ms"),
        Figure::new("  api-server then, resident", server.resident()?, "MiB"),
    ])
}

/// Checks a second with 5,000 lines: measured by an example of the crate itself, which is built as servers are.
fn permissions() -> Result<Vec<Figure>> {
    let output = Command::new(cargo())
        .args([
            "run",
            "--quiet",
            "--package",
            "rbac",
            "--profile",
            super::PROFILE,
            "--example",
            "permissions",
        ])
        .current_dir(root())
        .output()
        .context("run the example of rbac")?;
    let text = String::from_utf8_lossy(&output.stdout);
    let numbers: Vec<f64> = text.lines().filter_map(|line| line.parse().ok()).collect();
    let [ours, casbin] = numbers[..] else {
        bail!("the example of rbac told no two numbers: {text}{}", String::from_utf8_lossy(&output.stderr));
    };
    Ok(vec![
        Figure::new("permission checks, 5,000 policy lines", ours, "/s")
            .note(format!("{:.0} times those of casbin", ours / casbin)),
        Figure::new("  the casbin crate alone", casbin, "/s"),
    ])
}

fn get(path: &str, token: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n")
}

/// A connection that stays open.
struct Client {
    stream: BufReader<TcpStream>,
}

impl Client {
    fn connect(port: u16) -> Result<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port)).context("reach the api-server")?;
        stream.set_read_timeout(Some(LIMIT))?;
        stream.set_nodelay(true)?;
        Ok(Self { stream: BufReader::with_capacity(64 << 10, stream) })
    }

    fn write(&mut self, request: &str) -> Result<()> {
        self.stream.get_mut().write_all(request.as_bytes()).context("ask the api-server")
    }

    /// Sends a request; the body of its answer, which must be a good one.
    fn send(&mut self, request: &str) -> Result<Vec<u8>> {
        self.write(request)?;
        let (status, mut length, mut chunked) = (self.line()?, None, false);
        loop {
            let line = self.line()?.to_ascii_lowercase();
            if line.is_empty() {
                break;
            }
            if let Some(value) = line.strip_prefix("content-length:") {
                length = value.trim().parse::<usize>().ok();
            }
            chunked |= line == "transfer-encoding: chunked";
        }
        let mut body = Vec::new();
        if chunked {
            while let Some(part) = self.chunk()? {
                body.extend(part);
            }
        } else {
            body = vec![0; length.unwrap_or(0)];
            self.stream.read_exact(&mut body)?;
        }
        if !status.contains(" 200") {
            bail!("the api-server says {status}: {}", String::from_utf8_lossy(&body));
        }
        Ok(body)
    }

    fn chunk(&mut self) -> Result<Option<Vec<u8>>> {
        let line = self.line()?;
        let length = usize::from_str_radix(line.trim(), 16)
            .with_context(|| format!("a chunk begins with {line:?}"))?;
        let mut part = vec![0; length];
        self.stream.read_exact(&mut part)?;
        self.line()?;
        Ok(Some(part).filter(|part| !part.is_empty()))
    }

    /// Reads lines until one holds a text.
    fn until(&mut self, text: &str) -> Result<()> {
        while !self.line()?.contains(text) {}
        Ok(())
    }

    fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        if self.stream.read_line(&mut line).context("read an answer")? == 0 {
            bail!("the api-server closed the connection");
        }
        Ok(line.trim_end().to_owned())
    }
}
