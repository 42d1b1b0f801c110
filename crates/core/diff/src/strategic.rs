//! Strategic merge: the patch between two objects of a built-in kind, and such a patch applied. The rules, down
//! to the order of list elements, are those of Kubernetes' `strategicpatch`.

use crate::schema::{self, Field, Type};
use serde_json::{Map, Value};

const DIRECTIVE: &str = "$patch";
const RETAIN_KEYS: &str = "$retainKeys";
const ORDER_PREFIX: &str = "$setElementOrder/";
const DELETE_PREFIX: &str = "$deleteFromPrimitiveList/";

/// Why no patch could be made or applied.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct PatchError(String);

type Patched<T> = Result<T, PatchError>;

fn fail<T>(text: impl Into<String>) -> Patched<T> {
    Err(PatchError(text.into()))
}

/// Which half of a difference is wanted.
#[derive(Clone, Copy, Default)]
struct Wanted {
    no_changes: bool,
    no_deletions: bool,
    retain_keys: bool,
}

/// How a patch is merged.
#[derive(Clone, Copy, PartialEq)]
enum Merging {
    /// Into an object.
    Apply,
    /// Into another patch.
    Combine,
}

/// What turns `original` into `modified`.
pub(crate) fn two_way(
    original: &Map<String, Value>,
    modified: &Map<String, Value>,
    root: &Type,
) -> Patched<Map<String, Value>> {
    diff_maps(original, modified, root, Wanted::default())
}

/// What must happen to `current` so that it says what `modified` says, and no longer what only `original` said.
pub(crate) fn three_way(
    original: &Map<String, Value>,
    modified: &Map<String, Value>,
    current: &Map<String, Value>,
    root: &Type,
) -> Patched<Map<String, Value>> {
    let changes = diff_maps(current, modified, root, Wanted { no_deletions: true, ..Wanted::default() })?;
    let deletions = diff_maps(original, modified, root, Wanted { no_changes: true, ..Wanted::default() })?;
    merge_map(deletions, changes, root, Merging::Combine)
}

/// The object after the patch.
pub(crate) fn apply(
    object: &Map<String, Value>,
    patch: Map<String, Value>,
    root: &Type,
) -> Patched<Map<String, Value>> {
    merge_map(object.clone(), patch, root, Merging::Apply)
}

// --- What the types say.

/// A field that our types do not have, since the API server's are newer, or that is in what has no type. As the server does
/// without a schema, maps are merged and a list is one value.
static UNKNOWN: Field = Field::plain(Type::Any);

fn member(kind: &Type, name: &str) -> &'static Field {
    let kind = match kind {
        Type::Pointer(inner) => inner,
        other => other,
    };
    let Type::Struct(type_name) = kind else { return &UNKNOWN };
    let known = schema::fields(type_name).and_then(|fields| schema::lookup(fields, name));
    known.map_or(&UNKNOWN, |(_, field)| field)
}

fn list_member(kind: &Type, name: &str) -> Patched<(&'static Type, &'static Field)> {
    let field = member(kind, name);
    let element: &'static Type = match &field.kind {
        Type::List(element) if matches!(**element, Type::List(_)) => {
            return fail("unexpected slice of slice");
        }
        Type::List(element) => element,
        Type::Pointer(inner) => match &**inner {
            Type::List(element) => element,
            _ => inner,
        },
        Type::Any => &field.kind,
        _ => return fail("expected slice or array type"),
    };
    Ok((element, field))
}

// --- Making a patch.

