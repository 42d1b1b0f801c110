//! The help of a command, laid out as cobra does.

use crate::command::{Command, Flag, Kind};

/// The help text of the last command of `path`.
pub(crate) fn text(path: &[&'static Command]) -> String {
    let command = path.last().expect("the path holds the root");
    let words: Vec<_> = path.iter().map(|command| command.name).collect();
    let words = words.join(" ");
    let mut text = format!("{}\n", command.summary);
    if !command.details.is_empty() {
        text += &format!("{}\n", command.details.trim_end());
    }
    text += "\nUsage:\n";
    let arguments =
        if command.arguments.is_empty() { String::new() } else { format!(" {}", command.arguments) };
    text += &format!("  {words}{arguments} [flags]\n");
    if !command.commands.is_empty() {
        text += &format!("  {words} [command]\n");
    }
    if !command.aliases.is_empty() {
        text += &format!("\nAliases:\n  {}, {}\n", command.name, command.aliases.join(", "));
    }
    text += &commands(command);
    let own = sorted(path.last().map_or(&[][..], |command| command.flags), command.inherited);
    text += &flags("Flags", &own, true);
    let mut above: Vec<&Flag> = Vec::new();
    for parent in &path[..path.len() - 1] {
        above.extend(parent.inherited.iter().copied().flatten());
    }
    above.retain(|flag| !own.iter().any(|known| known.name == flag.name));
    above.sort_by_key(|flag| flag.name);
    text += &flags("Global Flags", &above, false);
    if !command.commands.is_empty() {
        text += &format!("\nUse \"{words} [command] --help\" for more information about a command.\n");
    }
    text
}

fn sorted(own: &[&'static [Flag]], inherited: &[&'static [Flag]]) -> Vec<&'static Flag> {
    let mut flags: Vec<_> = own.iter().chain(inherited).copied().flatten().collect();
    flags.sort_by_key(|flag| flag.name);
    flags
}

fn commands(command: &Command) -> String {
    if command.commands.is_empty() {
        return String::new();
    }
    let mut children: Vec<_> = command.commands.iter().map(|child| (child.name, child.summary)).collect();
    children.sort_unstable();
    let width = children.iter().map(|(name, _)| name.len()).max().unwrap_or(0).max(11);
    let mut text = String::from("\nAvailable Commands:\n");
    for (name, summary) in children {
        text += &format!("  {name:width$} {summary}\n");
    }
    text
}

fn flags(title: &str, flags: &[&Flag], with_help: bool) -> String {
    let mut rows: Vec<(String, String)> = flags.iter().map(|flag| (head(flag), tail(flag))).collect();
    if with_help {
        rows.push(("  -h, --help".into(), "Show this help".into()));
    }
    if rows.is_empty() {
        return String::new();
    }
    let width = rows.iter().map(|(head, _)| head.len()).max().unwrap_or(0);
    let mut text = format!("\n{title}:\n");
    for (head, tail) in rows {
        text += &format!("{head:width$}   {tail}\n");
    }
    text
}

fn head(flag: &Flag) -> String {
    let short = flag.short.map_or("      ".to_owned(), |letter| format!("  -{letter}, "));
    let kind = match flag.kind {
        Kind::Bool => "",
        Kind::Text => " string",
        Kind::Int => " int",
        Kind::Uint => " uint",
        Kind::Duration => " duration",
        Kind::List => " strings",
        Kind::Array => " stringArray",
        Kind::Ints => " int64Slice",
    };
    format!("{short}--{}{kind}", flag.name)
}

fn tail(flag: &Flag) -> String {
    let quoted = matches!(flag.kind, Kind::Text);
    match (flag.default, flag.kind) {
        ("", _) | ("false", Kind::Bool) | ("0", _) => flag.help.to_owned(),
        (default, Kind::List | Kind::Array | Kind::Ints) => format!("{} (default [{default}])", flag.help),
        (default, _) if quoted => format!("{} (default \"{default}\")", flag.help),
        (default, _) => format!("{} (default {default})", flag.help),
    }
}
