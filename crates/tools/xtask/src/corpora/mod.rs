//! `cargo xtask corpora transcripts`: the recorded conversations with the original, held with our own servers. What has
//! passed once must go on passing; `crates/tools/transcripts/passing.txt` is the list.

mod differing;
mod grpc;
mod http;
mod interludes;
mod moments;
mod notifications;
mod report;
mod rest;
mod shapes;
mod stage;
mod webhooks;

use crate::prerequisites;
use crate::run::{built, cargo, root, step};
use anyhow::{Context, Result, bail};
use report::{Outcome, Report};
use stage::Stage;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use transcripts::{Exchange, Record, compare, compare_responses};

/// How long what is read may take to become what was recorded, for a case that is known to pass, and for another.
const PATIENCE: [Duration; 2] = [Duration::from_secs(20), Duration::from_secs(3)];
const PASSING: &str = "crates/tools/transcripts/passing.txt";
const DIFFERING: &str = "crates/tools/transcripts/differing.txt";
const PASSING_OBJECTS: &str = "crates/tools/transcripts/passing-objects.txt";

#[derive(Default)]
struct Wanted {
    corpora: Option<PathBuf>,
    binary: Option<PathBuf>,
    /// What is called as the command line, where it is not ours.
    client: Option<PathBuf>,
    phases: Vec<String>,
    filter: String,
    until: Option<String>,
    keep: bool,
    verbose: bool,
    bless: bool,
    /// Whether objects between the calls are left alone.
    calls_only: bool,
}

pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let wanted = Wanted::parse(arguments)?;
    let given = wanted.corpora.clone().unwrap_or_else(crate::originals::corpora_folder);
    let beneath = given.join("transcripts");
    let corpora = if beneath.is_dir() { beneath } else { given };
    let cases = cases(&corpora, &wanted)?;
    prerequisites::demo()?;
    let binary = match &wanted.binary {
        Some(binary) => binary.clone(),
        None => {
            step("build argocd", &cargo(), &["build", "--package", "argocd", "--quiet"])?;
            built("debug", "argocd")?
        }
    };
    let passing_paths = [root().join(PASSING), root().join(PASSING_OBJECTS)];
    let lists: String = passing_paths.iter().flat_map(fs::read_to_string).collect();
    let names = lists.lines().filter(|line| !line.starts_with('#'));
    let passing: BTreeSet<String> = names.map(str::to_owned).collect();
    if wanted.bless && wanted.client.is_some() {
        bail!("--bless keeps what our own command line passes: leave --client out");
    }
    let differing = differing::Differing::read()?;
    let left_out = moments::left_out(&corpora)?;
    let mut stage = Stage::build(&corpora, binary)?;
    stage.client.clone_from(&wanted.client);
    let mut report = Report::new(wanted.verbose, passing, reasons()?);
    let mut callers = rest::Callers::default();
    for case in &cases {
        // Objects were read after whatever was done before the call.
        interludes::before(case.id(), &mut stage)?;
        if !wanted.calls_only {
            look(case, &wanted, &stage, &differing, &mut report)?;
        }
        let outcome = replay(case, &mut stage, &mut callers, &report)
            .with_context(|| format!("{}; the server's log: {}", case.name, stage.log_path().display()));
        let outcome = match outcome {
            Ok(outcome) => outcome,
            Err(error) => Outcome::Failed(format!("{error:#}")),
        };
        if wanted.shows(case) {
            report.add(&case.name, outcome);
        }
    }
    report.end();
    if !wanted.calls_only {
        report.objects(&differing, &left_out);
    }
    if wanted.bless {
        report.bless(&passing_paths)?;
    }
    if wanted.keep {
        stage.wait();
    }
    if report.lost() > 0 && !wanted.bless && wanted.client.is_none() {
        bail!("{} cases do not pass that are listed in {PASSING}, or are not in {DIFFERING}", report.lost());
    }
    Ok(())
}

