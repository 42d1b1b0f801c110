//! The resources of an application with what the last operation did to them.

use std::collections::BTreeMap;

use api::v1alpha1::{Application, HealthStatus, ResourceStatus};

use crate::output::table::Table;

/// One line of the resource table.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct State {
    pub(crate) group: String,
    pub(crate) kind: String,
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) status: String,
    pub(crate) health: String,
    pub(crate) hook: String,
    pub(crate) message: String,
}

/// Group, kind, namespace and name.
pub(crate) type Key = (String, String, String, String);

impl State {
    /// What the state is of.
    pub(crate) fn key(&self) -> Key {
        (self.group.clone(), self.kind.clone(), self.namespace.clone(), self.name.clone())
    }

    /// Takes over what is newer; what is known is never forgotten. Returns whether anything changed.
    pub(crate) fn merge(&mut self, newer: &Self) -> bool {
        let mut changed = false;
        for (mine, new) in [
            (&mut self.status, &newer.status),
            (&mut self.health, &newer.health),
            (&mut self.hook, &newer.hook),
            (&mut self.message, &newer.message),
        ] {
            if !new.is_empty() && mine != new {
                mine.clone_from(new);
                changed = true;
            }
        }
        changed
    }
}

/// A resource, or several, named on the command line as `GROUP:KIND:NAME`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Selector {
    pub(crate) group: String,
    pub(crate) kind: String,
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) exclude: bool,
}

/// Reads `[!]GROUP:KIND:NAME` and `[!]GROUP:KIND:NAMESPACE/NAME`.
pub(crate) fn selectors(texts: &[String]) -> Result<Vec<Selector>, String> {
    texts.iter().map(|text| selector(text)).collect()
}

fn selector(text: &str) -> Result<Selector, String> {
    let (text, exclude) = text.strip_prefix('!').map_or((text, false), |rest| (rest, true));
    let parts: Vec<_> = text.split(':').collect();
    let [group, kind, name] = parts[..] else {
        return Err(format!("resource should have GROUP:KIND:NAME, but instead got: {text}"));
    };
    let (namespace, name) = match name.split('/').collect::<Vec<_>>()[..] {
        [name] => ("", name),
        [namespace, name] => (namespace, name),
        _ => {
            return Err(format!(
                "resource with namespace should have GROUP:KIND:NAMESPACE/NAME, but instead got: {text}"
            ));
        }
    };
    Ok(Selector {
        group: group.to_owned(),
        kind: kind.to_owned(),
        namespace: namespace.to_owned(),
        name: name.to_owned(),
        exclude,
    })
}

/// Whether the selectors name the resource; without including ones, everything not excluded is named.
pub(crate) fn selected(group: &str, kind: &str, namespace: &str, name: &str, selectors: &[Selector]) -> bool {
    let matches = |selector: &Selector| {
        let same = |pattern: &str, value: &str| pattern == "*" || pattern == value;
        same(&selector.group, group)
            && same(&selector.kind, kind)
            && same(&selector.name, name)
            && (selector.namespace.is_empty() || same(&selector.namespace, namespace))
    };
    let (excluding, including): (Vec<_>, Vec<_>) = selectors.iter().partition(|selector| selector.exclude);
    !excluding.into_iter().any(matches) && (including.is_empty() || including.into_iter().any(matches))
}

/// The states of an application's resources: first those of the last operation, in its order, then the others.
pub(crate) fn of(application: &Application, selectors: &[Selector]) -> Vec<State> {
    let status = &application.status;
    let mut rest: BTreeMap<Key, &ResourceStatus> = BTreeMap::new();
    for one in &status.resources {
        let key = (one.group.clone(), one.kind.clone(), one.namespace.clone(), one.name.clone());
        rest.insert(key, one);
    }
    let health = |health: &Option<HealthStatus>| {
        health.as_ref().map(|health| health.status.clone()).unwrap_or_default()
    };
    let mut states = Vec::new();
    let result = status.operation_state.as_ref().and_then(|state| state.sync_result.as_ref());
    for one in result.map_or(&[][..], |result| &result.resources) {
        let mut state = State {
            group: one.group.clone(),
            kind: one.kind.clone(),
            namespace: one.namespace.clone(),
            name: one.name.clone(),
            status: one.hook_phase.clone(),
            health: one.status.clone(),
            hook: one.hook_type.clone(),
            message: one.message.clone(),
        };
        if let Some(current) = rest.remove(&state.key())
            && one.hook_type.is_empty()
        {
            state.status = current.status.clone();
            state.health = health(&current.health);
        }
        states.push(state);
    }
    // Sorted by the text `group/kind/namespace/name`.
    let mut others: Vec<_> = rest.into_iter().collect();
    others.sort_by_key(|((group, kind, namespace, name), _)| format!("{group}/{kind}/{namespace}/{name}"));
    states.extend(others.into_iter().map(|((group, kind, namespace, name), one)| State {
        group,
        kind,
        namespace,
        name,
        status: one.status.clone(),
        health: health(&one.health),
        hook: String::new(),
        message: String::new(),
    }));
    states.retain(|state| selected(&state.group, &state.kind, &state.namespace, &state.name, selectors));
    states
}

/// The resource table.
pub(crate) fn table(application: &Application) -> String {
    let mut table = Table::new();
    table.row(&["GROUP", "KIND", "NAMESPACE", "NAME", "STATUS", "HEALTH", "HOOK", "MESSAGE"]);
    for state in of(application, &[]) {
        let State { group, kind, namespace, name, status, health, hook, message } = &state;
        table.row(&[group, kind, namespace, name, status, health, hook, message]);
    }
    table.finish()
}
