//! Every payload of `cases/payloads` (written after the providers' documents) and `cases/recorded` (what the original
//! answered): a request in, what it says and the answer out. `UPDATE=1` rewrites the former.

#![expect(clippy::needless_pass_by_value, reason = "the harness passes the text by value")]

use std::path::Path;

use serde_json::{Value, json};
use webhook::{Audience, Request, Secrets, receive};

struct Case {
    audience: Audience,
    secrets: Secrets,
    method: String,
    query: String,
    headers: Vec<(String, String)>,
    body: String,
    expected: String,
    head: String,
}

fn parse(text: &str) -> Case {
    let (head, expected) = text.split_once("\n=>\n").expect("a case has an expectation");
    let mut parts = head.splitn(3, "\n\n");
    let mut part = || parts.next().unwrap_or_default();
    let (settings, request, body) = (part(), part(), part());
    let secret = |key: &str| {
        let start = format!("secret {key}: ");
        settings.lines().find_map(|line| line.strip_prefix(&start)).map(str::to_owned)
    };
    let mut lines = request.lines();
    let (method, path) = lines.next().and_then(|line| line.split_once(' ')).expect("a request line");
    let header = |line: &str| {
        let (name, value) = line.split_once(": ").expect("a header");
        (name.to_owned(), value.to_owned())
    };
    Case {
        audience: match settings.lines().find_map(|line| line.strip_prefix("audience: ")) {
            Some("applicationsets") => Audience::ApplicationSets,
            Some("pull requests") => Audience::ApplicationsAndPullRequests,
            _ => Audience::Applications,
        },
        secrets: Secrets::from_data(secret),
        method: method.to_owned(),
        query: path.split_once('?').map_or("", |(_, query)| query).to_owned(),
        headers: lines.map(header).collect(),
        body: body.to_owned(),
        expected: expected.to_owned(),
        head: head.to_owned(),
    }
}

impl Case {
    /// The answer, and what was understood.
    fn run(&self) -> (String, Value) {
        let headers: Vec<_> =
            self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let request = Request {
            method: &self.method,
            query: &self.query,
            headers: &headers,
            body: Some(self.body.as_bytes()),
            limit_megabytes: 50,
        };
        let reception = receive(&request, &self.secrets, self.audience);
        let answer = reception.answer(&request, self.audience);
        let understood = match &reception.outcome {
            Ok(event) => serde_json::to_value(event).expect("an event is JSON"),
            Err(refusal) => json!({
                "refused": refusal.to_string(), "provider": reception.provider, "warning": reception.warning,
            }),
        };
        (format!("{}\n{}", answer.status, answer.body), understood)
    }
}

fn payload(path: &Path, text: String) -> datatest_stable::Result<()> {
    let case = parse(&text);
    let (answer, understood) = case.run();
    let actual = format!("{answer}{}\n", serde_json::to_string_pretty(&understood)?);
    #[expect(clippy::disallowed_methods, reason = "a test may be asked to rewrite its expectation")]
    let update = std::env::var_os("UPDATE").is_some();
    if update {
        #[expect(clippy::disallowed_methods, reason = "a test rewrites its own expectation")]
        std::fs::write(path, format!("{}\n=>\n{actual}", case.head))?;
    } else if actual != case.expected {
        return Err(format!("expected\n{}\nfound\n{actual}", case.expected).into());
    }
    Ok(())
}

fn recorded(_: &Path, text: String) -> datatest_stable::Result<()> {
    let case = parse(&text);
    let (answer, _) = case.run();
    if answer != case.expected {
        return Err(format!("expected\n{}\nfound\n{answer}", case.expected).into());
    }
    Ok(())
}

datatest_stable::harness! {
    { test = payload, root = "cases/payloads", pattern = r"\.case$" },
    { test = recorded, root = "cases/recorded", pattern = r"\.case$" },
}
