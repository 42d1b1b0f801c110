//! The command line, read by the rules of cobra and pflag that scripts rely on: flags before, between and after
//! arguments, `--flag=value`, `--flag value`, `-abc`, `--` ends them.

use std::collections::BTreeMap;

use crate::command::{Command, Flag, Kind};
use crate::duration;

/// The flags and arguments of one call.
pub(crate) struct Matches {
    /// From the root to the command that was chosen.
    pub(crate) path: Vec<&'static Command>,
    /// What is neither a command nor a flag.
    pub(crate) arguments: Vec<String>,
    /// Whether help was asked for.
    pub(crate) help: bool,
    values: BTreeMap<&'static str, Given>,
}

struct Given {
    values: Vec<String>,
    changed: bool,
}

/// What cannot be understood.
#[derive(Debug, PartialEq)]
pub(crate) enum Misused {
    /// The root has no such command.
    UnknownCommand(String),
    /// The rest; the text is cobra's.
    Flag(String),
}

impl Matches {
    /// The chosen command.
    pub(crate) fn command(&self) -> &'static Command {
        self.path.last().expect("the path holds the root")
    }

    /// The value of a flag, or its default.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.given(name).values.last().map_or("", String::as_str)
    }

    /// Whether a switch is on.
    pub(crate) fn is(&self, name: &str) -> bool {
        parse_bool(self.text(name)).unwrap_or(false)
    }

    /// A number.
    pub(crate) fn number(&self, name: &str) -> i64 {
        parse_int(self.text(name)).unwrap_or(0)
    }

    /// All values of a flag that may be repeated.
    pub(crate) fn list(&self, name: &str) -> &[String] {
        &self.given(name).values
    }

    /// All numbers of a flag that may be repeated.
    pub(crate) fn numbers(&self, name: &str) -> Vec<i64> {
        self.list(name).iter().filter_map(|value| parse_int(value)).collect()
    }

    /// Whether the flag is on the command line.
    pub(crate) fn changed(&self, name: &str) -> bool {
        self.values.get(name).is_some_and(|given| given.changed)
    }

    /// The names of all flags on the command line.
    pub(crate) fn changed_flags(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.values.iter().filter(|(_, given)| given.changed).map(|(name, _)| *name)
    }

    fn given(&self, name: &str) -> &Given {
        self.values.get(name).unwrap_or_else(|| unreachable!("the command has no flag --{name}"))
    }
}

/// Reads `words` against the tree under `root`. `defaults` are values for flags of the root (from `ARGOCD_OPTS`).
pub(crate) fn parse(
    root: &'static Command,
    words: &[String],
    defaults: &BTreeMap<String, String>,
) -> Result<Matches, Misused> {
    let (path, rest) = find(root, words);
    if path.len() == 1
        && let Some(word) = plain(&rest, &path).first()
    {
        return Err(Misused::UnknownCommand((*word).clone()));
    }
    let flags = flags(&path);
    let mut matches = Matches { values: initial(&flags, defaults), path, arguments: Vec::new(), help: false };
    read(&mut matches, &flags, &rest)?;
    if !matches.help {
        check_required(&matches, &flags)?;
    }
    Ok(matches)
}

