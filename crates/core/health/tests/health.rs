//! Every object of `cases/health` is as well as `expected.tsv` says, in the same words.

#![expect(clippy::needless_pass_by_value, reason = "the cases read better without borrows")]

use object::Object;
use std::path::Path;

const EXPECTED: &str = include_str!("../../../../cases/health/expected.tsv");

fn check(path: &Path, text: String) -> datatest_stable::Result<()> {
    let case = path.to_string_lossy();
    let row = EXPECTED
        .lines()
        .map(|line| line.split('\t').collect::<Vec<_>>())
        .find(|row| case.ends_with(&format!("cases/health/{}", row[0])))
        .ok_or("no row of expected.tsv names this file")?;
    let live = Object::from_value(object::yaml::decode(text.as_bytes())?)?;
    let (status, message) = match health::health(&live) {
        Some(health) => (health.status.as_str(), health.message),
        None => ("-", String::new()),
    };
    let wanted: String = serde_json::from_str(row[2])?;
    if (status, message.as_str()) != (row[1], wanted.as_str()) {
        return Err(format!("found {status} {message:?}, expected {} {wanted:?}", row[1]).into());
    }
    Ok(())
}

datatest_stable::harness! {
    { test = check, root = "../../../cases/health", pattern = r".*\.yaml$" },
}
