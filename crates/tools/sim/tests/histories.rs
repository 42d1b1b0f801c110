//! Histories by chance: each seed is one. A failure prints the seed, and the shortest history that fails as well, to
//! be kept in `cases/`.

use sim::chance::story;
use sim::facts::Given;
use sim::run::run;
use sim::shrink::shrink;

/// `SEEDS=from..to` tries others.
fn seeds() -> std::ops::Range<u64> {
    let asked = std::env::var("SEEDS").unwrap_or_default();
    let bounds = asked.split_once("..").and_then(|(from, to)| Some((from.parse().ok()?, to.parse().ok()?)));
    bounds.map_or(0..2000, |(from, to)| from..to)
}

#[test]
fn every_history_ends_as_git_says_and_touches_nothing_else() {
    let (by_annotation, by_label) = (Given::new(false), Given::new(true));
    for seed in seeds() {
        let story = story(seed);
        let given = if story.setup.track_by_label { &by_label } else { &by_annotation };
        if let Some(violation) = run(&story, given, false).violation {
            let short = shrink(&story, given);
            let outcome = run(&short, given, true);
            let yaml = object::yaml::encode(&serde_json::to_value(&short).expect("a history is data"));
            panic!(
                "seed {seed}: {violation}\n{}\nshortest: {:?}\n{yaml}",
                outcome.trace.join("\n"),
                outcome.violation
            );
        }
    }
}
