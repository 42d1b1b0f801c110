//! Users' Lua scripts: compiled once, run any number of times, each time in a world of its own that holds
//! the object, the parameters and `now`, and nothing else. No script reads a file, starts a process, asks
//! for the time of day, takes more than its share of steps and memory, or sees what another has left.
//!
//! The dialect is that of Argo CD: Lua 5.1 with `goto`. It is run by PUC Lua 5.2, which has `goto`, with the
//! names that 5.2 dropped put back.

mod clock;
mod meter;
mod pattern;
mod script;
mod strings;
mod values;
mod world;

pub use meter::{Interrupt, Limits, Watch};
pub use script::{Input, Returned, Script, ScriptError, ScriptFault};