fn diff_maps(
    original: &Map<String, Value>,
    modified: &Map<String, Value>,
    kind: &Type,
    wanted: Wanted,
) -> Patched<Map<String, Value>> {
    let mut patch = Map::new();
    for (name, new) in modified {
        let Some(old) = original.get(name) else {
            if !wanted.no_changes {
                patch.insert(name.clone(), new.clone());
            }
            continue;
        };
        match (old, new) {
            _ if name == DIRECTIVE => {
                if !old.is_string() || !new.is_string() {
                    return fail("invalid value for special key: $patch");
                }
                if old != new {
                    patch.insert(name.clone(), new.clone());
                }
            }
            (Value::Object(old), Value::Object(new)) => {
                diff_map_member(name, old, new, &mut patch, kind, wanted)?;
            }
            (Value::Array(old), Value::Array(new)) => {
                diff_list_member(name, old, new, &mut patch, kind, wanted)?;
            }
            _ => {
                if !wanted.no_changes && old != new {
                    patch.insert(name.clone(), new.clone());
                }
            }
        }
    }
    if !wanted.no_deletions {
        for name in original.keys().filter(|name| !modified.contains_key(*name)) {
            patch.insert(name.clone(), Value::Null);
        }
    }
    if wanted.retain_keys {
        let mut kept: Vec<Value> = modified
            .iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(name, _)| name.as_str().into())
            .collect();
        let lost = original.iter().any(|(name, value)| !value.is_null() && !modified.contains_key(name));
        if !kept.is_empty() && (!patch.is_empty() || lost) {
            kept.sort_by_key(printed);
            patch.insert(RETAIN_KEYS.to_owned(), Value::Array(kept));
        }
    }
    Ok(patch)
}

fn diff_map_member(
    name: &str,
    old: &Map<String, Value>,
    new: &Map<String, Value>,
    patch: &mut Map<String, Value>,
    kind: &Type,
    wanted: Wanted,
) -> Patched<()> {
    let field = member(kind, name);
    if field.replace {
        if !wanted.no_changes {
            patch.insert(name.to_owned(), Value::Object(new.clone()));
        }
        return Ok(());
    }
    let difference = diff_maps(old, new, &field.kind, Wanted { retain_keys: field.retain_keys, ..wanted })?;
    if !difference.is_empty() {
        patch.insert(name.to_owned(), Value::Object(difference));
    }
    Ok(())
}

fn diff_list_member(
    name: &str,
    old: &[Value],
    new: &[Value],
    patch: &mut Map<String, Value>,
    kind: &Type,
    wanted: Wanted,
) -> Patched<()> {
    let (element, field) = match list_member(kind, name) {
        Ok(found) => found,
        Err(_) if old == new => return Ok(()),
        Err(error) => return Err(error),
    };
    if !field.merge {
        if !wanted.no_changes && old != new {
            patch.insert(name.to_owned(), Value::Array(new.to_vec()));
        }
        return Ok(());
    }
    let wanted = Wanted { retain_keys: field.retain_keys, ..wanted };
    let difference = diff_lists(old, new, element, field.merge_key, wanted)?;
    let mut put = |prefix: &str, list: Vec<Value>| {
        if !list.is_empty() {
            patch.insert(format!("{prefix}{name}"), Value::Array(list));
        }
    };
    put("", difference.patch);
    put(DELETE_PREFIX, difference.deleted);
    put(ORDER_PREFIX, difference.order);
    Ok(())
}

#[derive(Default)]
struct ListDifference {
    patch: Vec<Value>,
    deleted: Vec<Value>,
    order: Vec<Value>,
}

fn diff_lists(
    old: &[Value],
    new: &[Value],
    element: &Type,
    merge_key: &str,
    wanted: Wanted,
) -> Patched<ListDifference> {
    if old.is_empty() {
        let patch = if wanted.no_changes { Vec::new() } else { new.to_vec() };
        return Ok(ListDifference { patch, ..ListDifference::default() });
    }
    if elements_are_maps(old.iter().chain(new))? {
        let (patch, deleted) = diff_lists_of_maps(old, new, element, merge_key, wanted)?;
        let mut patch = in_order(patch, new, Some(merge_key))?;
        let same_order = same_order(old, new, merge_key)?;
        patch.extend(deleted);
        let ordered = (!wanted.no_changes && (!patch.is_empty() || !same_order))
            || (!wanted.no_deletions && !patch.is_empty());
        let order =
            if ordered { new.iter().map(|item| key_only(item, merge_key)).collect() } else { Vec::new() };
        return Ok(ListDifference { patch, deleted: Vec::new(), order });
    }
    let (patch, deleted) = diff_lists_of_scalars(old, new, wanted);
    let patch = in_order(patch, new, None)?;
    let ordered = (!wanted.no_deletions && !deleted.is_empty()) || (!wanted.no_changes && old != new);
    Ok(ListDifference { patch, deleted, order: if ordered { new.to_vec() } else { Vec::new() } })
}

fn key_only(item: &Value, merge_key: &str) -> Value {
    let value = item.get(merge_key).cloned().unwrap_or_default();
    Value::Object(Map::from_iter([(merge_key.to_owned(), value)]))
}

