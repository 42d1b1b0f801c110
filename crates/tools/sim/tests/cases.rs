//! Histories that once failed: each file of `cases/` is one.

#![expect(clippy::needless_pass_by_value, reason = "the harness gives the text away")]

use sim::facts::Given;
use sim::run::run;
use sim::story::Story;
use std::path::Path;

fn check(_: &Path, text: String) -> datatest_stable::Result<()> {
    let story: Story = serde_json::from_value(object::yaml::decode(text.as_bytes())?)?;
    let outcome = run(&story, &Given::new(story.setup.track_by_label), true);
    match outcome.violation {
        None => Ok(()),
        Some(violation) => Err(format!("{}\n{violation}", outcome.trace.join("\n")).into()),
    }
}

datatest_stable::harness! {
    { test = check, root = "cases", pattern = r".*\.yaml$" },
}
