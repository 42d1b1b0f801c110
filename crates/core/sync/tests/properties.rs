//! What holds for every operation, whatever order things happen in.

mod world;

use api::codes::{OperationPhase, ResultCode, SyncPhase};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use sync::{Event, Progress};

fn object() -> impl Strategy<Value = Value> {
    let kind = prop_oneof![
        Just(("v1", "ConfigMap")),
        Just(("v1", "Service")),
        Just(("apps/v1", "Deployment")),
        Just(("batch/v1", "Job")),
        Just(("example.com/v1", "Widget")),
    ];
    let hook = prop_oneof![
        4 => Just(""), 1 => Just("PreSync"), 1 => Just("Sync"), 1 => Just("PostSync"), 1 => Just("SyncFail"),
        1 => Just("PreSync,PostSync"),
    ];
    let policy = prop_oneof![
        Just(""),
        Just("HookSucceeded"),
        Just("HookFailed"),
        Just("BeforeHookCreation,HookSucceeded")
    ];
    let options = prop_oneof![4 => Just(""), 1 => Just("Prune=false"), 1 => Just("Prune=confirm"), 1 => Just("PruneLast=true")];
    (kind, 0..6_u8, -2..3_i64, hook, policy, options, any::<bool>()).prop_map(
        |((version, kind), name, wave, hook, policy, options, finalizer)| {
            let mut annotations = json!({"argocd.argoproj.io/sync-wave": wave.to_string()});
            for (key, value) in [("hook", hook), ("hook-delete-policy", policy), ("sync-options", options)] {
                if !value.is_empty() {
                    annotations[format!("argocd.argoproj.io/{key}")] = value.into();
                }
            }
            let mut metadata = json!({"name": format!("o{name}"), "annotations": annotations});
            if finalizer && !hook.is_empty() {
                metadata["finalizers"] = json!(["argocd.argoproj.io/hook-finalizer"]);
            }
            json!({"apiVersion": version, "kind": kind, "metadata": metadata})
        },
    )
}

fn unique(objects: Vec<Value>) -> Vec<Value> {
    let mut seen = BTreeSet::new();
    objects.into_iter().filter(|object| seen.insert(label(object))).collect()
}

fn label(object: &Value) -> String {
    format!("{}/{}", world::text(object, "kind"), world::text(&object["metadata"], "name"))
}