fn same_order(old: &[Value], new: &[Value], merge_key: &str) -> Patched<bool> {
    if old.len() != new.len() {
        return Ok(false);
    }
    for (old, new) in old.iter().zip(new) {
        if key_of(old, merge_key)? != key_of(new, merge_key)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn key_of<'a>(item: &'a Value, merge_key: &str) -> Patched<&'a Value> {
    match item.get(merge_key) {
        Some(value) => Ok(value),
        None => fail(format!("map: {item} does not contain declared merge key: {merge_key}")),
    }
}

/// Go's `%v`.
fn printed(value: &Value) -> String {
    match value {
        Value::Null => "<nil>".into(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Sorted as `sort.Sort` leaves short lists when `less` holds for equals: equals change places.
fn sorted_by_key(items: &[Value], key: impl Fn(&Value) -> String) -> Vec<Value> {
    let mut sorted: Vec<Value> = items.iter().rev().cloned().collect();
    sorted.sort_by_cached_key(|item| key(item));
    sorted
}

fn diff_lists_of_maps(
    old: &[Value],
    new: &[Value],
    element: &Type,
    merge_key: &str,
    wanted: Wanted,
) -> Patched<(Vec<Value>, Vec<Value>)> {
    for item in old.iter().chain(new) {
        key_of(item, merge_key)?;
    }
    let key = |item: &Value| printed(item.get(merge_key).unwrap_or(&Value::Null));
    let (old, new) = (sorted_by_key(old, key), sorted_by_key(new, key));
    let (mut patch, mut deleted) = (Vec::new(), Vec::new());
    let (mut left, mut right) = (old.iter().peekable(), new.iter().peekable());
    loop {
        let order = match (left.peek(), right.peek()) {
            (None, None) => return Ok((patch, deleted)),
            (None, Some(_)) => std::cmp::Ordering::Greater,
            (Some(_), None) => std::cmp::Ordering::Less,
            (Some(left), Some(right)) => key(left).cmp(&key(right)),
        };
        match order {
            std::cmp::Ordering::Equal => {
                if let (Some(Value::Object(old)), Some(Value::Object(new))) = (left.next(), right.next()) {
                    let mut difference = diff_maps(old, new, element, wanted)?;
                    if !difference.is_empty() {
                        difference
                            .insert(merge_key.to_owned(), new.get(merge_key).cloned().unwrap_or_default());
                        patch.push(Value::Object(difference));
                    }
                }
            }
            std::cmp::Ordering::Greater => {
                if let Some(new) = right.next().filter(|_| !wanted.no_changes) {
                    patch.push(new.clone());
                }
            }
            std::cmp::Ordering::Less => {
                if let Some(old) = left.next().filter(|_| !wanted.no_deletions) {
                    let mut gone = key_only(old, merge_key);
                    gone[DIRECTIVE] = "delete".into();
                    deleted.push(gone);
                }
            }
        }
    }
}

fn diff_lists_of_scalars(old: &[Value], new: &[Value], wanted: Wanted) -> (Vec<Value>, Vec<Value>) {
    let (old, new) = (sorted_by_key(old, printed), sorted_by_key(new, printed));
    let (mut added, mut deleted) = (Vec::new(), Vec::new());
    let (mut left, mut right) = (old.iter().peekable(), new.iter().peekable());
    loop {
        let order = match (left.peek(), right.peek()) {
            (None, None) => return (added, without_duplicates(deleted)),
            (None, Some(_)) => std::cmp::Ordering::Greater,
            (Some(_), None) => std::cmp::Ordering::Less,
            (Some(left), Some(right)) => printed(left).cmp(&printed(right)),
        };
        match order {
            std::cmp::Ordering::Equal => {
                left.next();
                right.next();
            }
            std::cmp::Ordering::Greater => added.extend(right.next().filter(|_| !wanted.no_changes).cloned()),
            std::cmp::Ordering::Less => deleted.extend(left.next().filter(|_| !wanted.no_deletions).cloned()),
        }
    }
}

/// As the original drops them: the last element takes the place of each duplicate.
fn without_duplicates(mut items: Vec<Value>) -> Vec<Value> {
    let mut first = 0;
    while first < items.len() {
        let mut second = first + 1;
        while second < items.len() {
            if items[first] == items[second] {
                items.swap_remove(second);
            } else {
                second += 1;
            }
        }
        first += 1;
    }
    items
}

/// Whether the elements are maps; they must all be of one type.
fn elements_are_maps<'a>(items: impl Iterator<Item = &'a Value>) -> Patched<bool> {
    let mut found = None;
    for item in items {
        let kind = match item {
            Value::Array(_) => return fail("lists of lists are not supported"),
            Value::Null => "null",
            Value::Bool(_) => "bool",
            Value::Number(number) if number.is_f64() => "float",
            Value::Number(_) => "int",
            Value::String(_) => "string",
            Value::Object(_) => "map",
        };
        if *found.get_or_insert(kind) != kind {
            return fail("list element types are not identical");
        }
    }
    match found {
        Some(kind) => Ok(kind == "map"),
        None => fail("no elements in any of the given slices"),
    }
}

// --- Order of elements.

fn position(list: &[Value], item: &Value, merge_key: Option<&str>) -> Option<usize> {
    match merge_key {
        Some(key) => list.iter().position(|other| other.get(key) == item.get(key)),
        None => list.iter().position(|other| other == item),
    }
}

/// Elements in the order another list has them; deletions last.
fn in_order(items: Vec<Value>, order: &[Value], merge_key: Option<&str>) -> Patched<Vec<Value>> {
    let (mut items, deletions) = match merge_key {
        Some(key) => {
            for item in items.iter().chain(order) {
                key_of(item, key)?;
            }
            items.into_iter().partition(|item: &Value| item.get(DIRECTIVE) != Some(&"delete".into()))
        }
        None => (items, Vec::new()),
    };
    // An insertion sort with the original's comparison, which holds for anything the order does not know.
    let goes_before = |left: &Value, right: &Value| match (
        position(order, left, merge_key),
        position(order, right, merge_key),
    ) {
        (Some(left), Some(right)) => left < right,
        _ => true,
    };
    for end in 1..items.len() {
        let mut at = end;
        while at > 0 && goes_before(&items[at], &items[at - 1]) {
            items.swap(at, at - 1);
            at -= 1;
        }
    }
    items.extend(deletions);
    Ok(items)
}

/// The patch's elements in the patch's order, with those only the server has where the server had them.
fn interleaved(
    patch: Vec<Value>,
    server_only: Vec<Value>,
    patch_order: &[Value],
    server_order: &[Value],
    merge_key: Option<&str>,
) -> Patched<Vec<Value>> {
    let patch = in_order(patch, patch_order, merge_key)?;
    let server_only = in_order(server_only, server_order, merge_key)?;
    let mut merged = Vec::with_capacity(patch.len() + server_only.len());
    let (mut left, mut right) = (server_only.into_iter().peekable(), patch.into_iter().peekable());
    loop {
        let server_first = match (left.peek(), right.peek()) {
            (None, None) => return Ok(merged),
            (None, Some(_)) => false,
            (Some(_), None) => true,
            (Some(left), Some(right)) => {
                let left = position(server_order, left, merge_key);
                let right = position(server_order, right, merge_key);
                left.zip(right).is_some_and(|(left, right)| left < right)
            }
        };
        merged.extend(if server_first { left.next() } else { right.next() });
    }
}

/// Elements that the other list has as well, and those it has not.
fn partition(items: Vec<Value>, by: &[Value], merge_key: Option<&str>) -> Patched<(Vec<Value>, Vec<Value>)> {
    if let Some(key) = merge_key {
        for item in &items {
            key_of(item, key)?;
        }
    }
    Ok(items.into_iter().partition(|item| position(by, item, merge_key).is_some()))
}

fn some_key(merge_key: &str) -> Option<&str> {
    (!merge_key.is_empty()).then_some(merge_key)
}

// --- Merging a patch.

fn merge_map(
    mut original: Map<String, Value>,
    mut patch: Map<String, Value>,
    kind: &Type,
    merging: Merging,
) -> Patched<Map<String, Value>> {
    if let Some(directive) = patch.remove(DIRECTIVE) {
        return match directive.as_str() {
            Some("replace") => Ok(patch),
            Some("delete") => Ok(Map::new()),
            _ => fail(format!("unknown patch type found: {directive}")),
        };
    }
    apply_retain_keys(&mut original, &mut patch, merging)?;
    apply_orders(&mut original, &mut patch, kind, merging)?;
    for (name, new) in patch {
        let deleting = name.starts_with(DELETE_PREFIX);
        if deleting && merging == Merging::Combine {
            original.insert(name, new);
            continue;
        }
        let name = name.strip_prefix(DELETE_PREFIX).unwrap_or(&name).to_owned();
        if new.is_null() {
            original.remove(&name);
            if merging == Merging::Apply {
                continue;
            }
        }
        match (original.remove(&name), new) {
            (Some(Value::Object(old)), Value::Object(new)) => {
                let field = member(kind, &name);
                let merged = if field.replace { new } else { merge_map(old, new, &field.kind, merging)? };
                original.insert(name, Value::Object(merged));
            }
            (Some(Value::Array(old)), Value::Array(new)) => {
                let (element, field) = list_member(kind, &name)?;
                let merged = if field.merge || deleting {
                    merge_list(old, new, element, field.merge_key, deleting, merging)?
                } else {
                    new
                };
                original.insert(name, Value::Array(merged));
            }
            (Some(old), _) if deleting => {
                original.insert(name, old);
            }
            (None, _) if deleting => {}
            (_, mut new) => {
                if merging == Merging::Apply {
                    drop_nulls(&mut new);
                }
                if let Some(new) = without_directives(new) {
                    original.insert(name, new);
                }
            }
        }
    }
    Ok(original)
}

fn apply_retain_keys(
    original: &mut Map<String, Value>,
    patch: &mut Map<String, Value>,
    merging: Merging,
) -> Patched<()> {
    let Some(retained) = patch.remove(RETAIN_KEYS) else { return Ok(()) };
    if merging == Merging::Combine {
        return match original.get(RETAIN_KEYS) {
            Some(other) if *other != retained => fail("retained keys differ between the halves of the patch"),
            Some(_) => Ok(()),
            None => {
                original.insert(RETAIN_KEYS.to_owned(), retained);
                Ok(())
            }
        };
    }
    let Value::Array(retained) = retained else { return fail("invalid patch format of retainKeys") };
    let keeps = |name: &str| retained.iter().any(|kept| kept == name);
    let foreign = patch.iter().any(|(name, value)| {
        !value.is_null()
            && !name.starts_with(DELETE_PREFIX)
            && !name.starts_with(ORDER_PREFIX)
            && !keeps(name)
    });
    if foreign {
        return fail("invalid patch format of retainKeys");
    }
    original.retain(|name, _| keeps(name));
    Ok(())
}

/// Lists whose order the patch states.
fn apply_orders(
    original: &mut Map<String, Value>,
    patch: &mut Map<String, Value>,
    kind: &Type,
    merging: Merging,
) -> Patched<()> {
    let orders: Vec<String> = patch.keys().filter(|name| name.starts_with(ORDER_PREFIX)).cloned().collect();
    for directive in orders {
        let Some(Value::Array(order)) = patch.remove(&directive) else {
            return fail("invalid patch format of setElementOrder list");
        };
        if merging == Merging::Combine {
            match original.get(&directive) {
                Some(Value::Array(other)) if *other == order => {}
                Some(_) => return fail("invalid patch format of setElementOrder list"),
                None => {
                    original.insert(directive.clone(), Value::Array(order.clone()));
                }
            }
        }
        let name = directive.strip_prefix(ORDER_PREFIX).unwrap_or(&directive);
        let (element, field) = list_member(kind, name)?;
        let merge_key = some_key(field.merge_key);
        let as_list = |value: Option<Value>| match value {
            None => Ok(None),
            Some(Value::Array(items)) => Ok(Some(items)),
            Some(_) => fail("expected a list"),
        };
        let old = as_list(original.get(name).cloned())?;
        let new = as_list(patch.get(name).cloned())?;
        check_order(new.as_deref().unwrap_or_default(), &order, merge_key)?;
        let server_order = old.clone().unwrap_or_default();
        elements_of_one_type(&server_order, new.as_deref().unwrap_or_default())?;
        let merged = match (old, new) {
            (None, None) => continue,
            (Some(old), None) => old,
            (None, Some(new)) => match without_directives(Value::Array(new)) {
                Some(Value::Array(new)) => new,
                _ => continue,
            },
            (Some(old), Some(new)) if field.merge => {
                merge_list(old, new, element, field.merge_key, false, merging)?
            }
            (Some(_), Some(new)) => new,
        };
        let (from_patch, server_only) = partition(merged, &order, merge_key)?;
        let both = interleaved(from_patch, server_only, &order, &server_order, merge_key)?;
        let name = name.to_owned();
        patch.remove(&name);
        original.insert(name, Value::Array(both));
    }
    Ok(())
}

fn elements_of_one_type(left: &[Value], right: &[Value]) -> Patched<()> {
    if left.is_empty() && right.is_empty() {
        return Ok(());
    }
    elements_are_maps(left.iter().chain(right)).map(|_| ())
}

/// The patch's elements must be in the stated order.
fn check_order(patch: &[Value], order: &[Value], merge_key: Option<&str>) -> Patched<()> {
    if patch.is_empty() || order.is_empty() {
        return Ok(());
    }
    let mut rest = order.iter();
    for item in patch.iter().filter(|item| item.get(DIRECTIVE).is_none()) {
        let found = rest.any(|other| match merge_key {
            Some(key) => other.get(key) == item.get(key),
            None => other == item,
        });
        if !found {
            return fail("the order in patch list doesn't match $setElementOrder list");
        }
    }
    Ok(())
}

fn merge_list(
    old: Vec<Value>,
    patch: Vec<Value>,
    element: &Type,
    merge_key: &str,
    deleting: bool,
    merging: Merging,
) -> Patched<Vec<Value>> {
    if old.is_empty() && patch.is_empty() {
        return Ok(old);
    }
    let key = some_key(merge_key);
    if !elements_are_maps(old.iter().chain(&patch))? {
        if merging == Merging::Apply && deleting {
            return Ok(old.into_iter().filter(|item| !patch.contains(item)).collect());
        }
        let both = old.iter().chain(&patch).cloned().collect();
        let (from_patch, server_only) = partition(without_duplicates(both), &patch, key)?;
        return interleaved(from_patch, server_only, &patch, &old, key);
    }
    let Some(key) = key else { return fail("cannot merge lists without merge key") };
    let (old, patch) = take_directives(old, patch, key)?;
    let mut merged = old.clone();
    for item in &patch {
        let wanted = key_of(item, key)?;
        let at = merged.iter().position(|other| other.get(key) == Some(wanted));
        match (at, item) {
            (Some(at), Value::Object(item)) => {
                let Value::Object(old) = std::mem::take(&mut merged[at]) else {
                    return fail("expected a map");
                };
                merged[at] = Value::Object(merge_map(old, item.clone(), element, merging)?);
            }
            _ => merged.push(item.clone()),
        }
    }
    let (from_patch, server_only) = partition(merged, &patch, Some(key))?;
    interleaved(from_patch, server_only, &patch, &old, Some(key))
}

/// Carries out the directives among a list's elements; what is left to merge.
fn take_directives(mut old: Vec<Value>, patch: Vec<Value>, key: &str) -> Patched<(Vec<Value>, Vec<Value>)> {
    let mut plain = Vec::new();
    let mut replace = false;
    for item in patch {
        match item.get(DIRECTIVE).map(|directive| directive.as_str()) {
            None => plain.push(item),
            Some(Some("delete")) => {
                let gone = key_of(&item, key)?;
                old.retain(|other| other.get(key) != Some(gone));
            }
            Some(Some("replace")) => replace = true,
            Some(_) => return fail(format!("unknown patch type found: {item}")),
        }
    }
    Ok(if replace { (plain, Vec::new()) } else { (old, plain) })
}

fn drop_nulls(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|_, value| !value.is_null());
            members.values_mut().for_each(drop_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(drop_nulls),
        _ => {}
    }
}

/// A patch that has nothing to merge into. `$retainKeys` stays behind, as it does in the original.
fn without_directives(value: Value) -> Option<Value> {
    match value {
        Value::Object(members) if members.contains_key(DIRECTIVE) => None,
        Value::Object(members) => Some(Value::Object(
            members
                .into_iter()
                .filter_map(|(name, value)| Some((name, without_directives(value)?)))
                .collect(),
        )),
        Value::Array(items) => Some(Value::Array(items.into_iter().filter_map(without_directives).collect())),
        other => Some(other),
    }
}
