//! The world a script runs in: the libraries it may use and the hook that counts its steps.

use crate::clock;
use crate::meter::{Limits, Meter};
use crate::strings;
use jiff::Timestamp;
use mlua::chunk::ChunkMode;
use mlua::{HookTriggers, Lua, LuaOptions, LuaString, StdLib, Table, Value, VmState};
use std::sync::Arc;

/// Instructions between two counts.
const STRIDE: u32 = 256;
/// Bytes of growth that cost one step per count. An instruction may copy or compare all the strings there
/// are, so what has grown since the start is paid for at every count.
const BYTES_PER_STEP: usize = 16;
/// What is there before the object comes in is a few dozen kilobytes; nobody pays for it.
const LIBRARY_BYTES: usize = 256 << 10;

/// Names that read files, leave the sandbox or burn time unseen.
const REMOVED: &[&str] =
    &["dofile", "loadfile", "load", "loadstring", "collectgarbage", "print", "_VERSION", "bit32"];

/// Names of Lua 5.1 that 5.2 dropped.
const PUT_BACK: &str = r"
table.getn = table.getn or function(list) return #list end
table.maxn = table.maxn or function(list)
  local most = 0
  for key in pairs(list) do
    if type(key) == 'number' and key > most then most = key end
  end
  return most
end
table.foreach = function(list, call)
  for key, value in pairs(list) do
    local result = call(key, value)
    if result ~= nil then return result end
  end
end
table.foreachi = function(list, call)
  for index = 1, #list do
    local result = call(index, list[index])
    if result ~= nil then return result end
  end
end
unpack = unpack or table.unpack
print = function() end
collectgarbage = function() return 0 end
_VERSION = 'Lua 5.1'
";

/// An interpreter without a script in it.
pub(crate) fn bare() -> mlua::Result<Lua> {
    let libraries = StdLib::TABLE | StdLib::STRING | StdLib::MATH | StdLib::COROUTINE;
    Lua::new_with(libraries, LuaOptions::new().catch_rust_panics(true))
}

/// The interpreter for one run.
pub(crate) fn build(open: bool, now: Timestamp, meter: &Arc<Meter>) -> mlua::Result<Lua> {
    let lua = bare()?;
    let globals = lua.globals();
    for name in REMOVED {
        globals.raw_remove(*name)?;
    }
    lua.load(PUT_BACK).set_name("=prelude").exec()?;
    loading(&lua, &globals)?;
    strings::count(&lua, &globals.get::<Table>("table")?, &["concat"], meter)?;
    let os = clock::library(&lua, now)?;
    let loaded = lua.create_table()?;
    loaded.set("table", globals.get::<Table>("table")?)?;
    loaded.set("os", &os)?;
    if open {
        open_libraries(&lua, &globals, &os, now, meter)?;
        for name in ["string", "math", "coroutine"] {
            loaded.set(name, globals.get::<Table>(name)?)?;
        }
    } else {
        close_libraries(&lua, &globals)?;
    }
    let known = loaded.clone();
    let require = move |_: &Lua, name: String| match known.get::<Value>(name.as_str())? {
        Value::Nil => Err(mlua::Error::runtime(format!("module {name} not found"))),
        module => Ok(module),
    };
    globals.set("require", lua.create_function(require)?)?;
    let package = lua.create_table()?;
    package.set("loaded", loaded)?;
    package.set("path", "")?;
    globals.set("package", package)?;
    Ok(lua)
}

/// `load` and `loadstring`, of text alone: code that was compiled elsewhere could do anything.
fn loading(lua: &Lua, globals: &Table) -> mlua::Result<()> {
    let load = |lua: &Lua, (text, name): (LuaString, Option<String>)| {
        let text = text.as_bytes().to_vec();
        let chunk = lua.load(text).set_mode(ChunkMode::Text);
        let chunk = chunk.set_name(name.unwrap_or_else(|| "=(load)".into()));
        match chunk.into_function() {
            Ok(function) => Ok((Value::Function(function), Value::Nil)),
            Err(error) => Ok((Value::Nil, Value::String(lua.create_string(error.to_string())?))),
        }
    };
    let load = lua.create_function(load)?;
    globals.set("loadstring", &load)?;
    globals.set("load", load)
}