/// Why ours does not hold some of the calls over REST and gRPC.
fn reasons() -> Result<BTreeMap<String, String>> {
    let path = root().join(DIFFERING);
    let text = fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
    let reason = |line: &str| {
        let (name, reason) =
            line.split_once(": ").with_context(|| format!("{DIFFERING}: no reason in {line:?}"))?;
        Ok((name.to_owned(), reason.to_owned()))
    };
    text.lines().filter(|line| !line.starts_with('#')).map(reason).collect()
}

impl Wanted {
    fn parse(arguments: &[String]) -> Result<Self> {
        let mut wanted = Self::default();
        let mut rest = arguments.iter();
        while let Some(argument) = rest.next() {
            let mut value = || rest.next().cloned().with_context(|| format!("{argument} wants a value"));
            match argument.as_str() {
                "--corpora" => wanted.corpora = Some(value()?.into()),
                "--binary" => wanted.binary = Some(value()?.into()),
                "--client" => {
                    let client = value()?;
                    wanted.client = Some(match client.as_str() {
                        "published" => testkit::go_tools::argo_cd_cli()?,
                        _ => client.into(),
                    });
                }
                "--phase" => wanted.phases.push(value()?),
                "--filter" => wanted.filter = value()?,
                "--until" => wanted.until = Some(value()?),
                "--keep" => wanted.keep = true,
                "--bless" => wanted.bless = true,
                "--calls-only" => wanted.calls_only = true,
                "-v" | "--verbose" => wanted.verbose = true,
                other => bail!(
                    "corpora knows no {other:?}: --corpora, --binary, --client, --phase, --filter, --until, --keep, --bless, --calls-only and -v are what it takes"
                ),
            }
        }
        Ok(wanted)
    }

    /// Whether the case is one of those asked for; others are replayed for what they leave behind.
    fn shows(&self, case: &Case) -> bool {
        let phase = self.phases.is_empty() || self.phases.iter().any(|phase| case.phase() == *phase);
        phase && case.name.contains(&self.filter)
    }
}

struct Case {
    /// Folder and file name.
    name: String,
    text: String,
}

impl Case {
    fn id(&self) -> &str {
        self.name.split_once('/').map_or(&self.name, |(_, id)| id)
    }

    /// `02`, for REST `1xxx`, or `grpc`.
    fn phase(&self) -> String {
        match self.name.strip_prefix("rest/") {
            Some(id) => format!("{}xxx", id.get(..1).unwrap_or_default()),
            None if self.name.starts_with("grpc/") => "grpc".to_owned(),
            None => self.id().get(..2).unwrap_or_default().to_owned(),
        }
    }
}

/// The order in which they were recorded.
const ORDER: &[&str] =
    &["01", "02", "03", "04", "05", "06", "1xxx", "2xxx", "07", "grpc", "08", "09", "10", "3xxx"];
/// Phases that leave nothing behind that others need, or that need parts we do not have.
const ALONE: &[&str] = &["05", "06", "1xxx", "2xxx", "07", "grpc", "08", "09", "10", "3xxx"];

fn cases(corpora: &Path, wanted: &Wanted) -> Result<Vec<Case>> {
    let mut found = Vec::new();
    for folder in ["cli", "rest", "grpc"] {
        let path = corpora.join(folder);
        for entry in
            fs::read_dir(&path).with_context(|| format!("read the recordings in {}", path.display()))?
        {
            let path = entry?.path();
            let Some(file) = path.file_name().map(|name| name.to_string_lossy().into_owned()) else {
                continue;
            };
            if file.starts_with(|letter: char| letter.is_ascii_digit()) {
                found.push(Case { name: format!("{folder}/{file}"), text: fs::read_to_string(&path)? });
            }
        }
    }
    let place = |case: &Case| {
        let phase = case.phase();
        ORDER.iter().position(|known| *known == phase)
    };
    found.retain(|case| place(case).is_some());
    found.sort_by_key(|case| (place(case), case.name.clone()));
    let shown = |phase: &str| wanted.phases.is_empty() || wanted.phases.iter().any(|wanted| wanted == phase);
    let meant = |case: &Case| {
        let objects = || moments::before(case.id()).any(|file| file.contains(&wanted.filter));
        wanted.shows(case) || (!wanted.filter.is_empty() && objects())
    };
    let last = found.iter().rposition(meant).context("no recording is meant by that")?;
    let end = match &wanted.until {
        Some(until) => {
            found.iter().position(|case| case.id().starts_with(until.as_str())).map_or(last, |at| at + 1)
        }
        None => last + 1,
    };
    found.truncate(end);
    found.retain(|case| shown(&case.phase()) || !ALONE.contains(&case.phase().as_str()));
    Ok(found)
}

