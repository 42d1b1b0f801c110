//! How long ours and the original tools take for the same: per case of the corpora, and for one large kustomization.
//! A figure is a line of JSON, which `cargo xtask bench render` reads.

use crate::corpora::{folder, folders};
use crate::differential::Tools;
use crate::files::Files;
use crate::ours::{self, HelmCall};
use anyhow::{Context, Result};
use serde_json::{Value, json};
use source_tree::{Recorded, TreePath};
use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::time::Instant;

/// Runs of the original, and of ours; the fastest of each counts.
const RUNS: [usize; 2] = [3, 7];
/// Resources of the large kustomization.
const LARGE: usize = 4000;

/// One case's seconds: the original's process, ours, ours when nothing that was read has changed.
struct Times {
    name: String,
    original: f64,
    cold: f64,
    cached: f64,
}

pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let quick = arguments.iter().any(|argument| argument == "--quick");
    let corpora = folder();
    for (kind, least) in [("helm", 20.0), ("kustomize", 10.0)] {
        let cases =
            folders(&corpora.join(kind)).with_context(|| format!("{kind} of the corpora is needed"))?;
        let tools = Tools::new(kind)?;
        let mut times = Vec::new();
        for (name, path) in cases.into_iter().step_by(if quick { 8 } else { 1 }) {
            let measure = if kind == "helm" { chart } else { kustomization };
            // What both refuse is not measured.
            times.extend(measure(&name, &path, &tools)?);
        }
        figures(kind, least, &mut times);
    }
    large()
}

fn figures(kind: &str, least: f64, times: &mut [Times]) {
    for (what, ours) in
        [("cold", (|times| times.cold) as fn(&Times) -> f64), ("cached", |times| times.cached)]
    {
        let ratio = |times: &Times| times.original / ours(times);
        times.sort_by(|one, other| ratio(one).total_cmp(&ratio(other)));
        let Some(median) = times.get(times.len() / 2) else { return };
        let slowest = &times[0];
        figure(&json!({
            "what": format!("{kind}, {what}: times faster than the original, median of {}", times.len()),
            "value": ratio(median), "unit": "x", "least": least,
            "note": format!(
                "{:.1} ms to {:.2} ms in {}; least: {:.1} x, {:.1} ms to {:.2} ms in {}",
                median.original * 1e3, ours(median) * 1e3, median.name,
                ratio(slowest), slowest.original * 1e3, ours(slowest) * 1e3, slowest.name
            ),
        }));
    }
}

fn figure(figure: &Value) {
    crate::print(&format!("{figure}\n"));
}

/// The fastest of some runs, in seconds.
fn fastest<T>(runs: usize, mut work: impl FnMut() -> T) -> f64 {
    let once = |work: &mut dyn FnMut() -> T| {
        let began = Instant::now();
        black_box(work());
        began.elapsed().as_secs_f64()
    };
    (0..runs).map(|_| once(&mut work)).fold(f64::INFINITY, f64::min)
}

/// The three times of a case whose tree is there, given what the original is told and what ours does with a tree.
fn times(
    name: &str,
    folder: &Path,
    arguments: &[&str],
    tools: &Tools,
    files: &Files,
    render: &dyn Fn(&dyn source_tree::Tree) -> Option<String>,
) -> Result<Option<Times>> {
    if tools.run_in(folder, arguments)?.is_err() {
        return Ok(None);
    }
    let tree = files.tree()?;
    let recorded = Recorded::new(tree.clone());
    let Some(text) = render(&recorded) else { return Ok(None) };
    let read = recorded.read_set().context("a render reads what it can tell again")?;
    Ok(Some(Times {
        name: name.to_owned(),
        original: fastest(RUNS[0], || tools.run_in(folder, arguments)),
        cold: fastest(RUNS[1], || render(&tree)),
        cached: fastest(RUNS[1], || read.holds(&tree).then(|| text.clone())),
    }))
}

fn chart(name: &str, folder: &Path, tools: &Tools) -> Result<Option<Times>> {
    let case = object::yaml::decode(&fs::read(folder.join("case.yaml"))?)?;
    let call: HelmCall = serde_json::from_value(case)?;
    let values = call.values_files.iter().map(|name| fs::read_to_string(folder.join(name)));
    let values = values.collect::<std::io::Result<Vec<_>>>()?;
    let told = call.arguments();
    let mut arguments = vec!["template", call.chart.as_str()];
    arguments.extend(told.iter().map(String::as_str));
    let files = Files::read(&folder.join(&call.chart))?;
    times(name, folder, &arguments, tools, &files, &|tree| {
        let chart = helm::load(tree, &TreePath::root()).ok()?;
        call.render(&chart, &values).ok()
    })
}

fn kustomization(name: &str, folder: &Path, tools: &Tools) -> Result<Option<Times>> {
    let case = object::yaml::decode(&fs::read(folder.join("case.yaml"))?)?;
    let target = case["target"].as_str().unwrap_or("input");
    let flags = case["buildOptions"].as_array().into_iter().flatten();
    let flags: Vec<String> = flags.filter_map(Value::as_str).map(str::to_owned).collect();
    let mut arguments = vec!["build", target];
    arguments.extend(flags.iter().map(String::as_str));
    let files = Files::read(folder)?;
    times(name, folder, &arguments, tools, &files, &|tree| ours::kustomize(tree, target, &flags).ok())
}

/// Thousands of resources of one kustomization that changes every one of them.
fn large() -> Result<()> {
    let mut files = Files::default();
    let mut resources = String::new();
    for number in 0..LARGE / 4 {
        resources.push_str(&format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c{number}}}\ndata: {{key: value}}\n---\n\
             apiVersion: v1\nkind: ServiceAccount\nmetadata: {{name: s{number}}}\n---\n\
             apiVersion: v1\nkind: Service\nmetadata: {{name: w{number}}}\nspec: {{selector: {{app: w{number}}}, ports: [{{port: 80}}]}}\n---\n\
             apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: w{number}}}\nspec:\n  selector: {{matchLabels: {{app: w{number}}}}}\n  \
             template:\n    metadata: {{labels: {{app: w{number}}}}}\n    spec:\n      serviceAccountName: s{number}\n      containers:\n      \
             - {{name: main, image: nginx, envFrom: [{{configMapRef: {{name: c{number}}}}}]}}\n---\n"
        ));
    }
    files.add("input/resources.yaml", resources);
    files.add(
        "input/kustomization.yaml",
        "resources: [resources.yaml]\nnamespace: ns\nnamePrefix: p-\nlabels: [{pairs: {team: a}, includeSelectors: true}]\n\
         commonAnnotations: {note: x}\nimages: [{name: nginx, newTag: \"2\"}]\n",
    );
    let tree = files.tree()?;
    let built = ours::kustomize(&tree, "input", &[]).map_err(anyhow::Error::msg)?;
    let count = built.lines().filter(|line| line.starts_with("kind: ")).count();
    let seconds = fastest(3, || ours::kustomize(&tree, "input", &[]));
    let tools = Tools::new("kustomize")?;
    files.write(&tools.folder())?;
    let original = fastest(1, || tools.run_in(&tools.folder(), &["build", "input"]));
    figure(&json!({
        "what": format!("a kustomization of {count} resources"), "value": seconds, "unit": "s", "most": 1.0,
        "note": format!("the original: {original:.1} s"),
    }));
    Ok(())
}
