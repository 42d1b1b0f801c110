//! Recordings of the original, one for each service: its configuration sends the same requests here, and what comes of the
//! answers is the same. `cases/recorded` is never rewritten.

mod common;

use common::{Application, REVISION};
use deliver::{Services, World};
use notify::{Config, Destination, Origin};
use object::Secret;
use rsa::pkcs1::EncodeRsaPrivateKey as _;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::OnceLock;
use testkit::sink::{Answer, HttpSink, Received};

/// A recorded exchange over HTTP.
#[derive(Debug)]
struct Exchange {
    first: String,
    headers: Vec<(String, String)>,
    body: String,
    status: u16,
    answer: String,
}

/// Headers that are the client library's own.
const IGNORED: [&str; 9] = [
    "host",
    "user-agent",
    "content-length",
    "accept-encoding",
    "amz-sdk-invocation-id",
    "amz-sdk-request",
    "x-amz-date",
    "connection",
    "accept",
];

fn exchanges(text: &str) -> Vec<Exchange> {
    let outgoing = text.split("\n--- outgoing").nth(1).and_then(|rest| rest.split_once('\n'));
    let outgoing = outgoing.map_or("", |(_, rest)| rest).split("\n--- ").next().unwrap_or_default();
    let mut found = Vec::new();
    let mut rest = outgoing;
    while let Some((request, after)) = rest.split_once("\n=> answered ") {
        let (answer, more) = after.split_once('\n').unwrap_or((after, ""));
        rest = more.trim_start_matches('\n');
        let (head, body) = request.split_once("\n\n").unwrap_or((request, ""));
        let mut lines = head.lines();
        let first = lines.next().unwrap_or_default().to_owned();
        let headers = lines.filter_map(|line| line.split_once(": "));
        let headers = headers.map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())).collect();
        let (status, answer) = answer.split_once(' ').expect("a status and a body");
        found.push(Exchange {
            first,
            headers,
            body: body.to_owned(),
            status: status.parse().expect("a status"),
            // Bodies that are no JSON are recorded as a quoted text.
            answer: serde_json::from_str::<String>(answer).unwrap_or_else(|_| answer.to_owned()),
        });
    }
    found
}

/// `POST [https api.example:443] /path` is `POST /@api.example/path` at the sink.
fn target(first: &str) -> String {
    match first.split_once(" [https ") {
        None => first.to_owned(),
        Some((method, rest)) => {
            let (host, path) = rest.split_once(":443] ").expect("a host and a path");
            format!("{method} /@{host}{path}")
        }
    }
}

fn world(sink: &HttpSink) -> World {
    let hosts = [
        "api.pagerduty.com",
        "events.pagerduty.com",
        "api.telegram.org",
        "api.pushover.net",
        "api.opsgenie.com",
    ];
    let instead = hosts.map(|host| (format!("https://{host}"), format!("{}/@{host}", sink.url())));
    let mut world = World::new(BTreeMap::new());
    world.instead = instead.into();
    world
}

/// The configuration of all recordings, with the service as this recording has it.
fn config(folder: &Path, recording: &str, sink: &HttpSink, key: &str) -> Config {
    let address = format!("127.0.0.1:{}", sink.port);
    let text = std::fs::read_to_string(folder.join("00-config.yaml")).expect("the configuration");
    let text = text.replace("<sink>", &address);
    let data = object::yaml::decode(text.as_bytes()).expect("YAML");
    let mut data: BTreeMap<String, String> = serde_json::from_value(data).expect("texts");
    let own = recording.split("\nservice.").nth(1).and_then(|rest| rest.split("---").next());
    if let Some((name, options)) = own.and_then(|own| own.split_once(": |\n")) {
        data.insert(format!("service.{name}"), options.replace("<sink>", &address));
    }
    let secrets = [
        ("slack-token", "xoxb-fixture"),
        ("hook-token", "hook-value"),
        ("hidden", "hidden-value"),
        ("github-privateKey", key),
    ];
    let secrets = secrets.map(|(key, value)| (key.to_owned(), Secret::new(value.as_bytes().to_vec())));
    Config::parse(&data, secrets.into(), Origin::default()).expect("a configuration")
}

fn shown(request: &Received) -> (String, Vec<(String, String)>, String) {
    let headers = request.headers.iter().filter(|(name, _)| !IGNORED.contains(&name.as_str()));
    let mut headers: Vec<_> = headers.map(|(name, value)| (name.clone(), normal(value))).collect();
    headers.sort();
    (normal(&format!("{} {}", request.method, request.target)), headers, body(&request.body))
}

fn expected(exchange: &Exchange) -> (String, Vec<(String, String)>, String) {
    let headers = exchange.headers.iter().filter(|(name, _)| !IGNORED.contains(&name.as_str()));
    let mut headers: Vec<_> = headers.map(|(name, value)| (name.clone(), normal(value))).collect();
    headers.sort();
    (normal(&target(&exchange.first)), headers, body(&exchange.body))
}

