//! Making a history that fails as short as it can be.

use crate::facts::Given;
use crate::run::run;
use crate::story::{Step, Story};

/// How many shorter histories are tried.
const MOST_TRIES: usize = 3000;

/// The shortest history that was found to fail as well.
pub fn shrink(story: &Story, given: &Given) -> Story {
    let mut best = story.clone();
    let Some(wanted) = run(story, given, false).violation.as_deref().map(rule) else { return best };
    let mut tries = 0;
    loop {
        let mut better = None;
        for candidate in candidates(&best) {
            tries += 1;
            if tries > MOST_TRIES {
                return best;
            }
            if run(&candidate, given, false).violation.as_deref().map(rule).as_ref() == Some(&wanted) {
                better = Some(candidate);
                break;
            }
        }
        match better {
            Some(found) => best = found,
            None => return best,
        }
    }
}

/// The rule a violation is of: its words without the names in it.
fn rule(violation: &str) -> String {
    let words =
        violation.split_whitespace().filter(|word| word.chars().all(|letter| letter.is_ascii_lowercase()));
    words.take(8).collect::<Vec<_>>().join(" ")
}

/// Histories with something less: long stretches first.
fn candidates(story: &Story) -> Vec<Story> {
    let mut found = Vec::new();
    let mut length = story.steps.len() / 2;
    while length > 0 {
        for at in (0..story.steps.len()).step_by(length) {
            let mut less = story.clone();
            less.steps.drain(at..(at + length).min(story.steps.len()));
            found.push(less);
        }
        length /= 2;
    }
    for at in 0..story.setup.things.len() {
        let mut less = story.clone();
        less.setup.things.remove(at);
        found.push(less);
    }
    if story.setup.second.is_some() {
        let mut less = story.clone();
        less.setup.second = None;
        found.push(less);
    }
    for at in 0..story.setup.policy.options.len() {
        let mut less = story.clone();
        less.setup.policy.options.remove(at);
        found.push(less);
    }
    for (at, step) in story.steps.iter().enumerate() {
        match step {
            Step::Push(things) | Step::PushSecond(things) => {
                for thing in 0..things.len() {
                    let mut less = story.clone();
                    let mut things = things.clone();
                    things.remove(thing);
                    less.steps[at] = match step {
                        Step::Push(_) => Step::Push(things),
                        _ => Step::PushSecond(things),
                    };
                    found.push(less);
                }
            }
            Step::Turns(count) if *count > 0 => {
                let mut less = story.clone();
                less.steps[at] = Step::Turns(count / 2);
                found.push(less);
            }
            _ => {}
        }
    }
    found
}
