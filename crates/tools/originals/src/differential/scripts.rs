//! The original's scripts with the objects they are tried on there, and how such objects are changed.

use super::chance::Chance;
use anyhow::{Context, Result};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The file that the object of an input lies in.
pub(crate) const OBJECT: &str = "object.yaml";
/// What stands for the answer when the original's script breaks, or says now this and now that.
pub(crate) const UNTOLD: &str = "untold";
/// Words that controllers write, beside those of the scripts.
const WORDS: &[&str] =
    &["True", "False", "Unknown", "Ready", "Succeeded", "Failed", "Pending", "Running", "", "word"];

/// Names of members that many controllers write.
const NAMES: &[&str] =
    &["type", "status", "reason", "message", "generation", "observedGeneration", "conditions"];
/// Parts of the names of members that are numbers.
const COUNTS: &[&str] = &["eneration", "eplicas", "ount", "Nodes", "Scheduled", "vailable", "size"];
/// Our own cases: objects, too.
const OWN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../cases/health");

/// The scripts of one name.
pub(crate) struct Library {
    folder: PathBuf,
    /// `GROUP/KIND`, sorted; `_` stands for anything.
    pub(crate) places: Vec<String>,
    /// What is there to begin with, by place.
    stocks: BTreeMap<String, Stock>,
}

/// A place's objects, and what stands in them, by the name it stands under.
#[derive(Default)]
struct Stock {
    objects: Vec<Value>,
    /// The names of the actions that have a script.
    actions: Vec<String>,
    values: BTreeMap<String, Vec<Value>>,
}

impl Stock {
    fn of(objects: Vec<Value>, actions: Vec<String>) -> Self {
        let mut values = BTreeMap::new();
        objects.iter().for_each(|object| gather("", object, &mut values));
        Self { objects, actions, values }
    }
}

fn gather(name: &str, value: &Value, values: &mut BTreeMap<String, Vec<Value>>) {
    let known = values.entry(name.to_owned()).or_default();
    if !known.contains(value) {
        known.push(value.clone());
    }
    match value {
        Value::Object(members) => members.iter().for_each(|(name, member)| gather(name, member, values)),
        Value::Array(items) => items.iter().for_each(|item| {
            if let Value::Object(members) = item {
                members.iter().for_each(|(name, member)| gather(name, member, values));
            }
        }),
        _ => {}
    }
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
        let mut library = Self { folder, places, stocks: BTreeMap::new() };
        let own = objects_below(Path::new(OWN))?;
        for place in &library.places {
            let mut objects = Vec::new();
            for folder in ["testdata", "actions/testdata"] {
                objects.extend(objects_below(&library.folder.join(place).join(folder))?);
            }
            objects.extend(own.iter().cloned());
            let below = library.folder.join(place).join("actions");
            let mut actions = names(&below).unwrap_or_default();
            actions.retain(|action| below.join(action).join("action.lua").is_file());
            objects.retain(|object| library.serves(place, object));
            library.stocks.insert(place.clone(), Stock::of(objects, actions));
        }
        Ok(library)
    }

    /// A script's text.
    pub(crate) fn script(&self, place: &str, name: &str) -> Result<String> {
        let path = self.folder.join(place).join(name);
        fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))
    }

    /// The objects a kind's scripts are tried on.
    pub(crate) fn objects(&self, place: &str) -> &[Value] {
        self.stocks.get(place).map_or(&[], |stock| stock.objects.as_slice())
    }

    /// The actions of a kind.
    pub(crate) fn actions(&self, place: &str) -> &[String] {
        self.stocks.get(place).map_or(&[], |stock| stock.actions.as_slice())
    }

    /// Whether an object's own script is the one of the place.
    pub(crate) fn serves(&self, place: &str, object: &Value) -> bool {
        let group = object["apiVersion"].as_str().and_then(|it| it.split_once('/')).map_or("", |it| it.0);
        let kind = object["kind"].as_str().unwrap_or_default();
        if place.contains('_') && self.places.contains(&format!("{group}/{kind}")) {
            return false;
        }
        let (wanted_group, wanted_kind) = place.split_once('/').unwrap_or_default();
        let is_group = match wanted_group.strip_prefix('_') {
            Some(suffix) => group.len() > suffix.len() && group.ends_with(suffix),
            None => group == wanted_group,
        };
        is_group && !kind.is_empty() && (wanted_kind == "_" || kind == wanted_kind)
    }
}

/// The objects that files below a folder hold; none when it is not there.
fn objects_below(folder: &Path) -> Result<Vec<Value>> {
    let mut found = Vec::new();
    let mut below = vec![folder.to_owned()];
    while let Some(folder) = below.pop() {
        for name in names(&folder).unwrap_or_default() {
            let path = folder.join(&name);
            if path.is_dir() {
                below.push(path);
            } else if name.ends_with(".yaml") {
                found.extend(object::yaml::decode(&fs::read(&path)?));
            }
        }
    }
    Ok(found)
}

fn names(folder: &Path) -> Result<Vec<String>> {
    let entries = fs::read_dir(folder).with_context(|| format!("list {}", folder.display()))?;
    let mut names = entries
        .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
        .collect::<Result<Vec<_>>>()?;
    names.sort();
    Ok(names)
}

