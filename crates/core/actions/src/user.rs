//! Actions the user wrote in Lua in `argocd-cm`.

use crate::{ActionError, Impact, Parameters, edit};
use api::v1alpha1::{ResourceAction, ResourceActionParam, ResourceActions};
use jiff::Timestamp;
use lua_sandbox::{Input, Limits, Returned, Script};
use object::Object;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// The actions of one kind.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct UserActions {
    discovery: Option<Script>,
    definitions: BTreeMap<String, Script>,
    /// Whether the built-in actions of the kind stay.
    pub merges: bool,
}

impl UserActions {
    pub fn parse(kind: &str, text: &str) -> Result<Self, ActionError> {
        let key = format!("resource.customizations.actions.{}", kind.replace('/', "_"));
        let fail = |message: String| ActionError::Customization { key: key.clone(), message };
        let value = object::yaml::decode(text.as_bytes()).map_err(|error| fail(error.to_string()))?;
        let read: ResourceActions = serde_json::from_value(value).map_err(|error| fail(error.to_string()))?;
        let compile = |part: &str, text: &str| Script::compile(format!("{key} {part}"), text);
        let discovery = Some(&read.action_discovery_lua).filter(|text| !text.is_empty());
        let definitions = read.definitions.iter().rev();
        Ok(Self {
            discovery: discovery.map(|text| compile("discovery.lua", text)),
            // Of two of the same name the first counts.
            definitions: definitions
                .map(|action| (action.name.clone(), compile(&action.name, &action.action_lua)))
                .collect(),
            merges: read.merge_builtin_actions,
        })
    }

    pub fn discover(
        &self,
        live: &Object,
        now: Timestamp,
        limits: &Limits,
    ) -> Result<Vec<ResourceAction>, ActionError> {
        let Some(script) = &self.discovery else { return Ok(Vec::new()) };
        match evaluate(script, live, &Parameters::new(), now, limits)? {
            Value::Object(found) => Ok(found.iter().map(|(name, entry)| action(name, entry)).collect()),
            Value::Array(entries) if entries.is_empty() => Ok(Vec::new()),
            _ => Err(result(script, "expected a table of actions by name, found a list")),
        }
    }

    /// None when there is no definition of this name.
    pub fn run(
        &self,
        live: &Object,
        action: &str,
        parameters: &Parameters,
        now: Timestamp,
        limits: &Limits,
    ) -> Option<Result<Vec<Impact>, ActionError>> {
        let script = self.definitions.get(action)?;
        let value = evaluate(script, live, parameters, now, limits);
        Some(value.and_then(|value| impacts(script, value, live)))
    }
}

fn result(script: &Script, message: impl Into<String>) -> ActionError {
    ActionError::Result { script: script.name().to_owned(), message: message.into() }
}

fn evaluate(
    script: &Script,
    live: &Object,
    parameters: &Parameters,
    now: Timestamp,
    limits: &Limits,
) -> Result<Value, ActionError> {
    // The setting that opens libraries is for health alone.
    let input = Input { object: &live.0, parameters, now, open_libraries: false };
    match script.run(&input, limits)? {
        Returned::Table(value) => Ok(value),
        Returned::Nothing => Err(result(script, "expect table output from Lua script, not nil")),
        Returned::Other(found) => {
            Err(result(script, format!("expect table output from Lua script, not {found}")))
        }
    }
}

/// An entry of the table a discovery script returns.
fn action(name: &str, entry: &Value) -> ResourceAction {
    let text = |member: &str| entry.get(member).and_then(Value::as_str).unwrap_or_default().to_owned();
    let params = entry.get("params").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let parameter = |entry: &Value| ResourceActionParam {
        name: entry.get("name").and_then(Value::as_str).unwrap_or_default().to_owned(),
    };
    ResourceAction {
        name: Some(text("name")).filter(|own| !own.is_empty()).unwrap_or_else(|| name.to_owned()),
        params: params.iter().map(parameter).collect(),
        disabled: entry.get("disabled").and_then(Value::as_bool).unwrap_or(false),
        icon_class: text("iconClass"),
        display_name: text("displayName"),
    }
}

/// An object is the source as it shall be; a list says of each object what is to be done with it.
fn impacts(script: &Script, value: Value, live: &Object) -> Result<Vec<Impact>, ActionError> {
    match value {
        Value::Array(entries) => entries.into_iter().map(|entry| impact(script, entry, live)).collect(),
        object => Ok(vec![Impact::Patch(patched(script, object, live)?)]),
    }
}

fn impact(script: &Script, entry: Value, live: &Object) -> Result<Impact, ActionError> {
    let Value::Object(mut members) = entry else {
        return Err(result(script, "expected entries of operation and resource"));
    };
    let operation = members.remove("operation").unwrap_or_default();
    let resource = members.remove("resource").unwrap_or_else(|| Value::Object(Map::new()));
    match operation.as_str() {
        Some("create") => Ok(Impact::Create(object(script, resource)?)),
        Some("patch") => Ok(Impact::Patch(patched(script, resource, live)?)),
        _ => Err(result(script, format!("unsupported operation: {operation}"))),
    }
}

fn object(script: &Script, value: Value) -> Result<Object, ActionError> {
    Object::from_value(value).map_err(|error| result(script, error.to_string()))
}

fn patched(script: &Script, mut value: Value, live: &Object) -> Result<Object, ActionError> {
    edit::restore_empties(&mut value, &live.to_value());
    let new = object(script, value)?;
    // Only the source can be patched: of no other object is it known what it was.
    if new.key() != live.key() {
        return Err(result(script, format!("only {} can be patched, not {}", live.key(), new.key())));
    }
    Ok(new)
}
