//! The index against a plain count of the same objects: every order of events leaves the same answers.

use super::{Change, ChangeKind, Index};
use crate::entry::{ResourceVersion, Uid};
use crate::extract::{Extracted, Implied};
use object::{GroupKind, Object, ResourceKey};
use proptest::prelude::*;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

/// Small worlds make collisions: four names, two kinds, three applications.
#[derive(Clone, Debug)]
struct Given {
    kind: u8,
    namespace: u8,
    name: u8,
    uid: u8,
    owner: Option<u8>,
    implied: Option<u8>,
    application: Option<u8>,
    projection: u64,
}

#[derive(Clone, Debug)]
enum Step {
    Apply(Given),
    Delete(u8, u8, u8),
    Retain(u8, Option<u8>, BTreeSet<(u8, u8)>),
    RemoveKind(u8),
}

fn given() -> impl Strategy<Value = Given> {
    let owner = proptest::option::of(0..6u8);
    (
        0..2u8,
        0..2u8,
        0..4u8,
        0..6u8,
        owner,
        proptest::option::of(0..4u8),
        proptest::option::of(0..3u8),
        0..2u64,
    )
        .prop_map(|(kind, namespace, name, uid, owner, implied, application, projection)| Given {
            kind,
            namespace,
            name,
            uid,
            owner,
            implied,
            application,
            projection,
        })
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => given().prop_map(Step::Apply),
        2 => (0..2u8, 0..2u8, 0..4u8).prop_map(|(kind, namespace, name)| Step::Delete(kind, namespace, name)),
        1 => (0..2u8, proptest::option::of(0..2u8), proptest::collection::btree_set((0..2u8, 0..4u8), 0..4))
            .prop_map(|(kind, namespace, names)| Step::Retain(kind, namespace, names)),
        1 => (0..2u8).prop_map(Step::RemoveKind),
    ]
}

fn kind(kind: u8) -> GroupKind {
    if kind == 0 { GroupKind::new("", "A") } else { GroupKind::new("g", "B") }
}

fn key(of: u8, namespace: u8, name: u8) -> ResourceKey {
    let kind = kind(of);
    ResourceKey::new(kind.group, kind.kind, format!("ns{namespace}"), format!("n{name}"))
}

fn uid(number: u8) -> String {
    format!("00000000-0000-0000-0000-0000000000{number:02x}")
}

fn object(given: &Given, version: u64) -> (Object, Extracted<u64>) {
    let key = key(given.kind, given.namespace, given.name);
    let owners: Vec<_> = given
        .owner
        .iter()
        .map(|owner| json!({"apiVersion": "v1", "kind": "A", "name": "x", "uid": uid(*owner)}))
        .collect();
    let object = Object::from_value(json!({
        "apiVersion": if key.group.is_empty() { "v1".to_owned() } else { format!("{}/v1", key.group) },
        "kind": key.kind,
        "metadata": {"namespace": key.namespace, "name": key.name, "resourceVersion": version.to_string(),
            "uid": uid(given.uid), "ownerReferences": owners},
    }))
    .unwrap();
    let extracted = Extracted {
        application: given.application.map(|application| format!("app{application}")),
        projection: given.projection,
        implied: given
            .implied
            .iter()
            .map(|name| Implied { group: String::new(), kind: "A".into(), name: format!("n{name}") })
            .collect(),
        info: version,
    };
    (object, extracted)
}

/// The naive model: a map, and every question answered by looking at all of it.
#[derive(Default)]
struct Model {
    objects: BTreeMap<ResourceKey, Given>,
}

impl Model {
    fn children(&self, of: &ResourceKey) -> BTreeSet<ResourceKey> {
        let owner = &self.objects[of];
        self.objects
            .iter()
            .filter(|(key, child)| {
                let by_name = child.implied.is_some_and(|name| {
                    *of == ResourceKey::new("", "A", key.namespace.clone(), format!("n{name}"))
                });
                child.owner == Some(owner.uid) || by_name
            })
            .map(|(key, _)| key.clone())
            .collect()
    }

