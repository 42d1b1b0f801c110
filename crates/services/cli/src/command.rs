//! What a command is: its place in the tree, its flags and what it does. Commands are constants.

use std::future::Future;
use std::pin::Pin;

use crate::failure::Outcome;
use crate::session::Session;

/// What a running command gives back.
pub(crate) type Running<'s> = Pin<Box<dyn Future<Output = Outcome> + 's>>;

/// One command, or a group of them.
pub(crate) struct Command {
    /// The word on the command line.
    pub(crate) name: &'static str,
    /// Other words for it.
    pub(crate) aliases: &'static [&'static str],
    /// The arguments, as help shows them.
    pub(crate) arguments: &'static str,
    /// One line.
    pub(crate) summary: &'static str,
    /// More lines, and examples.
    pub(crate) details: &'static str,
    /// Flags of this command alone.
    pub(crate) flags: &'static [&'static [Flag]],
    /// Flags of this command and of those below it.
    pub(crate) inherited: &'static [&'static [Flag]],
    /// The commands below it.
    pub(crate) commands: &'static [&'static Command],
    /// What it does; a group prints its help.
    pub(crate) run: Option<for<'s> fn(&'s mut Session<'_>) -> Running<'s>>,
}

impl Command {
    /// A command to which the other fields are added.
    pub(crate) const fn new(name: &'static str, arguments: &'static str, summary: &'static str) -> Self {
        Self {
            name,
            aliases: &[],
            arguments,
            summary,
            details: "",
            flags: &[],
            inherited: &[],
            commands: &[],
            run: None,
        }
    }

    /// The command called `word` among those below.
    pub(crate) fn child(&self, word: &str) -> Option<&'static Self> {
        self.commands.iter().copied().find(|command| command.name == word || command.aliases.contains(&word))
    }
}

/// The type of a flag, with pflag's rules for its values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `true` without a value.
    Bool,
    /// Any text.
    Text,
    /// A signed number.
    Int,
    /// An unsigned number.
    Uint,
    /// A duration such as `5s`.
    Duration,
    /// Comma-separated; several flags add up.
    List,
    /// One value a flag; several flags add up.
    Array,
    /// Comma-separated numbers; several flags add up.
    Ints,
}

/// One flag.
#[derive(Clone, Copy)]
pub(crate) struct Flag {
    pub(crate) name: &'static str,
    pub(crate) short: Option<char>,
    pub(crate) kind: Kind,
    pub(crate) default: &'static str,
    pub(crate) help: &'static str,
    pub(crate) required: bool,
}

impl Flag {
    /// The same flag with a one-letter form.
    pub(crate) const fn short(mut self, letter: char) -> Self {
        self.short = Some(letter);
        self
    }

    /// The same flag with a default.
    pub(crate) const fn or(mut self, default: &'static str) -> Self {
        self.default = default;
        self
    }

    /// The same flag, which must be given.
    pub(crate) const fn required(mut self) -> Self {
        self.required = true;
        self
    }
}

const fn flag(kind: Kind, name: &'static str, help: &'static str) -> Flag {
    Flag { name, short: None, kind, default: "", help, required: false }
}

/// A switch.
pub(crate) const fn switch(name: &'static str, help: &'static str) -> Flag {
    flag(Kind::Bool, name, help)
}

/// A flag with a text.
pub(crate) const fn text(name: &'static str, help: &'static str) -> Flag {
    flag(Kind::Text, name, help)
}

/// A flag with a number.
pub(crate) const fn int(name: &'static str, help: &'static str) -> Flag {
    flag(Kind::Int, name, help)
}

/// A flag with a number that is not negative.
pub(crate) const fn uint(name: &'static str, help: &'static str) -> Flag {
    flag(Kind::Uint, name, help)
}

/// A flag with a duration.
pub(crate) const fn duration(name: &'static str, help: &'static str) -> Flag {
    flag(Kind::Duration, name, help)
}

/// A flag with comma-separated texts.
pub(crate) const fn list(name: &'static str, help: &'static str) -> Flag {
    flag(Kind::List, name, help)
}

/// A flag that may be repeated.
pub(crate) const fn array(name: &'static str, help: &'static str) -> Flag {
    flag(Kind::Array, name, help)
}

/// A flag with comma-separated numbers.
pub(crate) const fn ints(name: &'static str, help: &'static str) -> Flag {
    flag(Kind::Ints, name, help)
}
