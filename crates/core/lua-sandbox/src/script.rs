//! A script, what it is given, and what comes of it.

use crate::meter::{Limits, Meter};
use crate::{values, world};
use jiff::Timestamp;
use mlua::chunk::ChunkMode;
use mlua::{Lua, Value as LuaValue};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// A compiled script. Compile it once, when the settings are read.
#[derive(Clone, Debug, PartialEq)]
pub struct Script {
    name: String,
    code: Result<Vec<u8>, String>,
}

/// What a script sees.
#[derive(Clone, Debug)]
pub struct Input<'a> {
    /// `obj`.
    pub object: &'a Map<String, Value>,
    /// `actionParams`.
    pub parameters: &'a BTreeMap<String, String>,
    /// The time of the run.
    pub now: Timestamp,
    /// Whether the standard library is there: `string`, `math`, `coroutine`, the harmless half of `os`.
    pub open_libraries: bool,
}

/// What a script returned.
#[derive(Clone, Debug, PartialEq)]
pub enum Returned {
    /// Nothing, or nil.
    Nothing,
    /// A table; an empty one is an empty list.
    Table(Value),
    /// Something else; its type.
    Other(&'static str),
}

/// A script that did not come to an end by itself.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{script}: {fault}")]
pub struct ScriptError {
    /// The script's name, which is the key it stands under in the settings.
    pub script: String,
    /// What happened.
    pub fault: ScriptFault,
}

/// What ended a script.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScriptFault {
    /// It is not Lua.
    #[error("{0}")]
    Syntax(String),
    /// It failed; the text names the line.
    #[error("{0}")]
    Failed(String),
    /// It took more steps than it may, or was interrupted.
    #[error("the script takes too long")]
    Steps,
    /// It took more memory than it may.
    #[error("the script takes too much memory")]
    Memory,
    /// Its result cannot be told in JSON.
    #[error("{0}")]
    Result(String),
}

impl Script {
    /// Compiles a script. What is not Lua is told when it is run, as the original does: one bad script must
    /// not take the settings with it.
    pub fn compile(name: impl Into<String>, text: &str) -> Self {
        let name = name.into();
        let code = compile(text);
        Self { name, code }
    }

    /// The name it was compiled under.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Runs the script in a world of its own.
    pub fn run(&self, input: &Input<'_>, limits: &Limits) -> Result<Returned, ScriptError> {
        let fail = |fault| ScriptError { script: self.name.clone(), fault };
        let code = match &self.code {
            Ok(code) => code,
            Err(message) => return Err(fail(ScriptFault::Syntax(message.clone()))),
        };
        let meter = Meter::new(limits);
        let outcome = world::build(input.open_libraries, input.now, &meter).and_then(|lua| {
            let returned = evaluate(&lua, code, &self.name, input, limits, &meter)?;
            if meter.is_spent() {
                return Err(mlua::Error::runtime("spent"));
            }
            Ok(match &returned {
                LuaValue::Nil => Ok(Returned::Nothing),
                LuaValue::Table(table) => values::to_json(table).map(Returned::Table),
                other => Ok(Returned::Other(other.type_name())),
            })
        });
        match outcome {
            Ok(Ok(returned)) => Ok(returned),
            Ok(Err(message)) => Err(fail(ScriptFault::Result(message))),
            Err(_) if meter.is_spent() => Err(fail(ScriptFault::Steps)),
            Err(error) => Err(fail(fault(&error))),
        }
    }
}

fn compile(text: &str) -> Result<Vec<u8>, String> {
    let told = |error: mlua::Error| match fault(&error) {
        ScriptFault::Failed(message) | ScriptFault::Syntax(message) => message,
        other => other.to_string(),
    };
    let lua = world::bare().map_err(told)?;
    let chunk = lua.load(text).set_name(format!("={CHUNK}")).set_mode(ChunkMode::Text);
    Ok(chunk.into_function().map_err(told)?.dump(false))
}

/// What a script is called inside the interpreter, which cuts long names short.
const CHUNK: &str = "line";

fn evaluate(
    lua: &Lua,
    code: &[u8],
    name: &str,
    input: &Input<'_>,
    limits: &Limits,
    meter: &std::sync::Arc<Meter>,
) -> mlua::Result<LuaValue> {
    let globals = lua.globals();
    globals.set("obj", values::map_to_lua(lua, input.object)?)?;
    let parameters = lua.create_table()?;
    for (name, value) in input.parameters {
        parameters.set(name.as_str(), value.as_str())?;
    }
    globals.set("actionParams", parameters)?;
    let function = lua.load(code).set_name(name).set_mode(ChunkMode::Binary).into_function()?;
    world::watch(lua, limits, meter)?;
    let returned = function.call::<LuaValue>(());
    // The result is read without counting: its size is bounded by the memory it takes.
    lua.remove_global_hook();
    lua.remove_hook();
    lua.set_memory_limit(0)?;
    returned
}

/// The message alone: no stack trace, and the line where the interpreter says `line:7:`.
fn fault(error: &mlua::Error) -> ScriptFault {
    match error {
        mlua::Error::MemoryError(_) => ScriptFault::Memory,
        mlua::Error::SyntaxError { message, .. } => ScriptFault::Syntax(tidy(message)),
        mlua::Error::CallbackError { cause, traceback } => match fault(cause) {
            // The functions written here do not know which line called them; the trace does.
            ScriptFault::Failed(message) if !message.starts_with("line ") => {
                ScriptFault::Failed(match line_in(traceback) {
                    Some(line) => format!("line {line}: {message}"),
                    None => message,
                })
            }
            other => other,
        },
        other => ScriptFault::Failed(tidy(&other.to_string())),
    }
}

fn tidy(message: &str) -> String {
    let message = message.split("\nstack traceback:").next().unwrap_or_default();
    let message = message.strip_prefix("runtime error: ").unwrap_or(message).trim();
    match message.strip_prefix("line:") {
        Some(rest) => format!("line {rest}"),
        None => message.to_owned(),
    }
}

/// The innermost line of the script in a stack trace.
fn line_in(traceback: &str) -> Option<&str> {
    traceback.lines().find_map(|entry| {
        let line = entry.trim_start().strip_prefix("line:")?;
        let (line, _) = line.split_once(':')?;
        line.bytes().all(|letter| letter.is_ascii_digit()).then_some(line)
    })
}
