//! A history from its beginning to the end, when all faults have ended and everything must be as Git says.

use crate::facts::{APPLICATION, Given};
use crate::people::{MOST_TURNS, application};
use crate::random::Random;
use crate::side::Side;
use crate::story::{Ask, Step, Story};
use crate::thing::{NAMESPACE, Thing, label};
use crate::world::World;
use api::codes::SyncStatusCode;
use jiff::{SignedDuration, Timestamp};
use object::Object;
use std::cell::RefCell;

/// How a history ended.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// The rule that was broken, if one was.
    pub violation: Option<String>,
    /// What happened, where it was asked for.
    pub trace: Vec<String>,
}

/// Lives through a history.
pub fn run(story: &Story, given: &Given, traced: bool) -> Outcome {
    let mut world = begin(story, given, traced);
    for step in &story.steps {
        if world.is_broken() {
            break;
        }
        world.take(step);
    }
    if !world.is_broken() {
        finish(&mut world, story);
    }
    Outcome { violation: world.violation.take(), trace: world.trace.unwrap_or_default() }
}

fn begin(story: &Story, given: &Given, traced: bool) -> World {
    let mut world = World {
        now: Timestamp::from_second(1_767_225_600).unwrap_or_default(),
        random: Random::new(story.seed),
        given: given.clone(),
        hub: Default::default(),
        git: Default::default(),
        api: Default::default(),
        machines: Default::default(),
        controller: Default::default(),
        second: Side::second(&story.setup, given),
        sync_timeout: story.setup.sync_timeout,
        ignores_values: story.setup.ignores_values,
        without_resync: story.setup.without_resync,
        controller_writes: 0,
        notes: Default::default(),
        trace: traced.then(Vec::new),
        violation: RefCell::new(None),
    };
    if !story.setup.without_namespace {
        world.make(&Thing { kind: "Namespace".into(), name: NAMESPACE.into(), ..Thing::default() }, "");
        world.make_others();
    }
    world.git.commits.push(story.setup.things.clone());
    let stored = world.hub.store(application(&story.setup));
    world.controller.stored = Some(stored);
    world.controller.queued = true;
    world.api.changes.clear();
    world
}

/// All faults end; then everything must come to rest, as Git says.
fn finish(world: &mut World, story: &Story) {
    let open = Step::Window { denied: false, manual: false, allowed: false, overrun: false };
    let everything = Step::Project { without: Vec::new(), elsewhere: false };
    for step in [Step::Git(true), Step::Cluster(true), Step::Hub(true), open, everything] {
        world.take(&step);
    }
    world.api.refused.clear();
    world.api.invalid.clear();
    world.let_go();
    world.machines.all_well = true;
    // Nothing, where it is there.
    world.make(&Thing { kind: "Namespace".into(), name: NAMESPACE.into(), ..Thing::default() }, "");
    if world.second.is_some() {
        settle_second(world);
        world.let_go();
    }
    mend_git(world);
    world.take(&Step::Relist);
    if story.setup.without_resync {
        world.take(&Step::Refresh(false));
    }
    let pass = |world: &mut World, seconds| world.pass(SignedDuration::from_secs(seconds), MOST_TURNS);
    pass(world, 60);
    world.take(&Step::Confirm);
    pass(world, 1200);
    let deleted = world.hub.application.as_ref().is_none_or(|it| it.metadata.deletion_timestamp.is_some());
    if !world.is_broken() && deleted {
        world.take(&Step::Confirm);
        pass(world, 600);
        check_deleted(world, story);
        return;
    }
    for _ in 0..4 {
        world.take(&Step::Sync(Ask { prune: true, force: true, ..Ask::default() }));
        pass(world, 30);
        world.take(&Step::Confirm);
        pass(world, 900);
        // One that came by itself may wait to be confirmed.
        let runs = world.hub.application.as_ref().is_some_and(|it| it.operation.is_some());
        let last = world.notes.ended.last();
        if world.is_broken() || !runs && last.is_some_and(|last| last.phase == "Succeeded") {
            break;
        }
    }
    let writes = world.controller_writes;
    pass(world, 1300);
    if !world.is_broken() {
        check_end(world, writes);
        check_others(world, story);
        world.as_second(|world| check_end(world, writes));
    }
}

