//! Histories by chance.

use crate::facts::{APPLICATION, OTHER};
use crate::random::Random;
use crate::story::{Ask, Policy, Second, Setup, Step, Story};
use crate::thing::Thing;

const NAMES: [&str; 4] = ["a", "b", "c", "d"];
const KINDS: [&str; 12] = [
    "ConfigMap",
    "ConfigMap",
    "ConfigMap",
    "ConfigMap",
    "Deployment",
    "Deployment",
    "Deployment",
    "Job",
    "ClusterRole",
    "Widget",
    "CustomResourceDefinition",
    "ConfigMap",
];

/// Kinds that a project may take away.
const TAKEN: [&str; 5] = ["ConfigMap", "Deployment", "Job", "ClusterRole", "Widget"];

/// The history of a seed.
pub fn story(seed: u64) -> Story {
    let mut random = Random::new(seed.wrapping_mul(0x2545_f491_4f6c_dd1d));
    let random = &mut random;
    let things = things(random);
    // How objects are written stays: what another way of writing remembers, this one does not know.
    let writes = ["ServerSideApply=true", "Replace=true", "", "", ""][random.below(5)];
    let setup = Setup {
        policy: policy(random, writes),
        cascade: !random.once_in(3),
        sync_timeout: if random.once_in(8) { 60 } else { 0 },
        without_namespace: random.once_in(10),
        track_by_label: random.once_in(6),
        ignores_values: random.once_in(5),
        without_resync: random.once_in(6),
        things: things.clone(),
        second: None,
    };
    let mut last = things;
    let count = 3 + random.below(18);
    let mut steps = Vec::new();
    for _ in 0..count {
        let step = step(random, &mut last, writes);
        steps.push(step);
        let turns = [0, 3, 10, 30, 80];
        steps.push(if random.once_in(5) {
            Step::Pass([1, 5, 40, 150][random.below(4)])
        } else {
            Step::Turns(*random.pick(&turns))
        });
    }
    change_project(seed, &mut steps);
    let mut story = Story { seed, setup, steps };
    add_second(&mut story, writes);
    story
}

/// A second application and its pushes, by chance of their own, too.
fn add_second(story: &mut Story, writes: &str) {
    let mut random = Random::new(story.seed.wrapping_mul(0xd1b5_4a32_d192_ed03) ^ 2);
    let random = &mut random;
    if !random.once_in(4) {
        return;
    }
    let automated = !random.once_in(3);
    let policy = Policy {
        automated,
        prune: automated && random.once_in(2),
        // Both must write alike, and two that heal what both want would never end.
        options: [writes].iter().filter(|it| !it.is_empty()).map(|it| (*it).to_owned()).collect(),
        ..Policy::default()
    };
    let mut first = story.setup.things.clone();
    let things = things_of_second(random, &first);
    story.setup.second = Some(Second { things, policy });
    let mut steps = Vec::new();
    for step in std::mem::take(&mut story.steps) {
        if let Step::Push(things) = &step {
            first.clone_from(things);
        }
        steps.push(step);
        if random.once_in(8) {
            steps.push(Step::PushSecond(things_of_second(random, &first)));
        }
    }
    story.steps = steps;
}

/// What the second application wants: some of its own, and at times what the first one wants as well.
fn things_of_second(random: &mut Random, first: &[Thing]) -> Vec<Thing> {
    let own = [("ConfigMap", "second-a"), ("Deployment", "second-b"), ("ClusterRole", "second-c")];
    let shared = first.iter().filter(|thing| {
        let alike = matches!(thing.name.as_str(), "a" | "b");
        thing.kind == "ConfigMap" && thing.hook.is_empty() && alike
    });
    let shared = shared.map(|thing| (thing.kind.as_str(), thing.name.as_str()));
    let mut things = Vec::new();
    for (kind, name) in own.into_iter().chain(shared) {
        if random.once_in(2) {
            let value = 1 + i64::try_from(random.below(9)).unwrap_or(0);
            things.push(Thing { kind: kind.into(), name: name.into(), value, ..Thing::default() });
        }
    }
    things
}

