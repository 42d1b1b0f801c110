//! Replays recorded conversations over gRPC, with the program they were recorded with, and over gRPC-web.

use super::http;
use super::report::Outcome;
use super::rest::{Callers, FOREIGN};
use super::stage::Stage;
use crate::run::root;
use anyhow::{Context, Result};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;
use transcripts::{Answer, Exchange, Mismatch, Record, Request, compare_calls, compare_frames, unhex};

/// Where the recorder's repositories were.
const RECORDED: &str = "http://127.0.0.1:9190/git";
/// A stream that says nothing for this long is over.
const QUIET: Duration = Duration::from_secs(2);
const LIMIT: Duration = Duration::from_secs(10);
/// How long a stream of the original was listened to.
const STREAM: &str = "3";
/// Whose token was sent where it was not the administrator's.
const CALLERS: &[(&str, &str)] =
    &[("15", "bad"), ("16", FOREIGN), ("21", "ALICE"), ("28", "ALICE"), ("29", "ALICE"), ("30", "ALICE")];

/// One recorded call, made again.
pub(super) fn replay(stage: &mut Stage, callers: &mut Callers, id: &str, text: &str) -> Result<Outcome> {
    callers.prepare(stage)?;
    let caller = CALLERS.iter().find(|(record, _)| id.starts_with(record)).map_or("ADMIN", |(_, who)| who);
    let token = if caller.chars().all(char::is_uppercase) { callers.token(caller) } else { caller };
    if text.lines().any(|line| line.starts_with("$ grpcurl")) {
        let record = Record::parse(text)?;
        let recorded =
            Answer { output: record.answer.output.replace("Bearer bad", "Bearer <token>"), ..record.answer };
        let answered = call(stage, &record.call.words, token, text.contains("DeadlineExceeded"))?;
        let asked = format!("$ grpcurl {}", record.call.words.join(" "));
        return Ok(outcome(&asked, compare_calls(&recorded, &answered, &stage.replacements())));
    }
    let exchange = Exchange::parse(text)?;
    let concrete = |text: &str| stage.replacements().concrete(&text.replace("<token>", token));
    let headers = exchange.request.headers.iter().map(|(name, value)| (name.clone(), concrete(value)));
    let body = unhex(&exchange.request.body);
    let request = Request { headers: headers.collect(), body: String::new(), ..exchange.request.clone() };
    let (answered, bytes) = http::send_bytes(&stage.server_address(), &request, &body, QUIET, LIMIT)?;
    let replacements = stage.replacements();
    let address = (replacements.concrete("<repo>"), RECORDED);
    let compared =
        compare_frames(&exchange.response, &answered, &bytes, (&address.0, address.1), &replacements);
    Ok(outcome(&format!("{} {}", request.method, request.target), compared))
}

fn outcome(asked: &str, compared: Result<(), Mismatch>) -> Outcome {
    match compared {
        Ok(()) => Outcome::Passed,
        Err(mismatch) => Outcome::Failed(format!("{asked}\n{mismatch}")),
    }
}

/// Runs `grpcurl` with the recorded words; what the recorder left out of them is the list of descriptions.
fn call(stage: &mut Stage, words: &[String], token: &str, endless: bool) -> Result<Answer> {
    if words.iter().any(|word| word == "<repo-server>") {
        stage.serve_repositories()?;
    }
    let replacements = stage.replacements();
    let mut arguments: Vec<String> = Vec::new();
    if endless {
        arguments.extend(["-max-time".into(), STREAM.into()]);
    }
    let mut words = words.iter();
    while let Some(word) = words.next() {
        if word == "-proto" && words.as_slice().first().is_some_and(|word| word == "...") {
            words.next();
            let folder = root().join("proto");
            arguments.extend(["-import-path".into(), folder.display().to_string()]);
            for path in descriptions(&folder)? {
                arguments.extend(["-proto".into(), path.display().to_string()]);
            }
        } else {
            arguments.push(replacements.concrete(&word.replace("<token>", token)));
        }
    }
    let output = Command::new(testkit::go_tools::grpcurl()?)
        .args(&arguments)
        .stdin(Stdio::null())
        .output()
        .context("run grpcurl")?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).replace(token, "<token>");
    Ok(Answer { exit: output.status.code(), output: text(&output.stdout), errors: text(&output.stderr) })
}

/// The files that describe services, by their path below the folder.
fn descriptions(folder: &Path) -> Result<Vec<PathBuf>> {
    let (mut left, mut found) = (vec![folder.to_owned()], Vec::new());
    while let Some(next) = left.pop() {
        for entry in fs::read_dir(&next).with_context(|| format!("list {}", next.display()))? {
            let path = entry?.path();
            if path.is_dir() {
                left.push(path);
            } else if fs::read_to_string(&path)?.lines().any(|line| line.starts_with("service ")) {
                found.push(path.strip_prefix(folder).unwrap_or(&path).to_owned());
            }
        }
    }
    found.sort();
    Ok(found)
}