    fn check(&self, index: &Index<u64>) {
        let keys: Vec<_> = index.iter().map(|entry| entry.key()).collect();
        let mut expected: Vec<_> = self.objects.keys().cloned().collect();
        expected.sort_by_key(|key| (key.group_kind(), key.namespace.clone(), key.name.clone()));
        assert_eq!(keys, expected);
        assert_eq!(index.counts().0, self.objects.len());
        let managed = self.objects.values().filter(|given| given.application.is_some()).count();
        assert_eq!(index.counts().1, managed);
        for number in 0..3 {
            let application = format!("app{number}");
            let expected: Vec<_> = self
                .objects
                .iter()
                .filter(|(_, given)| given.application == Some(number))
                .map(|(key, _)| key.clone())
                .collect();
            let found: Vec<_> = index.managed(&application).iter().map(|entry| entry.key()).collect();
            assert_eq!(found, expected);
            assert!(index.managed(&application).iter().all(|entry| entry.has_manifest()));
        }
        for (key, given) in &self.objects {
            let entry = index.get(key).unwrap();
            assert_eq!(entry.projection, given.projection);
            assert_eq!(entry.has_manifest(), given.application.is_some());
            let children: BTreeSet<_> = index.children(&entry).iter().map(|entry| entry.key()).collect();
            assert_eq!(children, self.children(key), "children of {key}");
        }
        for namespace in 0..2 {
            let namespace = format!("ns{namespace}");
            let expected: BTreeSet<_> = self
                .objects
                .iter()
                .filter(|(key, given)| {
                    key.namespace == namespace && given.owner.is_none() && given.implied.is_none()
                })
                .map(|(key, _)| key.clone())
                .collect();
            let found: BTreeSet<_> = index.top_level(&namespace).iter().map(|entry| entry.key()).collect();
            assert_eq!(found, expected);
        }
    }

    fn walk(&self, root: &ResourceKey) -> BTreeSet<ResourceKey> {
        let mut seen = BTreeSet::from([root.clone()]);
        let mut next = vec![root.clone()];
        while let Some(key) = next.pop() {
            for child in self.children(&key) {
                if seen.insert(child.clone()) {
                    next.push(child);
                }
            }
        }
        seen
    }
}

/// Two live objects never share a uid; a model that lets them would test what cannot happen.
fn uid_taken(model: &Model, given: &Given) -> bool {
    let own = key(given.kind, given.namespace, given.name);
    model.objects.iter().any(|(key, other)| *key != own && other.uid == given.uid)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn the_index_agrees_with_a_naive_model(steps in proptest::collection::vec(step(), 1..40)) {
        let mut index = Index::new(false);
        let mut model = Model::default();
        let far = ResourceVersion::Number(u64::MAX);
        for (number, step) in steps.into_iter().enumerate() {
            match step {
                Step::Apply(given) if uid_taken(&model, &given) => {}
                Step::Apply(given) => {
                    let key = key(given.kind, given.namespace, given.name);
                    let (object, extracted) = object(&given, number as u64 + 1);
                    let change = index.apply(&object, extracted).unwrap();
                    let before = model.objects.insert(key.clone(), given.clone());
                    let application = |given: &Given| given.application.map(|number| format!("app{number}"));
                    prop_assert_eq!(&change.key, &key);
                    prop_assert_eq!(change.old_application.as_deref().map(str::to_owned), before.as_ref().and_then(application));
                    prop_assert_eq!(change.new_application.as_deref().map(str::to_owned), application(&given));
                    let same = before.as_ref().is_some_and(|before| before.uid == given.uid);
                    prop_assert_eq!(change.kind == ChangeKind::Updated, same);
                    if same && before.as_ref().is_some_and(|before| before.projection != given.projection) {
                        prop_assert!(change.projection_changed);
                    }
                }
                Step::Delete(of, namespace, name) => {
                    let key = key(of, namespace, name);
                    let change = index.delete(&key, None, None);
                    prop_assert_eq!(change.is_some(), model.objects.remove(&key).is_some());
                }
                Step::Retain(of, namespace, names) => {
                    let namespace_name = namespace.map(|namespace| format!("ns{namespace}"));
                    let named = names
                        .iter()
                        .map(|(namespace, name)| (format!("ns{namespace}").into(), format!("n{name}").into()))
                        .collect();
                    index.retain(&kind(of), namespace_name.as_deref(), &named, &far);
                    model.objects.retain(|other, given| {
                        other.group_kind() != kind(of)
                            || namespace.is_some_and(|namespace| given.namespace != namespace)
                            || names.contains(&(given.namespace, given.name))
                    });
                }
                Step::RemoveKind(of) => {
                    index.remove_kind(&kind(of), None);
                    model.objects.retain(|other, _| other.group_kind() != kind(of));
                }
            }
            model.check(&index);
        }
        for root in model.objects.keys() {
            let mut seen = Vec::new();
            index.walk(std::slice::from_ref(root), |node| seen.push(node.entry.key()));
            let unique: BTreeSet<_> = seen.iter().cloned().collect();
            prop_assert_eq!(unique.len(), seen.len());
            prop_assert_eq!(unique, model.walk(root));
        }
    }
}

