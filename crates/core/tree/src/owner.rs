//! Owners that no owner reference names.

use crate::info::NodeInfo;
use object::{Object, ResourceKey};

/// An owner known by name, in the object's own namespace.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ImpliedOwner {
    /// API group.
    pub group: &'static str,
    /// Kind.
    pub kind: &'static str,
    /// Name.
    pub name: String,
}

/// More parts than this no claim's name is taken apart into.
const MOST_CANDIDATES: usize = 16;

/// Who may own an object beyond its owner references. A volume claim's StatefulSet is a guess that
/// [`claims`] settles once both are known.
pub fn implied_owners(live: &Object) -> Vec<ImpliedOwner> {
    match (live.group(), live.kind()) {
        // Endpoints have had no owner since the beginning (kubernetes#28483).
        ("", "Endpoints") if live.owner_references().is_empty() => {
            vec![ImpliedOwner { group: "", kind: "Service", name: live.name().to_owned() }]
        }
        ("", "Secret") => token_account(live).into_iter().collect(),
        ("", "PersistentVolumeClaim") => claim_owners(live.name()),
        ("operators.coreos.com", "ClusterServiceVersion") => {
            let group = live.annotation("olm.operatorGroup").filter(|name| !name.is_empty());
            group
                .map(|name| ImpliedOwner {
                    group: "operators.coreos.com",
                    kind: "OperatorGroup",
                    name: name.to_owned(),
                })
                .into_iter()
                .collect()
        }
        _ => Vec::new(),
    }
}

/// The account whose token a Secret holds.
fn token_account(live: &Object) -> Option<ImpliedOwner> {
    if live.text_at(&["type"]) != "kubernetes.io/service-account-token" {
        return None;
    }
    live.annotation("kubernetes.io/service-account.uid").filter(|uid| !uid.is_empty())?;
    let name = live.annotation("kubernetes.io/service-account.name").filter(|name| !name.is_empty())?;
    Some(ImpliedOwner { group: "", kind: "ServiceAccount", name: name.to_owned() })
}

/// `data-my-web-0` may belong to `web` or `my-web`.
fn claim_owners(name: &str) -> Vec<ImpliedOwner> {
    let Some((stem, ordinal)) = name.rsplit_once('-') else { return Vec::new() };
    if ordinal.is_empty() || !ordinal.bytes().all(|byte| byte.is_ascii_digit()) {
        return Vec::new();
    }
    let starts = stem.match_indices('-').map(|(at, _)| at + 1).filter(|start| *start < stem.len());
    starts
        .take(MOST_CANDIDATES)
        .map(|start| ImpliedOwner { group: "apps", kind: "StatefulSet", name: stem[start..].to_owned() })
        .collect()
}

/// Whether a StatefulSet's templates make a claim of this name.
pub fn claims(set: &ResourceKey, info: &NodeInfo, claim: &ResourceKey) -> bool {
    claim.namespace == set.namespace
        && info.claim_templates.iter().any(|template| {
            let ordinal = claim
                .name
                .strip_prefix(template.as_str())
                .and_then(|rest| rest.strip_prefix('-'))
                .and_then(|rest| rest.strip_prefix(set.name.as_str()))
                .and_then(|rest| rest.strip_prefix('-'));
            ordinal.is_some_and(|text| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()))
        })
}
