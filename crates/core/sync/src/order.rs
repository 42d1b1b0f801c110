//! The order of tasks: phase, wave, kind, name; namespaces and CRDs before what needs them.

use crate::task::Task;
use api::codes::SyncPhase;
use object::Object;
use std::collections::BTreeMap;

/// Kinds in the order they are applied; others come after them.
const KINDS: [&str; 35] = [
    "Namespace",
    "NetworkPolicy",
    "ResourceQuota",
    "LimitRange",
    "PodSecurityPolicy",
    "PodDisruptionBudget",
    "ServiceAccount",
    "Secret",
    "SecretList",
    "ConfigMap",
    "StorageClass",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "CustomResourceDefinition",
    "ClusterRole",
    "ClusterRoleList",
    "ClusterRoleBinding",
    "ClusterRoleBindingList",
    "Role",
    "RoleList",
    "RoleBinding",
    "RoleBindingList",
    "Service",
    "DaemonSet",
    "Pod",
    "ReplicationController",
    "ReplicaSet",
    "Deployment",
    "HorizontalPodAutoscaler",
    "StatefulSet",
    "Job",
    "CronJob",
    "IngressClass",
    "Ingress",
    "APIService",
];

/// Where a kind stands in the order; the last place for kinds nobody lists.
pub fn kind_rank(kind: &str) -> usize {
    KINDS.iter().position(|known| *known == kind).unwrap_or(KINDS.len())
}

/// Sorts tasks, then pulls each namespace and CRD in front of the first task that needs it, into that task's
/// phase and wave.
pub(crate) fn sort(tasks: &mut [Task]) {
    tasks.sort_by(|left, right| {
        let rank = |task: &Task| (task.phase, task.wave, kind_rank(&task.gvk.kind));
        rank(left).cmp(&rank(right)).then_with(|| {
            let name = |task: &Task| (task.key.name.clone(), task.key.clone());
            name(left).cmp(&name(right))
        })
    });
    pull_forward(tasks, namespace_name, |object| {
        Some(object.namespace().to_owned()).filter(|name| !name.is_empty())
    });
    pull_forward(tasks, crd_kind, |object| Some(format!("{}/{}", object.group(), object.kind())));
}

fn namespace_name(object: &Object) -> Option<String> {
    (object.kind() == "Namespace" && object.group().is_empty()).then(|| object.name().to_owned())
}

/// `group/Kind` that a CRD defines.
pub(crate) fn crd_kind(object: &Object) -> Option<String> {
    if object.kind() != "CustomResourceDefinition" || object.group() != "apiextensions.k8s.io" {
        return None;
    }
    let (group, kind) = (object.text_at(&["spec", "group"]), object.text_at(&["spec", "names", "kind"]));
    (!group.is_empty() && !kind.is_empty()).then(|| format!("{group}/{kind}"))
}

fn pull_forward(
    tasks: &mut [Task],
    gives: impl Fn(&Object) -> Option<String>,
    needs: impl Fn(&Object) -> Option<String>,
) {
    let mut first_need: BTreeMap<String, usize> = BTreeMap::new();
    for position in 0..tasks.len() {
        let Some(target) = &tasks[position].target else { continue };
        if let Some(given) = gives(target) {
            let Some(&before) = first_need.get(&given) else { continue };
            let (phase, wave): (SyncPhase, i64) = (tasks[before].phase, tasks[before].wave);
            tasks[position].phase = phase;
            tasks[position].wave = wave;
            tasks[before..=position].rotate_right(1);
            for index in first_need.values_mut().filter(|index| **index >= before) {
                *index += 1;
            }
        } else if let Some(needed) = needs(target) {
            first_need.entry(needed).or_insert(position);
        }
    }
}