fn plain(name: u8, number: u8, owner: Option<u8>, application: Option<u8>) -> Given {
    Given { kind: 0, namespace: 0, name, uid: number, owner, implied: None, application, projection: 1 }
}

fn apply(index: &mut Index<u64>, given: &Given, version: u64) -> Option<Change> {
    let (object, extracted) = object(given, version);
    index.apply(&object, extracted)
}

#[test]
fn a_grandchild_wakes_the_application_of_its_root() {
    let mut index = Index::new(false);
    apply(&mut index, &plain(0, 0, None, Some(0)), 1);
    apply(&mut index, &plain(1, 1, Some(0), None), 2);
    let change = apply(&mut index, &plain(2, 2, Some(1), None), 3).unwrap();
    assert_eq!(change.owning.iter().map(|application| &**application).collect::<Vec<_>>(), ["app0"]);
    assert_eq!(change.new_application, None);
}

#[test]
fn owners_in_a_ring_end() {
    let mut index = Index::new(false);
    apply(&mut index, &plain(0, 0, Some(1), Some(0)), 1);
    let change = apply(&mut index, &plain(1, 1, Some(0), None), 2).unwrap();
    assert_eq!(change.owning.len(), 1);
    let mut seen = 0;
    index.walk(&[key(0, 0, 0)], |_| seen += 1);
    assert_eq!(seen, 2);
}

#[test]
fn old_news_changes_nothing() {
    let mut index = Index::new(false);
    apply(&mut index, &plain(0, 0, None, None), 5);
    assert_eq!(apply(&mut index, &plain(0, 0, None, None), 5), None);
    assert_eq!(apply(&mut index, &plain(0, 0, None, None), 4), None);
    let old = ResourceVersion::Number(4);
    assert_eq!(index.delete(&key(0, 0, 0), None, Some(&old)), None);
    assert_eq!(index.delete(&key(0, 0, 0), Uid::parse(&uid(1)).as_ref(), None), None);
    assert_eq!(index.counts().0, 1);
}

#[test]
fn an_object_newer_than_the_list_survives_it() {
    let mut index = Index::new(false);
    apply(&mut index, &plain(0, 0, None, None), 5);
    apply(&mut index, &plain(1, 1, None, None), 9);
    let gone = index.retain(&kind(0), None, &BTreeSet::new(), &ResourceVersion::Number(7));
    assert_eq!(gone.into_iter().map(|change| change.key).collect::<Vec<_>>(), [key(0, 0, 0)]);
}

#[test]
fn a_write_outside_the_projection_is_told_apart() {
    let mut index = Index::new(false);
    apply(&mut index, &plain(0, 0, None, Some(0)), 1);
    assert!(!apply(&mut index, &plain(0, 0, None, Some(0)), 2).unwrap().projection_changed);
    let mut other = plain(0, 0, None, Some(0));
    other.projection = 2;
    assert!(apply(&mut index, &other, 3).unwrap().projection_changed);
}

#[test]
fn the_late_answer_to_a_write_does_not_bring_a_deleted_object_back() {
    let observe = |index: &mut Index<u64>, version: u64| {
        let (given, extracted) = object(&plain(0, 0, None, None), version);
        index.observe(&given, extracted).map(|change| change.kind)
    };
    let mut index = Index::new(false);
    assert_eq!(observe(&mut index, 2), None, "nothing was listed yet: the list will tell");
    index.retain(&kind(0), None, &BTreeSet::new(), &ResourceVersion::Number(3));
    assert_eq!(observe(&mut index, 5), Some(ChangeKind::Added));
    index.reach(&kind(0), None, &ResourceVersion::Number(7));
    index.delete(&key(0, 0, 0), None, None);
    assert_eq!(observe(&mut index, 6), None, "the watch was already past it");
    assert_eq!(index.counts().0, 0);
    assert_eq!(observe(&mut index, 8), Some(ChangeKind::Added), "made anew after the deletion");
}
