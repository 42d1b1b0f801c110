//! Which dependencies take part, under which name, and what their parents import from them.

use crate::chart::{Chart, File};
use crate::coalesce::{self, Table};
use crate::error::{Error, MissingDependency};
use crate::metadata::{Dependency, Metadata};
use bytes::Bytes;
use gotemplate::{Text, Value};
use semver_range::{Range, Version};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;

/// A chart on its way into one render.
#[derive(Clone)]
pub(crate) struct Prepared {
    /// Its name here: the alias where there is one.
    pub(crate) name: String,
    pub(crate) metadata: Metadata,
    /// What its `Chart.yaml` names. A chart that takes part under several names has one list for all of them, as in the
    /// original: what the first of them changes, the others see.
    wanted: Option<Vec<Wanted>>,
    /// The name of the chart it lies in, as paths have it: that of the last name under which the chart took it in.
    pub(crate) parent: Rc<RefCell<String>>,
    pub(crate) values: Table,
    pub(crate) schema: Option<Bytes>,
    pub(crate) templates: Arc<[File]>,
    pub(crate) files: Arc<[File]>,
    pub(crate) dependencies: Vec<Prepared>,
}

/// An entry of `Chart.yaml`, and whether what it imports has been imported: Helm does that once for each entry.
#[derive(Clone)]
struct Listed {
    dependency: Dependency,
    imported: bool,
}

type Wanted = Rc<RefCell<Listed>>;

impl Prepared {
    pub(crate) fn of(chart: &Chart) -> Self {
        Self::within(chart, "")
    }

    fn within(chart: &Chart, parent: &str) -> Self {
        let share = |dependency: &Dependency| {
            Rc::new(RefCell::new(Listed { dependency: dependency.clone(), imported: false }))
        };
        let values = chart.values.iter();
        let values =
            values.map(|(key, value)| (Text::from(key.as_str()), Value::from_json_with_integers(value)));
        Self {
            name: chart.metadata.name.clone(),
            metadata: chart.metadata.clone(),
            wanted: chart.metadata.dependencies.as_ref().map(|wanted| wanted.iter().map(share).collect()),
            parent: Rc::new(RefCell::new(parent.to_owned())),
            values: coalesce::of(values.collect()),
            schema: chart.schema.clone(),
            templates: chart.templates.clone(),
            files: chart.files.clone(),
            dependencies: chart.dependencies.iter().map(|inner| Self::within(inner, chart.name())).collect(),
        }
    }
}

/// What `charts/` lacks.
pub(crate) fn missing(chart: &Chart) -> Vec<MissingDependency> {
    let there = |name: &str| chart.dependencies.iter().any(|dependency| dependency.name() == name);
    let wanted = chart.metadata.dependencies.iter().flatten();
    wanted
        .filter(|dependency| !there(&dependency.name))
        .map(|dependency| MissingDependency {
            name: dependency.name.clone(),
            repository: dependency.repository.clone(),
            version: dependency.version.clone(),
        })
        .collect()
}

/// An error that lists what `charts/` lacks.
pub(crate) fn check(chart: &Chart) -> Result<(), Error> {
    let missing = missing(chart);
    if missing.is_empty() { Ok(()) } else { Err(Error::MissingDependencies(missing)) }
}

/// Decides which dependencies take part, and imports values.
pub(crate) fn process(chart: &mut Prepared, given: &Table) -> Result<(), Error> {
    enable(chart, given, "")?;
    import_all(chart)?;
    settle(chart);
    Ok(())
}

/// Writes down what became of the lists of dependencies, for templates to see.
fn settle(chart: &mut Prepared) {
    let wanted = chart.wanted.as_ref().map(|wanted| wanted.iter().map(|one| one.borrow().dependency.clone()));
    chart.metadata.dependencies = wanted.map(Iterator::collect);
    chart.dependencies.iter_mut().for_each(settle);
}

fn fits(constraint: &str, version: &str) -> bool {
    match (Range::parse(constraint), Version::parse(version)) {
        (Ok(range), Ok(version)) => range.contains(&version),
        _ => false,
    }
}

fn answers(chart: &Prepared, wanted: &Dependency) -> bool {
    chart.name == wanted.name && fits(&wanted.version, &chart.metadata.version)
}

