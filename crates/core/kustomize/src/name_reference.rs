//! Names changed; what refers to them follows. Candidates are found by name, so that thousands of resources cost what
//! their references cost.

use crate::config::NameReference;
use crate::error::{Error, Result, Within as _};
use crate::field_spec::FieldSpec;
use crate::id::{Gvk, Id};
use crate::node::{Content, Kind, Node};
use crate::resource::Resource;
use crate::resources::Resources;
use crate::schema::Schema;
use std::collections::{BTreeSet, HashMap, HashSet};

/// What must be known of a resource to say whether something refers to it.
struct Candidate {
    id: Id,
    previous: Vec<Id>,
    original_namespace: String,
    prefixes: Vec<String>,
    suffixes: Vec<String>,
}

/// Which of the places a namespace was seen in.
#[derive(PartialEq, Eq, Hash)]
struct Place {
    cluster: bool,
    namespace: String,
}

struct Candidates {
    list: Vec<Candidate>,
    by_previous_name: HashMap<String, Vec<usize>>,
    /// Present namespaces of what had a namespace first.
    by_original_namespace: HashMap<String, HashSet<Place>>,
}

/// A field to look at, and the kind it names.
type Rule<'a> = (&'a Gvk, &'a FieldSpec);

/// Writes the present name into every field that refers to a resource by a name it had.
pub(crate) fn fix(resources: &mut Resources, references: &[NameReference], schema: &Schema) -> Result<()> {
    let candidates = Candidates::new(resources, schema)?;
    let mut rules: HashMap<Gvk, Vec<Rule<'_>>> = HashMap::new();
    let mut referred: BTreeSet<usize> = BTreeSet::new();
    let list = resources.list_mut();
    for (at, resource) in list.iter_mut().enumerate() {
        let original = resource.original_id(schema)?.gvk;
        let rules = rules.entry(original).or_insert_with_key(|gvk| {
            references
                .iter()
                .flat_map(|reference| reference.referrers.iter().map(move |spec| (&reference.target, spec)))
                .filter(|(_, spec)| gvk.is_selected(&spec.gvk))
                .collect()
        });
        if rules.is_empty() {
            continue;
        }
        let referrer = Referrer::new(&candidates, at, resource)?;
        for (target, spec) in rules.iter() {
            let search = Search { referrer: &referrer, target, by_role: spec.path.ends_with("roleRef/name") };
            walk(&mut resource.node, &spec.parts, &mut |node| search.set(node, &mut referred)).within(
                || {
                    format!(
                        "updating name reference in '{}' field of '{}'",
                        spec.path, candidates.list[at].id
                    )
                },
            )?;
        }
        resource.settle();
    }
    for at in referred {
        list[at].note_referral("referrer")?;
    }
    Ok(())
}

/// As field specifications are walked, nothing made.
fn walk(node: &mut Node, path: &[String], set: &mut dyn FnMut(&mut Node) -> Result<()>) -> Result<()> {
    let Some((part, rest)) = path.split_first() else { return set(node) };
    if node.is_null() {
        return Ok(());
    }
    match &mut node.content {
        Content::Sequence(items) => items.iter_mut().try_for_each(|item| walk(item, path, set)),
        Content::Mapping(_) => {
            let name = part.strip_suffix("[]").unwrap_or(part);
            node.lookup_mut(&[name])?.map_or(Ok(()), |field| walk(field, rest, set))
        }
        Content::Scalar(_) => Err(Error::invalid("expected sequence or mapping node")),
    }
}

impl Candidates {
    fn new(resources: &Resources, schema: &Schema) -> Result<Self> {
        let mut candidates = Self {
            list: Vec::new(),
            by_previous_name: HashMap::new(),
            by_original_namespace: HashMap::new(),
        };
        for (at, resource) in resources.list().iter().enumerate() {
            let id = resource.current_id(schema);
            let previous = resource.previous_ids()?;
            let owned = |texts: Vec<&str>| texts.into_iter().map(ToOwned::to_owned).collect();
            for name in previous.iter().map(|id| &id.name).collect::<BTreeSet<_>>() {
                candidates.by_previous_name.entry(name.clone()).or_default().push(at);
            }
            let original_namespace = previous.first().unwrap_or(&id).effective_namespace().to_owned();
            let place = Place { cluster: id.cluster, namespace: id.namespace.clone() };
            candidates.by_original_namespace.entry(original_namespace.clone()).or_default().insert(place);
            candidates.list.push(Candidate {
                prefixes: owned(resource.prefixes()),
                suffixes: owned(resource.suffixes()),
                id,
                previous,
                original_namespace,
            });
        }
        Ok(candidates)
    }
}