fn case() -> impl Strategy<Value = Value> {
    let objects = || proptest::collection::vec(object(), 0..8).prop_map(unique);
    let health = proptest::collection::vec(
        prop_oneof![Just("Healthy"), Just("Progressing"), Just("Degraded"), Just("Suspended")],
        1..3,
    );
    let names = || proptest::collection::vec((0..5_usize, 0..6_u8), 0..3);
    let facts = (any::<bool>(), any::<bool>(), any::<bool>(), prop_oneof![9 => Just(false), 1 => Just(true)]);
    (
        objects(),
        objects(),
        proptest::collection::vec((0..5_usize, 0..6_u8, health), 0..8),
        names(),
        names(),
        facts,
    )
        .prop_map(|(targets, live, health, refuse, kept, (prune, confirmed, namespace, dry_run))| {
            let kinds = ["ConfigMap", "Service", "Deployment", "Job", "Widget"];
            let name = |kind: usize, name: u8| format!("{}/o{name}", kinds[kind]);
            let health: serde_json::Map<String, Value> = health
                .into_iter()
                .map(|(kind, number, steps)| {
                    let steps: Vec<Value> = steps.into_iter().map(|step| json!([step, "so"])).collect();
                    (name(kind, number), steps.into())
                })
                .collect();
            let refuse: serde_json::Map<String, Value> =
                refuse.into_iter().map(|(kind, number)| (name(kind, number), "refused".into())).collect();
            let kept: Vec<String> = kept.into_iter().map(|(kind, number)| name(kind, number)).collect();
            let options = if namespace { json!(["CreateNamespace=true"]) } else { json!([]) };
            json!({
                "operation": {"prune": prune, "dryRun": dry_run, "syncOptions": options},
                "namespaceFact": if namespace { "missing" } else { "" },
                "confirmed": confirmed, "timeout": 600,
                "targets": targets, "live": live, "health": health, "refuse": refuse, "kept": kept,
            })
        })
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Interruption {
    None,
    Terminate(usize),
    Restart(usize),
}

fn interruption() -> impl Strategy<Value = Interruption> {
    prop_oneof![
        2 => Just(Interruption::None),
        1 => (0..60_usize).prop_map(Interruption::Terminate),
        1 => (0..60_usize).prop_map(Interruption::Restart),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_operation_ends_well_defined(case in case(), seed in any::<u64>(), interruption in interruption()) {
        let plan = world::plan_of(&case).expect("all is served and permitted");
        let mut random = seed;
        let choose = |count: usize| {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(random >> 33).expect("31 bits") % count
        };
        let interrupt = |world: &mut world::World, progress: Progress, turn: usize| match interruption {
            Interruption::Terminate(at) if at == turn && world.done.is_none() => {
                world.queue.push_back(Event::Terminate { cause: None });
                progress
            }
            Interruption::Restart(at) if at == turn && world.done.is_none() => {
                world.queue.clear();
                world.queue.push_back(Event::Tick);
                Progress::restore(&plan, &progress.results(&plan), 0, world.now)
            }
            _ => progress,
        };
        let (world, progress, results) = world::run(&case, &plan, choose, interrupt);
        let (phase, _) = world.done.clone().expect("ended");
        prop_assert!(phase.is_completed());
        prop_assert_eq!(progress.phase(), phase);

        // One result for each task that was come to.
        let keys: BTreeSet<String> = results.iter()
            .map(|entry| format!("{}/{}/{}/{}", entry.sync_phase, entry.kind, entry.namespace, entry.name))
            .collect();
        prop_assert_eq!(keys.len(), results.len());

        // Success means that each task was done.
        if phase == OperationPhase::Succeeded {
            let due = plan.tasks.iter().filter(|task| task.phase != SyncPhase::SyncFail).count();
            let done = results.iter().filter(|entry| entry.status != ResultCode::SyncFailed.as_str()).count();
            prop_assert!(done >= due, "{} of {}", done, due);
            prop_assert!(results.iter().all(|entry| entry.status != ResultCode::SyncFailed.as_str()));
        }

        // Nothing is deleted but hooks and what was to be pruned.
        let prune = case["operation"]["prune"] == true && !plan.dry_run;
        for deleted in &world.deleted {
            let tasks: Vec<_> = plan.tasks.iter().filter(|task| world::label(&task.key) == *deleted).collect();
            prop_assert!(!tasks.is_empty());
            let is_target = case["targets"].as_array().expect("targets").iter().any(|target| {
                label(target) == *deleted && target["metadata"]["annotations"].get("argocd.argoproj.io/hook").is_none()
            });
            prop_assert!(!is_target, "{} is a target", deleted);
            prop_assert!(tasks.iter().all(|task| task.is_hook() || (prune && task.is_prune())), "{}", deleted);
        }
        for task in plan.tasks.iter().filter(|task| task.is_prune()) {
            let kept = task.live.as_ref().is_some_and(|live| sync::has_option(live, "Prune=false"));
            prop_assert!(!(kept && world.deleted.contains(&world::label(&task.key))));
        }

        // A dry run writes nothing; nothing is applied twice without a restart; waves keep their order.
        prop_assert!(!plan.dry_run || (world.applied.is_empty() && world.deleted.is_empty()));
        if !matches!(interruption, Interruption::Restart(_)) {
            let unique: BTreeSet<_> = world.applied.iter().collect();
            prop_assert_eq!(unique.len(), world.applied.len());
            let places: Vec<_> = world.applied.iter().map(|index| &plan.tasks[*index])
                .filter(|task| !task.creates_namespace)
                .map(|task| (task.phase, if task.phase == SyncPhase::SyncFail { 0 } else { task.wave }))
                .collect();
            prop_assert!(places.windows(2).all(|pair| pair[0] <= pair[1]), "{:?}", places);
        }
        if let Interruption::Terminate(_) = interruption {
            prop_assert!(phase != OperationPhase::Running);
        }
    }
}
