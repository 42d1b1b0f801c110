//! `values.schema.json`.

use crate::coalesce::Table;
use crate::dependencies::Prepared;
use crate::error::Error;
use gotemplate::Value;

/// Checks the values of a chart and its dependencies.
pub(crate) fn validate(chart: &Prepared, values: &Table) -> Result<(), Error> {
    let mut problems = String::new();
    collect(chart, values, &mut problems);
    if problems.is_empty() { Ok(()) } else { Err(Error::Schema(problems)) }
}

fn collect(chart: &Prepared, values: &Table, problems: &mut String) {
    if let Some(schema) = &chart.schema
        && let Err(message) = check(schema, values)
    {
        problems.push_str(&format!("{}:\n{message}", chart.name));
    }
    for dependency in &chart.dependencies {
        match values.get(dependency.name.as_bytes()) {
            None | Some(Value::Nil | Value::Missing) => {}
            Some(Value::Map(inner)) => collect(dependency, &inner, problems),
            Some(other) => problems.push_str(&format!(
                "{}:\ninvalid type for values: expected object (map), got {}\n",
                dependency.name,
                other.type_name()
            )),
        }
    }
}

fn check(schema: &[u8], values: &Table) -> Result<(), String> {
    let schema: serde_json::Value = serde_json::from_slice(schema).map_err(|error| error.to_string())?;
    let values = gotemplate::to_tree(&Value::Map(values.clone()))?;
    let validator = jsonschema::validator_for(&schema).map_err(|error| error.to_string())?;
    let mut lines: Vec<String> = validator
        .iter_errors(&values)
        .map(|error| format!("- at '{}': {error}\n", error.instance_path()))
        .collect();
    lines.sort();
    if lines.is_empty() { Ok(()) } else { Err(lines.concat()) }
}
