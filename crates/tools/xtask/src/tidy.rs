//! `cargo xtask tidy`: the house rules that a compiler does not check. Each rule is a function from what is
//! there to a list of complaints.

use crate::codegen;
use crate::run::{cargo, output, root};
use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

mod sources;

/// What the core shelf must not build on: runtimes, clients, servers.
const IMPURE: [&str; 14] = [
    "axum",
    "gix",
    "hyper",
    "hyper-util",
    "k8s-openapi",
    "kube",
    "kube-client",
    "redis",
    "reqwest",
    "rustls",
    "tokio",
    "tonic",
    "tower",
    "rand",
];
/// One crypto provider, no C TLS.
const BANNED: [&str; 5] = ["aws-lc-rs", "aws-lc-sys", "openssl", "openssl-sys", "native-tls"];
/// Licences that may be linked.
const LICENCES: [&str; 17] = [
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    "MPL-2.0",
    "Unicode-3.0",
    "Unlicense",
    "WTFPL",
    "Zlib",
    "NCSA",
];
/// Packages that name a licence file instead of a licence, and what was found in it.
const LICENCE_FILES: [(&str, &str); 1] = [("libyaml-safer", "MIT")];
/// Words that name nothing.
const EMPTY_NAMES: [&str; 7] = ["util", "utils", "common", "helper", "helpers", "manager", "misc"];

pub(crate) fn run() -> Result<()> {
    eprintln!("==> tidy");
    let house = House::read()?;
    let mut complaints = Vec::new();
    complaints.extend(shelves(&house));
    complaints.extend(purity(&house));
    complaints.extend(banned(&house));
    complaints.extend(licences(&house));
    complaints.extend(readmes(&house));
    complaints.extend(generated());
    complaints.extend(attacks()?);
    complaints.extend(sources::complaints(
        &house.crates.iter().map(|member| member.folder.clone()).collect::<Vec<_>>(),
    )?);
    if complaints.is_empty() {
        return Ok(());
    }
    for complaint in &complaints {
        eprintln!("{complaint}");
    }
    bail!("tidy: {} complaints", complaints.len())
}

/// Tests that the list of attacks names are there.
fn attacks() -> Result<Vec<String>> {
    const LIST: &str = "docs/attacks.md";
    let list = fs::read_to_string(root().join(LIST)).with_context(|| format!("read {LIST}"))?;
    let named = list.split('`').filter_map(|word| word.split_once(".rs::"));
    let missing = named.filter(|(file, test)| {
        let text = fs::read_to_string(root().join(format!("{file}.rs"))).unwrap_or_default();
        !text.contains(&format!("fn {test}("))
    });
    Ok(missing.map(|(file, test)| format!("{LIST}: {file}.rs has no test {test}")).collect())
}

/// A crate of ours.
struct Member {
    name: String,
    folder: PathBuf,
    shelf: String,
    /// Names of what it depends on outside its tests.
    dependencies: BTreeSet<String>,
}

struct House {
    crates: Vec<Member>,
    /// Every package that is built, ours and others': name → licence.
    packages: BTreeMap<String, String>,
}

impl House {
    fn read() -> Result<Self> {
        let text = output(&cargo(), &["metadata", "--format-version", "1", "--quiet"])
            .context("run cargo metadata")?;
        let metadata: Value = serde_json::from_str(&text).context("read cargo metadata")?;
        let ours: BTreeSet<&str> = strings(&metadata["workspace_members"]).collect();
        let mut crates = Vec::new();
        let mut packages = BTreeMap::new();
        for package in metadata["packages"].as_array().into_iter().flatten() {
            let name = package["name"].as_str().unwrap_or_default().to_owned();
            packages.insert(name.clone(), package["license"].as_str().unwrap_or_default().to_owned());
            if !package["id"].as_str().is_some_and(|id| ours.contains(id)) {
                continue;
            }
            let manifest = Path::new(package["manifest_path"].as_str().unwrap_or_default());
            let folder = manifest.parent().map(Path::to_owned).unwrap_or_default();
            let shelf =
                folder.parent().and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned());
            let dependencies = package["dependencies"].as_array().into_iter().flatten();
            crates.push(Member {
                name,
                folder,
                shelf: shelf.unwrap_or_default(),
                dependencies: dependencies
                    .filter(|dependency| dependency["kind"].as_str() != Some("dev"))
                    .filter_map(|dependency| dependency["name"].as_str().map(str::to_owned))
                    .collect(),
            });
        }
        Ok(Self { crates, packages })
    }
}