struct Referrer<'a> {
    candidates: &'a Candidates,
    own: &'a Candidate,
    /// Namespaces of the service accounts a role binding names.
    subject_namespaces: HashSet<String>,
    role: Option<Gvk>,
}

impl<'a> Referrer<'a> {
    fn new(candidates: &'a Candidates, at: usize, resource: &Resource) -> Result<Self> {
        let text = |node: Option<&Node>| node.map(|node| node.text().to_owned());
        let role = resource.node.get("roleRef");
        let role = match (
            text(role.and_then(|role| role.get("apiGroup"))),
            text(role.and_then(|role| role.get("kind"))),
        ) {
            (Some(group), Some(kind)) => Some(Gvk { group, version: String::new(), kind }),
            _ => None,
        };
        let mut subject_namespaces = HashSet::new();
        if resource.kind() == "RoleBinding" {
            for subject in resource.node.get("subjects").map_or(&[][..], Node::items) {
                let is_account = subject.get("kind").is_some_and(|kind| kind.text() == "ServiceAccount");
                let Some(namespace) = subject.get("namespace").filter(|_| is_account) else { continue };
                if namespace.is_null() || namespace.kind() != Kind::Scalar {
                    return Err(Error::invalid(format!(
                        "Invalid Input: namespace is blank for resource \"{}\"",
                        candidates.list[at].id
                    )));
                }
                subject_namespaces.insert(namespace.text().to_owned());
            }
        }
        Ok(Self { candidates, own: &candidates.list[at], subject_namespaces, role })
    }

    /// Whether the referrer can mean something in this namespace at all.
    fn sees(&self, cluster: bool, namespace: &str) -> bool {
        self.own.id.cluster
            || cluster
            || crate::id::effective_namespace(namespace, false) == self.own.id.effective_namespace()
            || self.subject_namespaces.contains(namespace)
    }

    fn is_in_same_namespace(&self, candidate: &Candidate) -> bool {
        self.own.id.cluster
            || candidate.id.cluster
            || candidate.id.gvk.kind == "ServiceAccount"
            || candidate.id.effective_namespace() == self.own.id.effective_namespace()
    }
}

struct Search<'a> {
    referrer: &'a Referrer<'a>,
    target: &'a Gvk,
    by_role: bool,
}