/// What a script speaks of: what an object must say for something to happen.
struct Words<'a> {
    /// What stands in the place's objects, by name.
    known: Option<&'a BTreeMap<String, Vec<Value>>>,
    texts: Vec<String>,
    /// Of members.
    names: Vec<String>,
    /// Of members that are true or false.
    flags: Vec<String>,
}

impl<'a> Words<'a> {
    fn of(script: &str, known: Option<&'a BTreeMap<String, Vec<Value>>>) -> Self {
        let mut texts: Vec<String> = WORDS.iter().map(|word| (*word).to_owned()).collect();
        let mut names: Vec<String> = NAMES.iter().map(|name| (*name).to_owned()).collect();
        let mut flags = Vec::new();
        for code in script.lines().map(|line| line.split("--").next().unwrap_or_default()) {
            for mark in ['"', '\''] {
                texts.extend(code.split(mark).skip(1).step_by(2).map(str::to_owned));
            }
            for rest in code.split('.').skip(1) {
                let end = rest.find(|letter: char| !letter.is_ascii_alphanumeric()).unwrap_or(rest.len());
                let (name, after) = rest.split_at(end);
                if name.len() > 1 {
                    names.push(name.to_owned());
                    let compared = after.trim_start().trim_start_matches(['=', '~']).trim_start();
                    if compared.starts_with("true") || compared.starts_with("false") {
                        flags.push(name.to_owned());
                    }
                }
            }
        }
        Self { known, texts, names, flags }
    }

    /// What stands under a name somewhere.
    fn known(&self, chance: &mut Chance, name: &str) -> Option<Value> {
        let known = self.known?.get(name)?;
        Some(chance.pick(known).clone())
    }

    /// Something that may stand under a name.
    fn value(&self, chance: &mut Chance, name: &str) -> Value {
        match self.known(chance, name) {
            Some(Value::String(_)) if chance.percent(50) => return self.text(chance, name),
            Some(known) => return known,
            None => {}
        }
        if self.flags.iter().any(|flag| flag == name) {
            return json!(chance.percent(50));
        }
        let counts = COUNTS.iter().any(|part| name.contains(part));
        if counts { json!(chance.below(4)) } else { self.text(chance, name) }
    }

    fn text(&self, chance: &mut Chance, name: &str) -> Value {
        if name == "status" && chance.percent(60) {
            return json!(chance.of(&["True", "False", "Unknown"]));
        }
        if let Some(Value::String(text)) = self.known(chance, name).filter(|_| chance.percent(50)) {
            return json!(text);
        }
        json!(chance.pick(&self.texts))
    }
}

/// Lua that gives `pairs` an order by name. Lists keep theirs.
pub(crate) fn ordered_pairs(order: &str) -> String {
    format!(
        "pairs = function(members)
            local names = {{}}
            for name in next, members do names[#names + 1] = name end
            table.sort(names, function(a, b)
                if type(a) == 'number' and type(b) == 'number' then return a < b end
                a, b = tostring(a), tostring(b)
                return {order}
            end)
            local at = 0
            return function()
                at = at + 1
                if names[at] ~= nil then return names[at], members[names[at]] end
            end
        end"
    )
}

/// An object of the kind, changed in some places.
pub(crate) fn object(chance: &mut Chance, library: &Library, place: &str, script: &str) -> Value {
    let objects = library.objects(place);
    let (group, kind) = place.split_once('/').unwrap_or_default();
    let mut object = if objects.is_empty() {
        json!({"apiVersion": format!("{group}/v1"), "kind": kind, "metadata": {"name": "some"}, "status": {}})
    } else {
        chance.pick(objects).clone()
    };
    let words = Words::of(script, library.stocks.get(place).map(|stock| &stock.values));
    for _ in 0..=chance.below(6) {
        change(chance, &mut object, &words, objects);
    }
    object
}

/// Changes one place below the status, or, more rarely, below the rest.
fn change(chance: &mut Chance, object: &mut Value, words: &Words<'_>, others: &[Value]) {
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
    let value = members.entry(part).or_insert_with(|| Value::Object(Map::new()));
    below(chance, part, value, words);
}

fn below(chance: &mut Chance, name: &str, value: &mut Value, words: &Words<'_>) {
    let deeper = chance.percent(80);
    match value {
        Value::Object(members) if !members.is_empty() && deeper => {
            let names: Vec<String> = members.keys().cloned().collect();
            let name = chance.pick(&names).clone();
            if chance.percent(15) {
                members.remove(&name);
            } else if let Some(member) = members.get_mut(&name) {
                below(chance, &name, member, words);
            }
        }
        Value::Array(items) if !items.is_empty() && deeper => {
            let at = chance.below(items.len());
            match chance.below(6) {
                0 => drop(items.remove(at)),
                1 => items.push(items[at].clone()),
                2 => items.rotate_left(at),
                _ => below(chance, name, &mut items[at], words),
            }
        }
        Value::Object(members) => {
            let name = chance.pick(&words.names).clone();
            let value = words.value(chance, &name);
            members.insert(name, value);
        }
        Value::Array(items) => items.clear(),
        Value::String(_) => *value = words.text(chance, name),
        Value::Number(_) => *value = json!(chance.below(4)),
        Value::Null => *value = words.value(chance, name),
        Value::Bool(truth) => *truth = !*truth,
    }
}