/// All flags that the last command of `path` knows; its own hide inherited ones of the same name.
pub(crate) fn flags(path: &[&'static Command]) -> Vec<&'static Flag> {
    let mut found: Vec<&'static Flag> = Vec::new();
    let mut add = |groups: &'static [&'static [Flag]]| {
        for flag in groups.iter().copied().flatten() {
            if !found.iter().any(|known| known.name == flag.name) {
                found.push(flag);
            }
        }
    };
    if let Some(command) = path.last() {
        add(command.flags);
    }
    for command in path.iter().rev() {
        add(command.inherited);
    }
    found
}

/// Follows the words that name commands; the words that remain are flags and arguments.
fn find(root: &'static Command, words: &[String]) -> (Vec<&'static Command>, Vec<String>) {
    let mut path = vec![root];
    let mut rest = words.to_vec();
    loop {
        let Some(position) = first_plain(&rest, &path) else { return (path, rest) };
        let Some(child) = path.last().and_then(|command| command.child(&rest[position])) else {
            return (path, rest);
        };
        rest.remove(position);
        path.push(child);
    }
}

fn plain<'w>(words: &'w [String], path: &[&'static Command]) -> Vec<&'w String> {
    first_plain(words, path).map(|position| &words[position]).into_iter().collect()
}

/// Where the first word is that is neither a flag nor the value of one.
fn first_plain(words: &[String], path: &[&'static Command]) -> Option<usize> {
    let flags = flags(path);
    let mut position = 0;
    while position < words.len() {
        let word = &words[position];
        if word == "--" {
            return None;
        }
        if !word.starts_with('-') || word == "-" {
            return Some(position).filter(|_| !word.is_empty());
        }
        let takes_next = match word.strip_prefix("--") {
            Some(name) => {
                let known = flags.iter().find(|flag| flag.name == name);
                !name.contains('=') && name != "help" && takes_value(known)
            }
            None => {
                let known = flags.iter().find(|flag| flag.short == word.chars().nth(1));
                word.len() == 2 && word != "-h" && takes_value(known)
            }
        };
        position += if takes_next { 2 } else { 1 };
    }
    None
}

/// One that is not known is one of a command that is yet to be named, and taken to have a value, as in the original.
fn takes_value(flag: Option<&&'static Flag>) -> bool {
    flag.is_none_or(|flag| flag.kind != Kind::Bool)
}

fn initial(flags: &[&'static Flag], defaults: &BTreeMap<String, String>) -> BTreeMap<&'static str, Given> {
    let mut values = BTreeMap::new();
    for flag in flags {
        let default = defaults.get(flag.name).map_or(flag.default, String::as_str);
        let given = match flag.kind {
            Kind::List | Kind::Array | Kind::Ints => {
                default.split(',').filter(|value| !value.is_empty()).map(str::to_owned).collect()
            }
            _ => vec![default.to_owned()],
        };
        values.insert(flag.name, Given { values: given, changed: false });
    }
    values
}

fn read(matches: &mut Matches, flags: &[&'static Flag], words: &[String]) -> Result<(), Misused> {
    let mut words = words.iter();
    while let Some(word) = words.next() {
        if word == "--" {
            matches.arguments.extend(words.by_ref().cloned());
        } else if let Some(long) = word.strip_prefix("--") {
            read_long(matches, flags, long, &mut words)?;
        } else if word.len() > 1 && word.starts_with('-') {
            read_short(matches, flags, &word[1..], &mut words)?;
        } else {
            matches.arguments.push(word.clone());
        }
        if matches.help {
            return Ok(());
        }
    }
    Ok(())
}

fn read_long<'w>(
    matches: &mut Matches,
    flags: &[&'static Flag],
    long: &str,
    words: &mut impl Iterator<Item = &'w String>,
) -> Result<(), Misused> {
    let (name, value) = long.split_once('=').map_or((long, None), |(name, value)| (name, Some(value)));
    if name.is_empty() || name.starts_with('-') {
        return Err(Misused::Flag(format!("bad flag syntax: --{long}")));
    }
    let Some(flag) = flags.iter().find(|flag| flag.name == name) else {
        if name == "help" {
            matches.help = true;
            return Ok(());
        }
        return Err(Misused::Flag(format!("unknown flag: --{name}")));
    };
    let value = match (value, flag.kind) {
        (Some(value), _) => value,
        (None, Kind::Bool) => "true",
        (None, _) => {
            words.next().ok_or_else(|| Misused::Flag(format!("flag needs an argument: --{name}")))?
        }
    };
    add(matches, flag, value)
}

fn read_short<'w>(
    matches: &mut Matches,
    flags: &[&'static Flag],
    letters: &str,
    words: &mut impl Iterator<Item = &'w String>,
) -> Result<(), Misused> {
    let mut rest = letters.chars();
    while let Some(letter) = rest.next() {
        let shown = format!("{letter}{}", rest.as_str());
        let Some(flag) = flags.iter().find(|flag| flag.short == Some(letter)) else {
            if letter == 'h' {
                matches.help = true;
                return Ok(());
            }
            return Err(Misused::Flag(format!("unknown shorthand flag: '{letter}' in -{shown}")));
        };
        let after = rest.as_str();
        if let Some(value) = after.strip_prefix('=').filter(|_| !after.is_empty()) {
            return add(matches, flag, value);
        }
        if flag.kind == Kind::Bool {
            add(matches, flag, "true")?;
            continue;
        }
        if !after.is_empty() {
            return add(matches, flag, after);
        }
        let missing = || Misused::Flag(format!("flag needs an argument: '{letter}' in -{shown}"));
        return add(matches, flag, words.next().ok_or_else(missing)?);
    }
    Ok(())
}

fn add(matches: &mut Matches, flag: &'static Flag, value: &str) -> Result<(), Misused> {
    let refused = |reason: String| {
        let name =
            flag.short.map_or(format!("--{}", flag.name), |short| format!("-{short}, --{}", flag.name));
        Misused::Flag(format!("invalid argument \"{value}\" for \"{name}\" flag: {reason}"))
    };
    check(flag.kind, value).map_err(refused)?;
    let given = matches.values.get_mut(flag.name).expect("every known flag has a value");
    if !given.changed || !matches!(flag.kind, Kind::List | Kind::Array | Kind::Ints) {
        given.values.clear();
    }
    given.changed = true;
    match flag.kind {
        Kind::List => given.values.extend(comma_separated(value).map_err(refused)?),
        Kind::Ints => given.values.extend(value.split(',').map(str::to_owned)),
        _ => given.values.push(value.to_owned()),
    }
    Ok(())
}

fn check(kind: Kind, value: &str) -> Result<(), String> {
    let syntax = |function: &str| format!("strconv.{function}: parsing \"{value}\": invalid syntax");
    match kind {
        Kind::Bool if parse_bool(value).is_none() => Err(syntax("ParseBool")),
        Kind::Int if parse_int(value).is_none() => Err(syntax("ParseInt")),
        Kind::Uint if parse_int(value).is_none_or(|number| number < 0) => Err(syntax("ParseUint")),
        Kind::Ints if value.split(',').any(|part| parse_int(part).is_none()) => Err(syntax("ParseInt")),
        Kind::Duration => duration::parse(value).map(|_| ()),
        _ => Ok(()),
    }
}

fn check_required(matches: &Matches, flags: &[&'static Flag]) -> Result<(), Misused> {
    let mut missing: Vec<_> = flags
        .iter()
        .filter(|flag| flag.required && !matches.changed(flag.name))
        .map(|flag| flag.name)
        .collect();
    missing.sort_unstable();
    if missing.is_empty() {
        return Ok(());
    }
    Err(Misused::Flag(format!("required flag(s) \"{}\" not set", missing.join("\", \""))))
}

/// Go's `strconv.ParseBool`.
pub(crate) fn parse_bool(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "TRUE" | "true" | "True" => Some(true),
        "0" | "f" | "F" | "FALSE" | "false" | "False" => Some(false),
        _ => None,
    }
}

/// Go's `strconv.ParseInt` with base 0, as pflag uses it.
pub(crate) fn parse_int(text: &str) -> Option<i64> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let lower = digits.to_ascii_lowercase();
    let (radix, digits) = match lower.as_bytes() {
        [b'0', b'x', ..] => (16, &lower[2..]),
        [b'0', b'b', ..] => (2, &lower[2..]),
        [b'0', b'o', ..] => (8, &lower[2..]),
        [b'0', _, ..] => (8, &lower[1..]),
        _ => (10, lower.as_str()),
    };
    if digits.starts_with(['+', '-']) {
        return None;
    }
    let magnitude = i128::from(u64::from_str_radix(digits, radix).ok()?);
    i64::try_from(if negative { -magnitude } else { magnitude }).ok()
}

/// A comma-separated list as Go's CSV reader splits it: quoted parts may hold commas.
fn comma_separated(value: &str) -> Result<Vec<String>, String> {
    if value.is_empty() {
        return Ok(Vec::new());
    }
    let mut parts = Vec::new();
    let mut rest = value;
    loop {
        let Some(quoted) = rest.strip_prefix('"') else {
            let (part, after) =
                rest.split_once(',').map_or((rest, None), |(part, after)| (part, Some(after)));
            if part.contains('"') {
                return Err("parse error on line 1: bare \" in non-quoted field".into());
            }
            parts.push(part.to_owned());
            match after {
                Some(after) => rest = after,
                None => return Ok(parts),
            }
            continue;
        };
        let (part, after) = quoted_part(quoted)?;
        parts.push(part);
        match after.strip_prefix(',') {
            Some(after) => rest = after,
            None if after.is_empty() => return Ok(parts),
            None => return Err("parse error on line 1: extraneous or missing \" in quoted-field".into()),
        }
    }
}

fn quoted_part(text: &str) -> Result<(String, &str), String> {
    let mut part = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('"') {
        part.push_str(before);
        match after.strip_prefix('"') {
            Some(after) => {
                part.push('"');
                rest = after;
            }
            None => return Ok((part, after)),
        }
    }
    Err("parse error on line 1: extraneous or missing \" in quoted-field".into())
}
