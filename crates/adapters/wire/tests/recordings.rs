//! What the original answered over REST: its JSON must survive the way through protobuf to the letter, and requests
//! it refused must be refused with its words. One file under `cases/rest/` is one test.

use std::path::Path;

use http::Method;
use wire::bind::bind;
use wire::gateway::{clean_path, error_body};
use wire::route::{Lookup, Route, lookup};
use wire::transcode::{self, Fields};

/// Error texts that come from reading the request and not from the services.
const OF_THE_GATEWAY: &[&str] = &[
    "json: cannot",
    "strconv.",
    "type mismatch, parameter",
    "invalid character",
    "grpc: error while marshaling",
];

/// Below these the original has no addresses with slashes; ours has (docs/differences.md).
const NAMED_BY_OURS: [&str; 2] = ["/api/v1/write-repositories/", "/api/v1/write-repocreds/"];

struct Exchange {
    verb: Method,
    path: String,
    query: String,
    body: String,
    status: u16,
    content_type: String,
    answer: String,
}

fn read(text: &str) -> Exchange {
    let (request, response) = text.split_once("\n>>>\n").expect("a case has a request and a response");
    let (head, body) = request.split_once("\n\n").unwrap_or((request, ""));
    let (verb, target) = head.lines().next().and_then(|line| line.split_once(' ')).expect("verb and path");
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let (status, answer) = response.split_once("\n\n").unwrap_or((response, ""));
    let (status, content_type) = status.trim().split_once(' ').unwrap_or((status.trim(), ""));
    Exchange {
        verb: verb.parse().expect("an HTTP verb"),
        path: path.to_owned(),
        query: query.to_owned(),
        body: body.to_owned(),
        status: status.parse().expect("a status"),
        content_type: content_type.to_owned(),
        answer: answer.trim_end_matches('\n').to_owned(),
    }
}

fn check(path: &Path) -> datatest_stable::Result<()> {
    let exchange = read(&std::fs::read_to_string(path)?);
    if let Some(clean) = clean_path(&exchange.path) {
        same(307, exchange.status)?;
        return same(0, clean.matches("//").count());
    }
    let (route, variables) = match lookup(&exchange.verb, &exchange.path) {
        Lookup::Found(route, variables) => (route, variables),
        Lookup::WrongVerb(..) => {
            return same(if exchange.status == 415 { 415 } else { 405 }, exchange.status);
        }
        Lookup::NotFound => return same(if exchange.status == 415 { 415 } else { 404 }, exchange.status),
    };
    if exchange.status == 415 {
        return Ok(());
    }
    if exchange.content_type.starts_with("text/plain") {
        if NAMED_BY_OURS.iter().any(|prefix| exchange.path.starts_with(prefix)) {
            return same(404, exchange.status);
        }
        return Err(format!("found {}, but the original had no such route", route.template).into());
    }
    if exchange.status == 200 {
        answered(route, &exchange)
    } else if route.client_streaming {
        Ok(())
    } else {
        refused(route, &variables, &exchange)
    }
}

/// The recorded answer, through protobuf and back.
fn answered(route: &Route, exchange: &Exchange) -> datatest_stable::Result<()> {
    let parameter = |name: &str| {
        let pairs: Vec<_> = url::form_urlencoded::parse(exchange.query.as_bytes()).collect();
        pairs
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.clone().into_owned())
            .unwrap_or_default()
    };
    let masked = ["List", "Watch", "WatchResourceTree", "ManagedResources"].contains(&route.method.as_str());
    let fields = Fields::parse(&parameter("fields")).filter(|_| masked);
    if parameter("download") == "true" {
        return Ok(());
    }
    if route.server_streaming {
        for line in exchange.answer.lines().filter(|line| !line.is_empty()) {
            let line = line.strip_prefix("data: ").unwrap_or(line).trim_end();
            let inner = line.strip_prefix("{\"result\":").and_then(|line| line.strip_suffix('}'));
            let inner = inner.ok_or("a line of a stream holds a result")?;
            let mut json = Vec::new();
            let mut bytes = transcode::from_json(&route.response, inner.as_bytes())?;
            if inner.contains("\"timeStamp\":null") {
                // A pointer to Go's zero time: the field is there and empty, which JSON cannot say.
                bytes.extend([0x12, 0]);
            }
            transcode::to_json_at(&route.response, &bytes, fields.as_ref(), "result", &mut json)?;
            same(inner, std::str::from_utf8(&json)?)?;
        }
        return Ok(());
    }
    let mut answer = exchange.answer.clone();
    if fields.is_some() && answer.contains("\"operationState\"") {
        answer = sync_results_in_place(&answer)?;
    }
    let bytes = transcode::from_json(&route.response, answer.as_bytes())?;
    let mut json = Vec::new();
    if route.service == "application.ApplicationService" && route.method == "List" {
        transcode::application_list_to_json(&bytes, fields.as_ref(), &mut json)?;
    } else {
        transcode::to_json_at(&route.response, &bytes, fields.as_ref(), "", &mut json)?;
    }
    same(exchange.answer.as_str(), std::str::from_utf8(&json)?)
}

/// A list with chosen fields has the sync result where the operation's sync belongs; the message has it elsewhere.
fn sync_results_in_place(answer: &str) -> datatest_stable::Result<String> {
    let mut answer: serde_json::Value = serde_json::from_str(answer)?;
    for item in answer["items"].as_array_mut().into_iter().flatten() {
        if let Some(state) =
            item.pointer_mut("/status/operationState").and_then(serde_json::Value::as_object_mut)
            && let Some(mut operation) = state.remove("operation")
        {
            state.insert("syncResult".to_owned(), operation["sync"].take());
        }
    }
    Ok(answer.to_string())
}

/// A request that the gateway itself refused, or that it must let through to the service that refused it.
fn refused(route: &Route, variables: &[(&str, String)], exchange: &Exchange) -> datatest_stable::Result<()> {
    let of_the_gateway =
        OF_THE_GATEWAY.iter().any(|text| exchange.answer.starts_with(&format!("{{\"error\":\"{text}")));
    match bind(route, variables, &exchange.query, exchange.body.as_bytes()) {
        Ok(_) if of_the_gateway => Err(format!("must be refused: {}", exchange.answer).into()),
        Ok(_) => Ok(()),
        Err(error) => {
            let status = tonic::Status::new(error.code, error.message);
            let body = String::from_utf8(error_body(&status))?;
            same(exchange.answer.as_str(), body.as_str())?;
            same(exchange.status, wire::gateway::http_status(status.code()).as_u16())
        }
    }
}

fn same<T: Copy + PartialEq + std::fmt::Display>(expected: T, actual: T) -> datatest_stable::Result<()> {
    if expected == actual {
        Ok(())
    } else {
        Err(format!("\n  original: {expected}\n  ours:     {actual}").into())
    }
}

datatest_stable::harness! { { test = check, root = "../../../cases/rest", pattern = r"\.http$" } }