/// `services → adapters → core`, tools see all, the folder is the crate's name.
fn shelves(house: &House) -> Vec<String> {
    let shelf: BTreeMap<&str, &str> =
        house.crates.iter().map(|member| (member.name.as_str(), member.shelf.as_str())).collect();
    let allowed = |shelf: &str| -> &[&str] {
        match shelf {
            "core" => &["core"],
            "adapters" => &["core", "adapters"],
            "services" => &["core", "adapters", "services"],
            _ => &["core", "adapters", "services", "tools"],
        }
    };
    let mut complaints = Vec::new();
    for member in &house.crates {
        if member.folder.file_name().is_none_or(|name| name.to_string_lossy() != member.name) {
            complaints.push(format!("{}: folder and crate have different names", member.folder.display()));
        }
        for dependency in &member.dependencies {
            if let Some(other) = shelf.get(dependency.as_str())
                && !allowed(&member.shelf).contains(other)
            {
                let (name, shelf) = (&member.name, &member.shelf);
                complaints.push(format!(
                    "{name} ({shelf}) depends on {dependency} ({other}): dependencies point to the core"
                ));
            }
        }
    }
    complaints
}

fn purity(house: &House) -> Vec<String> {
    let core = house.crates.iter().filter(|member| member.shelf == "core");
    core.flat_map(|member| {
        let impure = member.dependencies.iter().filter(|name| IMPURE.contains(&name.as_str()));
        impure.map(|name| format!("{}: a core crate decides and must not build on {name}", member.name))
    })
    .collect()
}

fn banned(house: &House) -> Vec<String> {
    let found = BANNED.iter().filter(|name| house.packages.contains_key(**name));
    found.map(|name| format!("{name} is in the build: ring is the only crypto provider")).collect()
}

fn licences(house: &House) -> Vec<String> {
    let read =
        |name: &str| LICENCE_FILES.iter().find(|(package, _)| *package == name).map(|(_, licence)| *licence);
    let licence = |name: &str, stated: &str| match stated {
        "" => read(name).unwrap_or_default().to_owned(),
        stated => stated.to_owned(),
    };
    let unknown = house.packages.iter().filter(|(name, stated)| !permitted(&licence(name, stated)));
    unknown.map(|(name, stated)| format!("{name}: licence {stated:?} is not on the list")).collect()
}

/// Whether an SPDX expression can be met: every part of an `AND`, one of an `OR`.
fn permitted(expression: &str) -> bool {
    let plain = expression.replace(['(', ')'], " ").replace('/', " OR ");
    plain.split(" AND ").all(|part| {
        part.split(" OR ").any(|licence| LICENCES.contains(&licence.trim().trim_end_matches('+')))
    })
}

fn readmes(house: &House) -> Vec<String> {
    let without = house.crates.iter().filter(|member| !member.folder.join("README.md").is_file());
    without.map(|member| format!("{}: no README.md", member.name)).collect()
}

fn generated() -> Vec<String> {
    let stale = codegen::files()
        .into_iter()
        .filter(|file| fs::read_to_string(&file.path).ok() != Some(file.text.clone()));
    stale.map(|file| format!("{} is stale: run `cargo xtask codegen`", relative(&file.path))).collect()
}

fn relative(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).display().to_string()
}

fn strings(value: &Value) -> impl Iterator<Item = &str> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str)
}

#[cfg(test)]
mod tests {
    use super::permitted;

    #[test]
    fn licences_read_as_spdx_expressions() {
        assert!(permitted("MIT OR Apache-2.0"));
        assert!(permitted("(MIT OR Apache-2.0) AND Unicode-3.0"));
        assert!(permitted("GPL-3.0 OR MIT"));
        assert!(!permitted("GPL-3.0"));
        assert!(!permitted("MIT AND LGPL-2.1"));
        assert!(!permitted(""));
    }
}
