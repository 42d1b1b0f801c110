//! The original's scripts with the objects they are tried on there, and how such objects are changed.

use super::chance::Chance;
use anyhow::{Context, Result};
use serde_json::{Map, Value, json};
use std::fs;
use std::path::{Path, PathBuf};

/// Words that controllers write, beside those of the scripts.
const WORDS: &[&str] =
    &["True", "False", "Unknown", "Ready", "Succeeded", "Failed", "Pending", "Running", "", "word"];

/// The scripts of one name.
pub(crate) struct Library {
    folder: PathBuf,
    /// `GROUP/KIND`, sorted; `_` stands for anything.
    pub(crate) places: Vec<String>,
}

impl Library {
    /// Those kinds that have a script of the name.
    pub(crate) fn open(name: &str) -> Result<Self> {
        let folder = testkit::go_tools::argo_cd_scripts()?;
        let mut places = Vec::new();
        for group in names(&folder)?.into_iter().filter(|name| folder.join(name).is_dir()) {
            for kind in names(&folder.join(&group))?
                .into_iter()
                .filter(|name| folder.join(&group).join(name).is_dir())
            {
                if folder.join(&group).join(&kind).join(name).is_file() {
                    places.push(format!("{group}/{kind}"));
                }
            }
        }
        places.sort();
        Ok(Self { folder, places })
    }

    /// A script's text.
    pub(crate) fn script(&self, place: &str, name: &str) -> Result<String> {
        let path = self.folder.join(place).join(name);
        fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))
    }

    /// The objects a kind's scripts are tried on.
    pub(crate) fn objects(&self, place: &str) -> Result<Vec<Value>> {
        let mut found = Vec::new();
        for folder in ["testdata", "actions/testdata"] {
            let mut below = vec![self.folder.join(place).join(folder)];
            while let Some(folder) = below.pop() {
                for name in names(&folder).unwrap_or_default() {
                    let path = folder.join(&name);
                    if path.is_dir() {
                        below.push(path);
                    } else if name.ends_with(".yaml") {
                        let value = object::yaml::decode(&fs::read(&path)?);
                        found.extend(value.into_iter().filter(Value::is_object));
                    }
                }
            }
        }
        Ok(found)
    }
}

fn names(folder: &Path) -> Result<Vec<String>> {
    let entries = fs::read_dir(folder).with_context(|| format!("list {}", folder.display()))?;
    let mut names = entries
        .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
        .collect::<Result<Vec<_>>>()?;
    names.sort();
    Ok(names)
}

/// An object of the kind, as it is or changed in some places.
pub(crate) fn object(chance: &mut Chance, library: &Library, place: &str) -> Result<Value> {
    let objects = library.objects(place)?;
    let (group, kind) = place.split_once('/').unwrap_or_default();
    let mut object = if objects.is_empty() {
        json!({"apiVersion": format!("{group}/v1"), "kind": kind, "metadata": {"name": "some"}, "status": {}})
    } else {
        chance.pick(&objects).clone()
    };
    let words = words(&library.script(place, "health.lua").unwrap_or_default());
    for _ in 0..chance.below(5) {
        change(chance, &mut object, &words, &objects);
    }
    Ok(object)
}

/// The texts between quotation marks in a script.
fn words(script: &str) -> Vec<String> {
    let mut words: Vec<String> = WORDS.iter().map(|word| (*word).to_owned()).collect();
    let code = script.lines().map(|line| line.split("--").next().unwrap_or_default());
    for line in code {
        for mark in ['"', '\''] {
            words.extend(line.split(mark).skip(1).step_by(2).map(str::to_owned));
        }
    }
    words
}

/// Changes one place below the status, or, more rarely, below the rest.
fn change(chance: &mut Chance, object: &mut Value, words: &[String], others: &[Value]) {
    let part = if chance.percent(75) { "status" } else { chance.of(&["spec", "metadata"]) };
    let Some(members) = object.as_object_mut() else { return };
    if chance.percent(5) {
        members.remove(part);
        return;
    }
    if chance.percent(10)
        && !others.is_empty()
        && let Some(other) = chance.pick(others).get(part)
    {
        members.insert(part.to_owned(), other.clone());
        return;
    }
    let part = members.entry(part).or_insert_with(|| Value::Object(Map::new()));
    below(chance, part, words);
}

fn below(chance: &mut Chance, value: &mut Value, words: &[String]) {
    let deeper = chance.percent(80);
    match value {
        Value::Object(members) if !members.is_empty() && deeper => {
            let names: Vec<String> = members.keys().cloned().collect();
            let name = chance.pick(&names).clone();
            if chance.percent(15) {
                members.remove(&name);
            } else if chance.percent(10) {
                let word = chance.pick(words).clone();
                members.insert(word, json!(true));
            } else if let Some(member) = members.get_mut(&name) {
                below(chance, member, words);
            }
        }
        Value::Array(items) if !items.is_empty() && deeper => {
            let at = chance.below(items.len());
            match chance.below(6) {
                0 => drop(items.remove(at)),
                1 => items.push(items[at].clone()),
                2 => items.rotate_left(at),
                _ => below(chance, &mut items[at], words),
            }
        }
        Value::String(text) => chance.pick(words).clone_into(text),
        Value::Bool(truth) => *truth = !*truth,
        Value::Number(_) => *value = json!(chance.below(4)),
        Value::Object(members) => {
            let word = chance.pick(words).clone();
            members.insert(word, json!("word"));
        }
        Value::Array(items) => items.clear(),
        Value::Null => *value = json!(chance.pick(words)),
    }
}