/// What becomes of the project, by chance of its own: what else happens under a seed stays what it was.
fn change_project(seed: u64, steps: &mut Vec<Step>) {
    let mut random = Random::new(seed.wrapping_mul(0x9e6c_63d0_876a_46fd) ^ 1);
    if !random.once_in(3) {
        return;
    }
    for _ in 0..1 + random.below(4) {
        let back = random.once_in(3);
        let without = match back || random.once_in(3) {
            true => Vec::new(),
            false => TAKEN.iter().filter(|_| random.once_in(2)).map(|kind| (*kind).to_owned()).collect(),
        };
        let elsewhere = !back && random.once_in(3);
        let at = random.below(steps.len() + 1);
        steps.insert(at, Step::Project { without, elsewhere });
    }
}

fn policy(random: &mut Random, writes: &str) -> Policy {
    let options = [
        "CreateNamespace=true",
        "PruneLast=true",
        "ApplyOutOfSyncOnly=true",
        "PrunePropagationPolicy=background",
        "RespectIgnoreDifferences=true",
        "SkipDryRunOnMissingResource=true",
        "Prune=confirm",
        "Validate=false",
        "PrunePropagationPolicy=orphan",
        "Delete=confirm",
        "FailOnSharedResource=true",
    ];
    let automated = !random.once_in(3);
    Policy {
        automated,
        prune: automated && !random.once_in(3),
        self_heal: automated && !random.once_in(2),
        allow_empty: random.once_in(4),
        retry: [None, None, Some(0), Some(2), Some(5)][random.below(5)],
        retry_refresh: random.once_in(3),
        options: {
            let chosen = options.iter().copied().filter(|_| random.once_in(8));
            chosen.chain([writes]).filter(|option| !option.is_empty()).map(str::to_owned).collect()
        },
    }
}

fn things(random: &mut Random) -> Vec<Thing> {
    let mut things: Vec<Thing> = Vec::new();
    for _ in 0..1 + random.below(6) {
        let thing = thing(random);
        if things.iter().all(|known| known.label() != thing.label()) {
            things.push(thing);
        }
    }
    // A kind comes with what is of it.
    let defines = |thing: &Thing| thing.kind == "CustomResourceDefinition";
    if things.iter().any(|thing| thing.kind == "Widget") && !things.iter().any(defines) {
        things.push(Thing {
            kind: "CustomResourceDefinition".into(),
            name: "widgets.example.com".into(),
            value: 1,
            ..Thing::default()
        });
    }
    things
}

fn thing(random: &mut Random) -> Thing {
    let kind = *random.pick(&KINDS);
    let is_hook = matches!(kind, "Job" | "ConfigMap")
        && random.once_in(if kind == "Job" { 1 } else { 6 })
        && !random.once_in(5);
    let hooks = [
        "PreSync",
        "Sync",
        "PostSync",
        "SyncFail",
        "PreSync",
        "PostSync",
        "PreDelete",
        "PostDelete",
        "PreSync,PostSync",
    ];
    let policies = [
        "",
        "",
        "BeforeHookCreation",
        "BeforeHookCreation,HookSucceeded",
        "HookSucceeded,BeforeHookCreation",
        "BeforeHookCreation,HookFailed",
    ];
    let options = ["", "", "", "", "Prune=false", "Prune=confirm", "Delete=false", "PruneLast=true"];
    let mut thing = Thing {
        kind: kind.into(),
        name: (*random.pick(&NAMES)).into(),
        value: 1 + i64::try_from(random.below(9)).unwrap_or(0),
        wave: [0, 0, 0, 1, -1, 2][random.below(6)],
        options: (*random.pick(&options)).into(),
        extra: random.once_in(4),
        ..Thing::default()
    };
    if is_hook {
        // Hooks have names of their own: what is a hook does not become something else.
        thing.name = format!("hook-{}", thing.name);
        thing.hook = (*random.pick(&hooks)).into();
        thing.delete_policy = (*random.pick(&policies)).into();
        thing.options = String::new();
        thing.generated = kind == "Job" && random.once_in(4);
        if thing.generated {
            thing.name.push('-');
        }
    }
    match (is_hook, thing.name.as_str()) {
        (false, "c") => thing.options = "Replace=true".into(),
        (false, "d") => thing.options = "ServerSideApply=true,Prune=false".into(),
        _ => {}
    }
    if kind == "Job" && !is_hook {
        // The template of a Job cannot be changed, and one that failed stays so.
        thing.value = 1;
        thing.options = String::new();
    }
    if kind == "CustomResourceDefinition" {
        thing = Thing { kind: kind.into(), name: "widgets.example.com".into(), value: 1, ..Thing::default() };
    }
    if thing.hook.contains("Delete") && thing.value % 7 == 0 {
        // It would hold the application for ever.
        thing.value = 1;
    }
    thing
}