/// Compares the objects that were recorded before a call.
fn look(
    case: &Case,
    wanted: &Wanted,
    stage: &Stage,
    differing: &differing::Differing,
    report: &mut Report,
) -> Result<()> {
    // Their names begin like those of the command line.
    if case.name.starts_with("grpc/") {
        return Ok(());
    }
    for file in moments::before(case.id()) {
        let name = format!("{}{file}", moments::FOLDER);
        let meant = wanted.filter.is_empty() || name.contains(&wanted.filter);
        if (wanted.shows(case) || name.contains(&wanted.filter)) && meant {
            let patience = PATIENCE[usize::from(!report.known(&name))];
            report.add(&name, moments::look(file, stage, differing, patience)?);
        }
    }
    Ok(())
}

fn replay(case: &Case, stage: &mut Stage, callers: &mut rest::Callers, report: &Report) -> Result<Outcome> {
    let patience = PATIENCE[usize::from(!report.known(&case.name))];
    let began = Instant::now();
    if case.name.starts_with("grpc/") {
        loop {
            match grpc::replay(stage, callers, case.id(), &case.text)? {
                Outcome::Failed(_) if began.elapsed() < patience / 3 => std::thread::sleep(PAUSE),
                outcome => return Ok(outcome),
            }
        }
    }
    if case.name.starts_with("rest/") {
        callers.prepare(stage)?;
        let exchange = Exchange::parse(&case.text)?;
        // What commands leave behind has settled long before.
        let patience = patience / 3;
        let reads = exchange.request.method == "GET" && !exchange.request.target.contains("/stream/");
        loop {
            let change = interludes::during(case.id(), stage);
            let response = callers.replay(stage, case.id(), &exchange)?;
            if let Some(change) = change {
                change.join().ok();
            }
            match compare_responses(&exchange.response, &response, &stage.replacements()) {
                Ok(()) => return Ok(Outcome::Passed),
                Err(mismatch) if !reads || began.elapsed() > patience => {
                    let asked = format!("{} {}", exchange.request.method, exchange.request.target);
                    return Ok(Outcome::Failed(format!("{asked}\n{}\n{mismatch}", exchange.request.body)));
                }
                Err(_) => std::thread::sleep(PAUSE),
            }
        }
    }
    let record = Record::parse(&case.text)?;
    let limit = case.text.lines().find_map(|line| line.strip_prefix("exit: killed after "));
    let limit = limit.and_then(|rest| rest.split('s').next()?.parse().ok()).map(Duration::from_secs);
    let reads = reads(&record.call.words);
    loop {
        let answer = stage.call(&record.call, limit)?;
        match compare(&record.answer, &answer, &stage.replacements()) {
            Ok(()) => return Ok(Outcome::Passed),
            Err(mismatch) if !reads || began.elapsed() > patience => {
                let asked = format!("$ argocd {}", record.call.words.join(" "));
                return Ok(Outcome::Failed(format!("{asked}\n{mismatch}")));
            }
            Err(_) => std::thread::sleep(PAUSE),
        }
    }
}

/// Between two looks at what has not settled.
const PAUSE: Duration = Duration::from_millis(250);

/// Whether a call changes nothing, so that it may be made again until what it looks at has settled.
fn reads(words: &[String]) -> bool {
    let verb = words.get(1).map(String::as_str).unwrap_or_default();
    match words.first().map(String::as_str).unwrap_or_default() {
        "app" => {
            let third = words.get(2).map(String::as_str).unwrap_or_default();
            matches!(
                verb,
                "get" | "list" | "diff" | "history" | "manifests" | "resources" | "get-resource" | "logs"
            ) || (verb == "actions" && third == "list")
        }
        "proj" | "cluster" | "account" | "repo" | "repocreds" | "appset" => matches!(verb, "get" | "list"),
        _ => false,
    }
}
