//! Which lists merge by which keys, and which kinds have a namespace: from the schema built in, or one given.
//!
//! The original keeps one schema for the whole process and reads it late; what a kustomization in the middle sets
//! holds from then on. [`Schema`] is that state for one build.

mod builtin;
mod custom;

use crate::error::{Error, Result};
use serde_json::Value;
use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

/// How a field goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Field {
    /// The definition of the object, or of the elements of the list; nothing for scalars.
    target: Option<usize>,
    list: bool,
    /// The keys elements merge by, when they merge; empty for scalars.
    merge_keys: Option<Vec<String>>,
}

/// An object's fields, and those of any other name.
#[derive(Clone, Debug, Default)]
pub(crate) struct Definition {
    fields: HashMap<String, Field>,
    others: Option<Field>,
}

/// Definitions and the kinds they are for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Layer {
    definitions: Vec<Definition>,
    names: HashMap<String, usize>,
    kinds: HashMap<(String, String), usize>,
    /// Kinds with a namespace, and without.
    scopes: HashMap<(String, String), bool>,
}

/// Where a merge stands in the schema.
#[derive(Clone, Debug)]
pub(crate) struct At {
    layer: Arc<Layer>,
    field: Field,
}

impl At {
    /// Whether a list here merges, and by which keys.
    pub(crate) fn merge_keys(&self) -> Option<&[String]> {
        self.field.merge_keys.as_deref()
    }

    fn to(&self, field: Field) -> Self {
        Self { layer: Arc::clone(&self.layer), field }
    }

    pub(crate) fn field(&self, name: &str) -> Option<Self> {
        if self.field.list {
            return None;
        }
        let definition = self.layer.definitions.get(self.field.target?)?;
        let field = definition.fields.get(name).or(definition.others.as_ref())?;
        Some(self.to(field.clone()))
    }

    /// The elements of a list; those of scalars are known, and nothing lies beneath them.
    pub(crate) fn elements(&self) -> Option<Self> {
        self.field.list.then(|| self.to(Field { target: self.field.target, list: false, merge_keys: None }))
    }
}

#[derive(Debug, Default)]
struct State {
    version: String,
    custom: Option<Value>,
    loaded: bool,
    /// The built-in schema was needed while it was not loaded, or is loaded.
    builtin: Builtin,
    /// All that was read, the later over the earlier.
    layer: Arc<Layer>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Builtin {
    #[default]
    Unread,
    Wanted,
    Read,
}

/// The schema of one build.
#[derive(Debug, Default)]
pub(crate) struct Schema {
    state: RefCell<State>,
}

/// The only version that is built in.
const VERSION: &str = "v1.21.2";

impl Schema {
    /// Takes what a kustomization says under `openapi`, unless another one said something before.
    pub(crate) fn set(&self, version: Option<&str>, custom: Option<Value>) -> Result<()> {
        let mut state = self.state.borrow_mut();
        if !state.version.is_empty() || state.custom.is_some() {
            return Ok(());
        }
        if let Some(custom) = custom {
            if version.is_some() {
                return Err(Error::invalid("builtin version and custom schema provided, cannot use both"));
            }
            state.custom = Some(custom);
            state.version = "custom".to_owned();
            state.loaded = false;
            return Ok(());
        }
        match version {
            None | Some("") => Ok(()),
            Some(VERSION) => {
                state.version = VERSION.to_owned();
                state.loaded = false;
                Ok(())
            }
            Some(other) => Err(Error::invalid(format!(
                "openapi version {other:?}: the specified OpenAPI version is not built in"
            ))),
        }
    }

    /// Where objects of a kind begin.
    pub(crate) fn of_kind(&self, api_version: &str, kind: &str) -> Result<Option<At>> {
        self.load()?;
        let state = self.state.borrow();
        let target = state.layer.kinds.get(&(api_version.to_owned(), kind.to_owned()));
        Ok(target.map(|target| At {
            layer: Arc::clone(&state.layer),
            field: Field { target: Some(*target), list: false, merge_keys: None },
        }))
    }

    /// Whether the kind is known to have no namespace.
    pub(crate) fn is_cluster_scoped(&self, api_version: &str, kind: &str) -> bool {
        if let Some(namespaced) = builtin::namespaced(api_version, kind) {
            return !namespaced;
        }
        let needed = {
            let mut state = self.state.borrow_mut();
            let needed = !state.loaded && state.custom.is_some();
            if !state.loaded && !needed && state.builtin == Builtin::Unread {
                state.builtin = Builtin::Wanted;
            }
            needed
        };
        // A schema that cannot be read is told where it is used for merging.
        if needed && self.load().is_err() {
            return false;
        }
        let state = self.state.borrow();
        if state.layer.scopes.is_empty() {
            return false;
        }
        let key = (api_version.to_owned(), kind.to_owned());
        state.layer.scopes.get(&key).is_some_and(|namespaced| !namespaced)
    }

    fn load(&self) -> Result<()> {
        let mut state = self.state.borrow_mut();
        if state.loaded {
            return Ok(());
        }
        state.loaded = true;
        let builtin_over_custom = state.builtin == Builtin::Wanted;
        state.layer = match &state.custom {
            None => builtin::layer(),
            Some(custom) if builtin_over_custom => Arc::new(custom::under(custom, &builtin::layer())?),
            Some(custom) => Arc::new(custom::over(custom, &state.layer)?),
        };
        if builtin_over_custom || state.custom.is_none() {
            state.builtin = Builtin::Read;
        }
        Ok(())
    }
}
