//! The recorded cases beside the repository, or in the folder `ARGOCD_CORPORA` names: all come out byte for byte, or
//! fail where the original fails. Charts need the Helm engine and are built elsewhere.

use kustomize::{Options, Seams, build};
use serde_json::Value;
use source_tree::{MemoryTree, TreePath};
use std::path::{Path, PathBuf};

type Failure = Box<dyn std::error::Error>;

#[expect(clippy::disallowed_methods, reason = "says where the corpora are")]
fn corpora() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../../shared/corpora");
    std::env::var_os("ARGOCD_CORPORA").map_or(here, PathBuf::from).join("kustomize")
}

#[expect(clippy::disallowed_methods, reason = "test cases are files")]
fn read(path: &Path) -> Result<Vec<u8>, std::io::Error> {
    std::fs::read(path)
}

fn tree(root: &Path) -> Result<MemoryTree, Failure> {
    let mut builder = MemoryTree::builder();
    let mut folders = vec![root.join("input")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let below = path.strip_prefix(root)?.to_string_lossy().into_owned();
            builder = builder.file(TreePath::parse(&below)?, read(&path)?);
        }
    }
    Ok(builder.build()?)
}

/// What is wrong with one case, if anything.
fn check(case: &Path) -> Result<Option<String>, Failure> {
    let description = object::yaml::decode(&read(&case.join("case.yaml"))?)?;
    if description.get("needsHelm").is_some() {
        return Ok(None);
    }
    let target = description.get("target").and_then(Value::as_str).unwrap_or("input");
    let flags = description.get("buildOptions").and_then(Value::as_array).into_iter().flatten();
    let flags: Vec<&str> = flags.filter_map(Value::as_str).collect();
    let options = Options::parse(&flags.join(" "))?;
    let built = build(&tree(case)?, &TreePath::parse(target)?, &options, Seams::offline());
    let expected = case.join("expected.yaml");
    Ok(match (built, expected.exists()) {
        (Err(_), false) => None,
        (Ok(_), false) => Some("wrongly accepted".to_owned()),
        (Err(error), true) => Some(format!("wrongly refused: {error}")),
        (Ok(built), true) => {
            (built.to_yaml().into_bytes() != read(&expected)?).then(|| "different".to_owned())
        }
    })
}

#[test]
fn recorded_cases_come_out_as_recorded() -> Result<(), Failure> {
    let folder = corpora();
    if !folder.exists() {
        return Ok(());
    }
    let mut wrong = Vec::new();
    for entry in std::fs::read_dir(&folder)? {
        let case = entry?.path();
        if case.join("case.yaml").exists()
            && let Some(problem) = check(&case)?
        {
            wrong.push(format!("{}: {problem}", case.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}