/// All of the standard library that touches nothing outside.
fn open_libraries(
    lua: &Lua,
    globals: &Table,
    os: &Table,
    now: Timestamp,
    meter: &Arc<Meter>,
) -> mlua::Result<()> {
    let string: Table = globals.get("string")?;
    strings::replace(lua, &string, meter)?;
    strings::count(lua, &string, &["rep", "upper", "lower", "reverse", "format"], meter)?;
    string.raw_remove("dump")?;
    let math: Table = globals.get("math")?;
    random(lua, &math, now)?;
    os.set("clock", lua.create_function(|_, ()| Ok(0.0))?)?;
    os.set(
        "difftime",
        lua.create_function(|_, (to, from): (f64, Option<f64>)| Ok(to - from.unwrap_or(0.0)))?,
    )?;
    os.set("getenv", lua.create_function(|_, _: LuaString| Ok(Value::Nil))?)?;
    globals.set("os", os)
}

/// Strings keep no methods either: `("x"):rep(9)` is the string library by another name.
fn close_libraries(lua: &Lua, globals: &Table) -> mlua::Result<()> {
    for name in ["string", "math", "coroutine"] {
        globals.raw_remove(name)?;
    }
    lua.set_type_metatable::<LuaString>(None);
    Ok(())
}

/// The same numbers for the same `now`: results can be repeated.
fn random(lua: &Lua, math: &Table, now: Timestamp) -> mlua::Result<()> {
    #[expect(clippy::cast_sign_loss, clippy::cast_possible_truncation, reason = "any bits will do")]
    let mut state = (now.as_nanosecond() as u64) | 1;
    let next = move |_: &Lua, (first, second): (Option<f64>, Option<f64>)| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        #[expect(clippy::cast_precision_loss, reason = "53 bits fit")]
        let unit = (state >> 11) as f64 / (1_u64 << 53) as f64;
        let (least, most) = match (first, second) {
            (None, _) => return Ok(unit),
            (Some(most), None) => (1.0, most),
            (Some(least), Some(most)) => (least, most),
        };
        if least > most {
            return Err(mlua::Error::runtime("bad argument to 'random' (interval is empty)"));
        }
        Ok((least + (unit * (most - least + 1.0)).floor()).min(most))
    };
    math.set("random", lua.create_function_mut(next)?)?;
    math.set("randomseed", lua.create_function(|_, _: Value| Ok(()))?)
}

/// Starts counting. `baseline` is the memory in use before the script did anything.
pub(crate) fn watch(lua: &Lua, limits: &Limits, meter: &Arc<Meter>) -> mlua::Result<()> {
    let baseline = lua.used_memory().max(LIBRARY_BYTES);
    lua.set_memory_limit(baseline + limits.memory_bytes)?;
    let counted = Arc::clone(meter);
    count(lua, STRIDE, baseline, &counted)
}

fn count(lua: &Lua, stride: u32, baseline: usize, meter: &Arc<Meter>) -> mlua::Result<()> {
    let meter = Arc::clone(meter);
    let triggers = HookTriggers::new().every_nth_instruction(stride);
    lua.set_global_hook(triggers, move |lua, _| {
        let growth = lua.used_memory().saturating_sub(baseline) / BYTES_PER_STEP;
        if let Err(spent) = meter.charge(u64::from(stride) + growth as u64) {
            // A `pcall` may catch this. From here on every instruction fails, so that what catches it ends
            // as well.
            if stride > 1 {
                count(lua, 1, baseline, &meter)?;
            }
            return Err(spent.into());
        }
        Ok(VmState::Continue)
    })
}