/// The second application keeps what it alone wants, and is synced.
fn settle_second(world: &mut World) {
    let of_first: Vec<String> = world.git.commits.last().into_iter().flatten().map(Thing::label).collect();
    let things = world.second.as_ref().and_then(|second| second.git.commits.last().cloned());
    let mut things = things.unwrap_or_default();
    things.retain(|thing| !of_first.contains(&thing.label()));
    world.take(&Step::PushSecond(things));
    // What the first one had under way may come after the first sync.
    for sync in 0..4 {
        for step in [Step::Sync(Ask { prune: true, force: true, ..Ask::default() }), Step::Confirm] {
            world.as_second(|world| world.take(&step));
            world.pass(SignedDuration::from_secs(450), MOST_TURNS);
        }
        let last = world.second.as_ref().and_then(|second| second.notes.ended.last());
        if world.is_broken() || sync > 0 && last.is_some_and(|last| last.phase == "Succeeded") {
            break;
        }
    }
}

/// What nobody could sync is mended: objects of a kind that nothing defines.
fn mend_git(world: &mut World) {
    let Some(mut things) = world.git.commits.last().cloned() else { return };
    let has = |kind: &str| things.iter().any(|thing| thing.kind == kind);
    if has("Widget") && !has("CustomResourceDefinition") {
        things.push(Thing {
            kind: "CustomResourceDefinition".into(),
            name: "widgets.example.com".into(),
            value: 1,
            ..Thing::default()
        });
        world.take(&Step::Push(things));
    }
}

/// Objects of others go only by other hands.
fn check_others(world: &World, story: &Story) {
    if story.setup.without_namespace {
        return;
    }
    for name in ["ConfigMap/others", "ConfigMap/nobodys", "ConfigMap/copy"] {
        let by_hand = story.steps.iter().any(
            |step| matches!(step, Step::Remove(thing) if thing == name || thing.starts_with("Namespace/")),
        );
        if !by_hand && world.api.find(name).is_none() {
            world.violated(format!("{name} is gone, and it was none of ours"));
        }
    }
}

fn check_deleted(world: &World, story: &Story) {
    if world.is_broken() {
        return;
    }
    if world.hub.application.is_some() {
        world.violated("the application does not go");
    }
    check_others(world, story);
    // Hooks after the deletion stay unless they say that they go.
    let is_delete_hook = |object: &Object| {
        let says = |name: &str, word: &str| object.annotation(name).is_some_and(|text| text.contains(word));
        says("argocd.argoproj.io/hook", "PostDelete")
            && !says("argocd.argoproj.io/hook-delete-policy", "HookSucceeded")
    };
    let kept = |object: &&Object| {
        sync::has_option(object, "Delete=false")
            || object.kind() == "CustomResourceDefinition"
            || is_delete_hook(object)
    };
    let left: Vec<String> = world
        .api
        .objects
        .values()
        .filter(|object| world.is_own(object) && object.owner_references().is_empty())
        .filter(|it| !kept(it))
        .map(label)
        .collect();
    // What carries its mark and came after it, or so shortly before that no watch told of it, is nobody's.
    let deleted = story.steps.iter().position(|step| *step == Step::Delete).unwrap_or(0);
    let before = &story.steps[..deleted];
    let deaf = before.iter().any(|step| matches!(step, Step::LoseWatch(_)));
    let told = before.iter().rposition(|step| !deaf && matches!(step, Step::Pass(_))).unwrap_or(0);
    let made = story.steps[told..]
        .iter()
        .any(|step| matches!(step, Step::Make { owner, .. } if owner == APPLICATION));
    if story.setup.cascade && !left.is_empty() && !made && !world.notes.spares {
        world.violated(format!("the application is gone, and {} is left", left.join(", ")));
    }
}

fn check_end(world: &World, writes: usize) {
    let Some(application) = &world.hub.application else { return };
    let status = &application.status;
    if let Some(state) = &status.operation_state
        && (application.operation.is_some() || state.phase != "Succeeded")
    {
        world.violated(format!("the last operation is {}: {}", state.phase, state.message));
    }
    if world.controller_writes != writes {
        world.violated("the controller does not come to rest");
    }
    if status.sync.revision != world.git.head() {
        world.violated(format!("compared with {} and not with {}", status.sync.revision, world.git.head()));
    }
    let differences = world.differences();
    let is_kept = |difference: &String| {
        let kept = difference.strip_suffix(" is too much").and_then(|name| world.api.find(name));
        kept.is_some_and(|object| sync::has_option(object, "Prune=false"))
    };
    let expected = if differences.is_empty() { SyncStatusCode::Synced } else { SyncStatusCode::OutOfSync };
    if status.sync.status != expected.as_str() {
        let differences = differences.join("; ");
        let conditions = &status.conditions;
        world.violated(format!("called {} while: {differences} {conditions:?}", status.sync.status));
    }
    let wrong: Vec<&String> = differences.iter().filter(|difference| !is_kept(difference)).collect();
    if !wrong.is_empty() {
        world.violated(format!("after the last sync: {wrong:?}"));
    }
}
