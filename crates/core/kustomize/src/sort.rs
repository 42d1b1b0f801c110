//! The order resources are printed in.

use crate::error::{Error, Result};
use crate::id::{FIRST, GvkRef, LAST, rank_in};
use crate::kustomization::SortOptions;
use crate::resource::Resource;
use crate::resources::Resources;
use std::cmp::Ordering;

const FIFO: &str = "fifo";
const LEGACY: &str = "legacy";

/// Sorts as `sortOptions` says.
pub(crate) fn sort(resources: &mut Resources, options: &SortOptions) -> Result<()> {
    match options.order.as_str() {
        LEGACY => {
            match &options.legacy {
                Some((first, last)) => by_kind(resources, first, last),
                None => by_kind(resources, &FIRST, &LAST),
            }
            Ok(())
        }
        FIFO if options.legacy.is_none() => Ok(()),
        FIFO => Err(Error::invalid(
            "the field 'sortOptions.legacySortOptions' is set but the selected sort order is 'fifo', not 'legacy'",
        )),
        _ => Err(Error::invalid("the field 'sortOptions.order' must be one of [fifo, legacy]")),
    }
}

/// The order the original prints in when nothing is said.
pub(crate) fn sort_by_default(resources: &mut Resources) {
    by_kind(resources, &FIRST, &LAST);
}

fn by_kind(resources: &mut Resources, first: &[impl AsRef<str>], last: &[impl AsRef<str>]) {
    struct Keys {
        rank: i32,
        gvk: String,
        id: String,
        first_namespaces: bool,
    }
    let keys = |resource: &Resource| {
        let gvk = resource.gvk();
        let namespace = if resource.namespace().is_empty() { "~X" } else { resource.namespace() };
        let name = if resource.name().is_empty() { "~N" } else { resource.name() };
        Keys {
            rank: rank_in(gvk.kind, first, last),
            gvk: gvk_key(gvk),
            id: format!("{gvk}|{namespace}|{name}"),
            first_namespaces: gvk.kind == "Namespace" && gvk.group.is_empty(),
        }
    };
    let list = std::mem::take(resources.list_mut());
    let mut keyed: Vec<(Keys, Resource)> =
        list.into_iter().map(|resource| (keys(&resource), resource)).collect();
    keyed.sort_by(|(left, _), (right, _)| {
        if left.gvk == right.gvk {
            return left.id.cmp(&right.id);
        }
        let by_gvk = left.gvk.cmp(&right.gvk);
        let namespaces = (left.first_namespaces || right.first_namespaces)
            && left.gvk.ends_with("_Namespace")
            && right.gvk.ends_with("_Namespace");
        let by_gvk = if namespaces { by_gvk.reverse() } else { by_gvk };
        match left.rank.cmp(&right.rank) {
            Ordering::Equal => by_gvk,
            other => other,
        }
    });
    resources.list_mut().extend(keyed.into_iter().map(|(_, resource)| resource));
}

fn gvk_key(gvk: GvkRef<'_>) -> String {
    let or = |text: &str, none: &str| if text.is_empty() { none.to_owned() } else { text.to_owned() };
    format!("{}_{}_{}", or(gvk.group, "~G"), or(gvk.version, "~V"), or(gvk.kind, "~K"))
}
