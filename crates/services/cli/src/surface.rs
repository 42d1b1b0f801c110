//! Holds commands and flags against the original's, row by row of `cases/surface.tsv`.

use std::collections::{BTreeMap, BTreeSet};

use crate::command::{Command, Flag, Kind};
use crate::commands::ROOT;

/// Commands the original does not have.
const OWN: [&str; 3] =
    ["argocd render", "argocd admin notifications preview", "argocd admin settings rbac explain"];

const SURFACE: &str = include_str!("../cases/surface.tsv");

fn collect(path: &str, command: &'static Command, found: &mut BTreeMap<String, &'static Command>) {
    found.insert(path.to_owned(), command);
    for child in command.commands {
        collect(&format!("{path} {}", child.name), child, found);
    }
}

fn kind(name: &str) -> Kind {
    match name {
        "bool" => Kind::Bool,
        "string" => Kind::Text,
        "int" => Kind::Int,
        "stringToString" => Kind::List,
        "uint" => Kind::Uint,
        "duration" => Kind::Duration,
        "strings" => Kind::List,
        "stringArray" => Kind::Array,
        "int64Slice" => Kind::Ints,
        other => panic!("unknown type {other}"),
    }
}

fn row(path: &str, flag: &Flag) -> String {
    let short = flag.short.map(String::from).unwrap_or_default();
    let required = if flag.required { "required" } else { "" };
    format!("{path} --{} {:?} {short:?} {:?} {required}", flag.name, flag.kind, flag.default)
}

#[test]
fn every_flag_is_the_originals() {
    let mut commands = BTreeMap::new();
    collect("argocd", &ROOT, &mut commands);
    let mut ours = BTreeSet::new();
    for (path, command) in &commands {
        let flags = command.flags.iter().chain(command.inherited).copied().flatten();
        ours.extend(flags.map(|flag| row(path, flag)));
        let arguments =
            if command.arguments.is_empty() { String::new() } else { format!(" {}", command.arguments) };
        ours.insert(format!("{path}: {path}{arguments} [flags]"));
    }
    let mut theirs = BTreeSet::new();
    for line in SURFACE.lines().filter(|line| !line.starts_with('#')) {
        let [command, flag, type_name, short, default, required] = line.split('\t').collect::<Vec<_>>()[..]
        else {
            panic!("{line:?} has not six columns");
        };
        if flag.is_empty() {
            theirs.insert(format!("{command}: {default}"));
            continue;
        }
        // Where the file is depends on the user; lists are written with brackets.
        let default = if flag == "config" { "" } else { default.trim_matches(['[', ']']) };
        theirs.insert(format!("{command} --{flag} {:?} {short:?} {default:?} {required}", kind(type_name)));
    }
    // Commands of our own stand beside the original's.
    ours.retain(|row| !OWN.iter().any(|own| row.starts_with(own)));
    let missing: Vec<_> = theirs.difference(&ours).collect();
    let invented: Vec<_> = ours.difference(&theirs).collect();
    assert!(
        missing.is_empty() && invented.is_empty(),
        "missing: {missing:#?}\nnot the original's: {invented:#?}"
    );
}