fn step(random: &mut Random, last: &mut Vec<Thing>, writes: &str) -> Step {
    let known = |random: &mut Random, last: &[Thing]| match last {
        [] => "ConfigMap/a".to_owned(),
        last => random.pick(last).label(),
    };
    match random.below(43) {
        0..=7 => {
            *last = pushed(random, last);
            Step::Push(last.clone())
        }
        8..=10 => {
            Step::Edit { thing: known(random, last), value: 1 + i64::try_from(random.below(9)).unwrap_or(0) }
        }
        11 => {
            let (name, text) = *random.pick(&[
                ("argocd.argoproj.io/sync-options", "Prune=false"),
                ("argocd.argoproj.io/tracking-id", ""),
                ("argocd.argoproj.io/tracking-id", "other:/ConfigMap:place/a"),
                ("note", "by hand"),
            ]);
            Step::Annotate { thing: known(random, last), name: name.into(), text: text.into() }
        }
        12..=14 => Step::Remove(known(random, last)),
        15 => {
            let thing = Thing {
                hook: String::new(),
                delete_policy: String::new(),
                generated: false,
                extra: false,
                ..thing(random)
            };
            let owner = *random.pick(&["", OTHER, APPLICATION]);
            Step::Make { thing, owner: owner.into() }
        }
        16 => Step::Git(random.once_in(2)),
        17 => Step::Cluster(random.once_in(2)),
        18 => Step::Hub(random.once_in(2)),
        19 | 20 => Step::Refuse { thing: known(random, last), on: !random.once_in(3) },
        21 => Step::LoseWatch((*random.pick(&KINDS)).into()),
        22 => Step::Taint((*random.pick(&KINDS)).into()),
        23 => Step::Relist,
        24..=26 => Step::Restart,
        27..=30 => Step::Sync(ask(random, last)),
        31 => Step::Rollback(random.below(3)),
        32 | 33 => Step::Terminate,
        34 => Step::Refresh(random.once_in(2)),
        35 => Step::Confirm,
        36 => Step::SetPolicy(policy(random, writes)),
        37 | 38 => Step::Window {
            denied: random.once_in(3),
            manual: random.once_in(2),
            allowed: random.once_in(2),
            overrun: random.once_in(2),
        },
        39 => Step::Invalid { thing: known(random, last), on: !random.once_in(3) },
        40 | 41 => {
            Step::Claim { thing: known(random, last), value: 1 + i64::try_from(random.below(9)).unwrap_or(0) }
        }
        _ if random.once_in(2) => Step::Delete,
        _ => Step::Refresh(false),
    }
}

fn pushed(random: &mut Random, last: &[Thing]) -> Vec<Thing> {
    match random.below(6) {
        0 => things(random),
        1 => last.iter().filter(|_| !random.once_in(3)).cloned().collect(),
        2 if random.once_in(3) => Vec::new(),
        _ => {
            let mut next = last.to_vec();
            for thing in &mut next {
                let fixed = thing.kind == "Job" && thing.hook.is_empty() || thing.hook.contains("Delete");
                if random.once_in(2) && !fixed {
                    thing.value = 1 + i64::try_from(random.below(9)).unwrap_or(0);
                    thing.extra = random.once_in(4);
                }
            }
            next
        }
    }
}

fn ask(random: &mut Random, last: &[Thing]) -> Ask {
    let only = if random.once_in(4) {
        last.iter().filter(|_| random.once_in(2)).map(Thing::label).collect()
    } else {
        Vec::new()
    };
    Ask {
        prune: random.once_in(2),
        dry_run: random.once_in(6),
        only,
        apply_only: random.once_in(6),
        force: random.once_in(8),
    }
}