#[expect(clippy::needless_pass_by_value, reason = "the harness passes the text by value")]
fn recorded(path: &Path, text: String) -> datatest_stable::Result<()> {
    boot::crypto();
    let exchanges = exchanges(&text);
    if exchanges.is_empty() {
        // Mail and NATS speak other protocols: `mail.rs` and `requests.rs`.
        return Ok(());
    }
    let sink = HttpSink::start()?;
    for exchange in &exchanges {
        let same = exchanges.iter().filter(|other| other.first == exchange.first);
        let answers: Vec<_> = same
            .map(|other| {
                let body = other.answer.replace("<sink>", &format!("127.0.0.1:{}", sink.port));
                Answer::new(other.status, &body.replace("<time>", "2999-01-01T00:00:00Z"))
            })
            .collect();
        // The query's order is the client's.
        let target = target(&exchange.first);
        let target = target.split('?').next().unwrap_or_default();
        sink.answer(&target.replace("<sha:apps-4>", REVISION), answers);
    }
    let config = config(path.parent().expect("a folder"), &text, &sink, &rsa_key());
    let services = Services::new(&config, &world(&sink))?;
    let subscription = text.split("subscribe.on-lab.").nth(1).expect("a subscription");
    let line = subscription.lines().next().unwrap_or_default();
    let (service, recipients) = line.split_once([':', '=']).expect("a service");
    let recipients = recipients.trim().trim_matches(['\'', '"']);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut failures = Vec::new();
    for recipient in recipients.split(';') {
        let destination = Destination { service: service.to_owned(), recipient: recipient.to_owned() };
        let notification = Application::recorded().notification(&config, "lab", &destination)?;
        if let Err(failure) = runtime.block_on(services.send(&notification, &destination)) {
            failures.push(failure.to_string());
        }
    }
    let received: Vec<_> = sink.requests().iter().map(shown).collect();
    let wanted: Vec<_> = exchanges.iter().map(expected).collect();
    if received != wanted {
        return Err(format!("requests are\n{received:#?}\nand were\n{wanted:#?}").into());
    }
    outcome(&text, &failures, &sink)
}

/// JSON by what it says: the order of its members says nothing.
fn body(text: &str) -> String {
    let text = normal(text);
    serde_json::from_str::<serde_json::Value>(&text).map_or(text, |value| value.to_string())
}

/// What was told of the failure, or that there was none.
fn outcome(text: &str, failures: &[String], sink: &HttpSink) -> datatest_stable::Result<()> {
    // The recording server left out headers that the original's library insists on; ours needs none.
    let failed = text.contains("<absent>") && !text.contains("invalid headers in server response");
    if !failed {
        return if failures.is_empty() { Ok(()) } else { Err(format!("failed: {failures:?}").into()) };
    }
    let said = text.lines().find_map(|line| line.strip_prefix("error: Failed to notify recipient "));
    let said = said.and_then(|line| line.split_once("argocd/notif: ")).map(|(_, rest)| rest);
    let said = said.and_then(|rest| rest.rsplit_once(" using the configuration")).expect("an error").0;
    // The path is configured, and may be all there is of a password: it is not told.
    let said = said.replace("<sink>/flaky", &format!("127.0.0.1:{}/+++++", sink.port));
    if failures != [said.clone()] {
        return Err(format!("{failures:?}, and it was {said:?}").into());
    }
    Ok(())
}

/// A key for apps of GitHub, made once.
fn rsa_key() -> String {
    static KEY: OnceLock<String> = OnceLock::new();
    let make = || {
        let key = rsa::RsaPrivateKey::new(&mut rsa::rand_core::OsRng, 2048).expect("a key");
        key.to_pkcs1_pem(rsa::pkcs1::LineEnding::LF).expect("PEM").to_string()
    };
    KEY.get_or_init(make).clone()
}

/// The text with placeholders for what varies.
fn normal(text: &str) -> String {
    let text = text.replace(REVISION, "<sha:apps-4>");
    let text = masked(&text, "\"time\":", |it| it.is_ascii_digit(), "0");
    let text = masked(&text, "\"startsAt\":\"", |it| it != '"', "<time>");
    let text = masked(&text, "\"cardId\":\"", |it| it != '"', "<uid>");
    let text = masked(&text, "Bearer ey", |it| it != ' ', "");
    let text = text.replace("Bearer ey", "Bearer <token>");
    let text = masked(&text, "Signature=", |_| true, "<sig>");
    let text = masked(&text, "SignedHeaders=", |it| it != ',', "<headers>");
    let text = masked(&text, "Credential=AK/", |it| it != '/', "<date>");
    // Ports of sinks.
    masked(&text, "http://127.0.0.1:", |it| it.is_ascii_digit(), "")
        .replace("http://127.0.0.1:", "http://<sink>")
}

/// What follows a mark, as long as it is of a kind, is replaced.
fn masked(text: &str, mark: &str, is: impl Fn(char) -> bool, with: &str) -> String {
    let mut result = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(mark) {
        let (before, after) = rest.split_at(at + mark.len());
        result.push_str(before);
        result.push_str(with);
        rest = after.trim_start_matches(&is);
    }
    result + rest
}

datatest_stable::harness! { { test = recorded, root = "cases/recorded", pattern = r".*\.txt$" } }