impl Search<'_> {
    fn set(&self, node: &mut Node, referred: &mut BTreeSet<usize>) -> Result<()> {
        if node.is_null() {
            return Ok(());
        }
        match &mut node.content {
            Content::Scalar(_) => self.set_scalar(node, referred),
            Content::Mapping(_) => self.set_mapping(node, referred),
            Content::Sequence(items) => {
                items.iter_mut().filter(|item| !item.is_null()).try_for_each(|item| match item.kind() {
                    Kind::Scalar => self.set_scalar(item, referred),
                    Kind::Mapping => self.set_mapping(item, referred),
                    Kind::Sequence => {
                        Err(Error::invalid("a list is expected to be either a string or a map of string"))
                    }
                })
            }
        }
    }

    fn set_scalar(&self, node: &mut Node, referred: &mut BTreeSet<usize>) -> Result<()> {
        let Some(at) = self.referral(node.text(), |_| true, |left, right| left.id.name == right.id.name)?
        else {
            return Ok(());
        };
        referred.insert(at);
        let name = &self.referrer.candidates.list[at].id.name;
        if name == node.text() { Ok(()) } else { node.set_scalar(Node::plain(name.as_str())) }
    }

    fn set_mapping(&self, node: &mut Node, referred: &mut BTreeSet<usize>) -> Result<()> {
        let Some(name) = node.get("name") else {
            return Err(Error::invalid("path config error; no 'name' field in node"));
        };
        let old = name.text().to_owned();
        let namespace = node.get("namespace").map(|namespace| namespace.text().to_owned());
        let in_namespace = self.in_namespace(namespace.as_deref());
        let same = |left: &Candidate, right: &Candidate| {
            left.id.name == right.id.name && left.id.namespace == right.id.namespace
        };
        let Some(at) = self.referral(&old, in_namespace, same)? else { return Ok(()) };
        referred.insert(at);
        let id = &self.referrer.candidates.list[at].id;
        if id.name == old && id.namespace.is_empty() {
            return Ok(());
        }
        node.set_field("name", Node::plain(id.name.as_str()))?;
        if id.namespace.is_empty() {
            return Ok(());
        }
        node.set_field("namespace", Node::plain(id.namespace.as_str()))
    }

    /// Candidates in a namespace they had first, or, when there is none, in one they have now.
    fn in_namespace<'n>(&self, namespace: Option<&'n str>) -> impl Fn(&Candidate) -> bool + use<'n> {
        let originally =
            namespace.filter(|namespace| *namespace != crate::id::NO_NAMESPACE).is_some_and(|namespace| {
                let places = self.referrer.candidates.by_original_namespace.get(namespace);
                places.is_some_and(|places| {
                    places.iter().any(|place| self.referrer.sees(place.cluster, &place.namespace))
                })
            });
        move |candidate| match namespace {
            None => true,
            Some(crate::id::NO_NAMESPACE) => false,
            Some(namespace) if originally => candidate.original_namespace == namespace,
            Some(namespace) => candidate.id.effective_namespace() == namespace,
        }
    }

    fn referral(
        &self,
        old: &str,
        admitted: impl Fn(&Candidate) -> bool,
        same: impl Fn(&Candidate, &Candidate) -> bool,
    ) -> Result<Option<usize>> {
        let all = self.referrer.candidates;
        let Some(called) = all.by_previous_name.get(old) else { return Ok(None) };
        let had =
            |candidate: &Candidate, gvk: &Gvk| candidate.previous.iter().any(|id| id.gvk.is_selected(gvk));
        let role = self.referrer.role.as_ref().filter(|_| self.by_role);
        let mut found: Vec<usize> = called
            .iter()
            .copied()
            .filter(|at| {
                let candidate = &all.list[*at];
                self.referrer.sees(candidate.id.cluster, &candidate.id.namespace)
                    && admitted(candidate)
                    && had(candidate, self.target)
                    && role.is_none_or(|role| had(candidate, role))
                    && self.referrer.is_in_same_namespace(candidate)
            })
            .collect();
        if let [one] = found.as_slice() {
            return Ok(Some(*one));
        }
        let own = self.referrer.own;
        let fits = |at: &usize, or_none: bool| {
            let candidate = &all.list[*at];
            ends_alike(&candidate.prefixes, &own.prefixes, or_none)
                && ends_alike(&candidate.suffixes, &own.suffixes, or_none)
        };
        found.retain(|at| fits(at, true));
        if found.len() > 1 {
            found.retain(|at| fits(at, false));
        }
        let Some((first, rest)) = found.split_first() else { return Ok(None) };
        if rest.iter().all(|at| same(&all.list[*first], &all.list[*at])) {
            return Ok(Some(*first));
        }
        let ids: Vec<String> = found.iter().map(|at| all.list[*at].id.to_string()).collect();
        Err(Error::invalid(format!("found multiple possible referrals: {}", ids.join(", "))))
    }
}

/// Whether the shorter list is the end of the longer one; an empty one is only the end of an empty one, unless it
/// counts for any.
fn ends_alike(left: &[String], right: &[String], or_none: bool) -> bool {
    let (short, long) = if left.len() > right.len() { (right, left) } else { (left, right) };
    if short.is_empty() {
        return or_none || long.is_empty();
    }
    long.ends_with(short)
}
