//! Go's `text/template` with all of sprig and Helm's functions: the same output, byte for byte, and the same
//! messages. Templates are compiled once and executed many times, with limits on depth, output and steps.
//!
//! Decides nothing and touches nothing: time, randomness and whatever else templates may ask of the world comes
//! through [`Outside`]. Knows nothing of charts, notifications or ApplicationSets, which use it.

mod set;
mod value;

mod functions;
mod outside;
mod text;
mod time;

mod ast;
mod lex;
mod parse;

mod eval;
mod exec;
mod machine;
mod stack;

mod builtin;
mod cast;
mod codec;
mod compare;
mod floats;
mod helm;
mod json_error;
mod layout;
mod number;
mod pretty_yaml;
mod print;
mod printf;
mod quote;
mod regexp;
mod sprig;
mod toml;

pub use codec::{string_map, to_tree, to_yaml};
pub use floats::format_float;
pub use functions::{Custom, Functions, Type};
pub use helm::{MESSAGE_END, MESSAGE_START};
pub use machine::{Limits, MissingKey};
pub use outside::{Nowhere, Outside};
pub use set::{Error, Session, Templates};
pub use text::Text;
pub use time::Time;
pub use value::{Element, List, Map, MapMethod, MapType, Object, Value};
