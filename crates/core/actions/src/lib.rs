//! What can be done to one object at the press of a button: which actions it has now, and what one of them
//! changes or creates. The result is a value; who may do it, and doing it, is for others.

mod built_in;
mod edit;
mod user;

use api::v1alpha1::{ResourceAction, ResourceActionParam};
use jiff::Timestamp;
use lua_sandbox::{Limits, ScriptError};
use object::Object;
use settings::{Customizations, override_key};
use std::collections::BTreeMap;

/// What is to be done to the cluster.
#[derive(Clone, Debug, PartialEq)]
pub enum Impact {
    /// The object as it shall be: what differs from the live one is to be patched.
    Patch(Object),
    /// A new object.
    Create(Object),
}

/// Why there is no result.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ActionError {
    /// The kind has no such action.
    #[error("action {action} does not exist for {kind}")]
    Unknown {
        /// The action asked for.
        action: String,
        /// Group and kind.
        kind: String,
    },
    /// The action itself refuses; the text is for the user.
    #[error("{0}")]
    Refused(String),
    /// A script of the user's failed.
    #[error(transparent)]
    Script(#[from] ScriptError),
    /// A script of the user's returned what is no result.
    #[error("{script}: {message}")]
    Result {
        /// The script.
        script: String,
        /// What is wrong with what it returned.
        message: String,
    },
    /// The customization cannot be read.
    #[error("{key}: {message}")]
    Customization {
        /// Its key.
        key: String,
        /// What is wrong.
        message: String,
    },
}

/// Every action there is: the user's, compiled, and the built-in ones. Built when the settings change.
#[derive(Clone, Debug, Default)]
pub struct Actions {
    of_users: BTreeMap<String, Result<user::UserActions, ActionError>>,
    limits: Limits,
}

/// Parameters by name, as the user typed them.
pub type Parameters = BTreeMap<String, String>;

impl Actions {
    /// Compiles the user's scripts. What cannot be read is told where it is asked for.
    pub fn new(customizations: &Customizations, limits: Limits) -> Self {
        let written = customizations.overrides.iter().filter(|(_, entry)| !entry.actions.is_empty());
        let of_users =
            written.map(|(key, entry)| (key.clone(), user::UserActions::parse(key, &entry.actions)));
        Self { of_users: of_users.collect(), limits }
    }

    /// The actions an object has now, by name. An action that is disabled is shown, but cannot be run.
    pub fn discover(&self, live: &Object, now: Timestamp) -> Result<Vec<ResourceAction>, ActionError> {
        let own = self.of_users.get(&override_key(live.group(), live.kind()));
        let mut found = BTreeMap::new();
        let mut merges = true;
        if let Some(own) = own {
            let own = own.as_ref().map_err(Clone::clone)?;
            merges = own.merges;
            for action in own.discover(live, now, &self.limits)? {
                found.insert(action.name.clone(), action);
            }
        }
        if merges {
            for action in built_in::discover(live) {
                found.entry(action.name.clone()).or_insert(action);
            }
        }
        Ok(found.into_values().collect())
    }

    /// What an action does to an object. The user's definition comes before the built-in one.
    pub fn run(
        &self,
        live: &Object,
        action: &str,
        parameters: &Parameters,
        now: Timestamp,
    ) -> Result<Vec<Impact>, ActionError> {
        if let Some(own) = self.of_users.get(&override_key(live.group(), live.kind())) {
            let own = own.as_ref().map_err(Clone::clone)?;
            if let Some(impacts) = own.run(live, action, parameters, now, &self.limits) {
                return impacts;
            }
        }
        built_in::run(live, action, parameters, now).unwrap_or_else(|| {
            let kind = override_key(live.group(), live.kind());
            Err(ActionError::Unknown { action: action.to_owned(), kind })
        })
    }
}

/// Whether the kind has a built-in action of this name: permissions and the list of commands are made of it.
pub fn is_built_in(group: &str, kind: &str, action: &str) -> bool {
    built_in::has(group, kind, action)
}

fn parameter(name: &str) -> ResourceActionParam {
    ResourceActionParam { name: name.to_owned() }
}
