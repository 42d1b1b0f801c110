//! Cases: what is there and what was asked for, and what a sync makes of it. `UPDATE=1` writes what is.

#![expect(clippy::disallowed_methods, reason = "the cases are files")]

mod world;

use serde_json::Value;
use std::fmt::Write as _;
use std::path::Path;
use sync::{DEFAULT_MIGRATION_MANAGER, Event, Plan, Progress, Prune, Task, Write};

fn block<'a>(text: &'a str, name: &str) -> &'a str {
    let open = format!("```{name}\n");
    let Some(start) = text.find(&open).map(|at| at + open.len()) else { return "" };
    let end = text[start..].find("```").map_or(text.len(), |at| start + at);
    &text[start..end]
}

fn describe(task: &Task) -> String {
    let mut line = format!("{}/{} ", task.phase, task.wave);
    if let Write::ServerSideApply { migrate_from: Some(manager) } = &task.write
        && manager != DEFAULT_MIGRATION_MANAGER
    {
        let _ = write!(line, "take from {manager}, then ");
    }
    line.push_str(match (&task.prune, &task.write) {
        (Some(Prune::Delete), _) => "prune",
        (Some(Prune::Confirm), _) => "prune once confirmed",
        (Some(Prune::Skip(_)), _) => "keep",
        (None, Write::Apply { force: false }) => "apply",
        (None, Write::Apply { force: true }) => "apply by force",
        (None, Write::ServerSideApply { migrate_from: None }) => "apply server-side",
        (None, Write::ServerSideApply { .. }) => "apply server-side, migrating",
        (None, Write::Create) => "create",
        (None, Write::Replace { force: false }) => "replace",
        (None, Write::Replace { force: true }) => "replace by force",
        (None, Write::Update) => "update",
        (None, Write::None) => "nothing",
    });
    let _ = write!(line, " {}/{}", task.key.namespace, world::label(&task.key));
    for (flag, says) in [
        (task.is_hook(), " hook"),
        (task.target.is_some() && !task.validate, " without validation"),
        (task.skip_dry_run, " without dry run"),
    ] {
        if flag {
            line.push_str(says);
        }
    }
    line
}

fn conversation(case: &Value, plan: &Plan) -> String {
    let script = case.get("script").cloned().unwrap_or_default();
    let mut acted = false;
    let interrupt = |world: &mut world::World, progress: Progress, _turn: usize| {
        let at = world::text(&script, "when");
        if acted || at.is_empty() || !progress.message().starts_with(&at) {
            return progress;
        }
        acted = true;
        match world::text(&script, "do").as_str() {
            "terminate" => world.queue.push_back(Event::Terminate { cause: None }),
            "confirm" => world.queue.push_back(Event::PruneConfirmed),
            "missed" => world.queue.push_back(Event::Missed),
            "supersede" => world.queue.push_back(Event::Supersede { revision: "fedcba".into() }),
            "restart" => {
                world.queue.clear();
                world.queue.push_back(Event::Tick);
                world.trace.push("restart".into());
                return Progress::restore(plan, &progress.results(plan), 0, world.now);
            }
            other => panic!("{other:?} is nothing to do"),
        }
        progress
    };
    let (world, _, results) = world::run(case, plan, |_| 0, interrupt);
    let mut out = world.trace.join("\n");
    out.push('\n');
    for entry in results {
        let _ = writeln!(
            out,
            "{} {}/{} {} {}: {}",
            if entry.hook_type.is_empty() {
                entry.sync_phase.clone()
            } else {
                format!("{} hook", entry.sync_phase)
            },
            entry.namespace,
            format_args!("{}/{}", entry.kind, entry.name),
            entry.status,
            entry.hook_phase,
            entry.message
        );
    }
    out
}

fn check(path: &Path) -> datatest_stable::Result<()> {
    let file = std::fs::read_to_string(path)?;
    let case: Value = serde_saphyr::from_str(block(&file, "yaml"))?;
    let actual = match world::plan_of(&case) {
        Err(error) => {
            let mut out = format!("{}: {error}\n", error.phase());
            for entry in error.results() {
                let _ = writeln!(out, "{}/{} {}: {}", entry.kind, entry.name, entry.status, entry.message);
            }
            out
        }
        Ok(plan) if world::text(&case, "show") == "plan" => {
            plan.tasks.iter().fold(String::new(), |out, task| out + &describe(task) + "\n")
        }
        Ok(plan) => conversation(&case, &plan),
    };
    let expected = block(&file, "text");
    if actual == expected {
        return Ok(());
    }
    if std::env::var_os("UPDATE").is_some() {
        let head = file.find("```text").unwrap_or(file.len());
        std::fs::write(path, format!("{}```text\n{actual}```\n", &file[..head]))?;
        return Ok(());
    }
    Err(format!("expected:\n{expected}\nactual:\n{actual}").into())
}

datatest_stable::harness! {
    { test = check, root = "cases", pattern = r".*\.md$" },
}