fn enable(chart: &mut Prepared, given: &Table, path: &str) -> Result<(), Error> {
    let Some(mut wanted) = chart.wanted.take() else { return Ok(()) };
    let undeclared = chart
        .dependencies
        .iter()
        .filter(|existing| !wanted.iter().any(|wanted| answers(existing, &wanted.borrow().dependency)));
    let mut dependencies: Vec<Prepared> = undeclared.cloned().collect();
    for listed in &wanted {
        let dependency = &mut listed.borrow_mut().dependency;
        if let Some(found) = chart.dependencies.iter().find(|existing| answers(existing, dependency)) {
            let mut found = found.clone();
            found.parent = Rc::default();
            if !dependency.alias.is_empty() {
                found.name.clone_from(&dependency.alias);
                found.metadata.name.clone_from(&dependency.alias);
            }
            dependencies.push(found);
        }
        if !dependency.alias.is_empty() {
            dependency.name = dependency.alias.clone();
        }
        dependency.enabled = true;
    }
    for dependency in &dependencies {
        dependency.parent.borrow_mut().clone_from(&chart.name);
    }
    chart.dependencies = dependencies;
    let values = coalesce::values(chart, Some(given), false)?;
    by_tags(&wanted, &values);
    by_conditions(&wanted, &values, path);
    let off = wanted.iter().map(|listed| listed.borrow().dependency.clone());
    let off: BTreeSet<String> = off.filter(|one| !one.enabled).map(|one| one.name).collect();
    chart.dependencies.retain(|dependency| !off.contains(&dependency.name));
    for dependency in &mut chart.dependencies {
        let inner = format!("{path}{}.", dependency.name);
        enable(dependency, &values, &inner)?;
    }
    wanted.retain(|kept| !off.contains(&kept.borrow().dependency.name));
    // Go's empty list of what is left is nil again.
    chart.wanted = (!wanted.is_empty()).then_some(wanted);
    Ok(())
}

fn by_tags(wanted: &[Wanted], values: &Table) {
    let Some(tags) = coalesce::table_at(values, "tags") else { return };
    for listed in wanted {
        let dependency = &mut listed.borrow_mut().dependency;
        let (mut on, mut off) = (false, false);
        for tag in &dependency.tags {
            match tags.get(tag.as_bytes()) {
                Some(Value::Bool(true)) => on = true,
                Some(Value::Bool(false)) => off = true,
                _ => {}
            }
        }
        dependency.enabled = on || !off;
    }
}

fn by_conditions(wanted: &[Wanted], values: &Table, path: &str) {
    for listed in wanted {
        let dependency = &mut listed.borrow_mut().dependency;
        let conditions = dependency.condition.clone();
        for condition in conditions.trim().split(',').filter(|condition| !condition.is_empty()) {
            if let Some(Value::Bool(flag)) = coalesce::value_at(values, &format!("{path}{condition}")) {
                dependency.enabled = flag;
                break;
            }
        }
    }
}

fn import_all(chart: &mut Prepared) -> Result<(), Error> {
    for dependency in &mut chart.dependencies {
        import_all(dependency)?;
    }
    import(chart)
}

/// Imports what a chart's dependencies export. What the chart says itself stays.
fn import(chart: &mut Prepared) -> Result<(), Error> {
    let Some(dependencies) = &chart.wanted else { return Ok(()) };
    let values = coalesce::values(chart, None, true)?;
    let imported = coalesce::table();
    for listed in dependencies {
        let Listed { dependency, imported: before } = &mut *listed.borrow_mut();
        if std::mem::replace(before, true) {
            dependency.import_values.clear();
        }
        let mut recorded = Vec::new();
        for wanted in &dependency.import_values {
            let (child, parent) = match wanted {
                serde_json::Value::Object(members) => {
                    let side = |name: &str| match members.get(name) {
                        Some(serde_json::Value::String(text)) => text.clone(),
                        Some(other) => other.to_string(),
                        None => "<nil>".into(),
                    };
                    (side("child"), side("parent"))
                }
                serde_json::Value::String(name) => (format!("exports.{name}"), ".".to_owned()),
                _ => continue,
            };
            recorded.push(serde_json::json!({ "child": child, "parent": parent }));
            let Some(table) = coalesce::table_at(&values, &format!("{}.{child}", dependency.name)) else {
                continue;
            };
            let placed = placed(&parent, table);
            coalesce::merge_tables(&imported, &placed, true, 0)?;
        }
        dependency.import_values = recorded;
    }
    let values = coalesce::copy(&values);
    coalesce::merge_tables(&values, &imported, true, 0)?;
    chart.values = values;
    Ok(())
}

/// A table with the tables of a path around it.
fn placed(path: &str, table: Table) -> Table {
    if path == "." {
        return table;
    }
    path.rsplit('.')
        .fold(table, |inner, part| coalesce::of(BTreeMap::from([(Text::from(part), Value::Map(inner))])))
}
