//! Every folder of `cases/build` builds as the original built it, every one of `cases/application` as the original does
//! after `kustomize edit` for each field of the source.

use kustomize::{Options, Seams, application, build};
use source_tree::{MemoryTree, TreePath};
use std::collections::BTreeMap;
use std::path::Path;

type Failure = Box<dyn std::error::Error>;

#[expect(clippy::disallowed_methods, reason = "test cases are files")]
fn read(path: &Path) -> Result<Vec<u8>, std::io::Error> {
    std::fs::read(path)
}

fn tree(root: &Path) -> Result<MemoryTree, Failure> {
    let mut builder = MemoryTree::builder();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                folders.push(entry.path());
                continue;
            }
            let path = entry.path();
            let below = path.strip_prefix(root)?.to_string_lossy().into_owned();
            builder = builder.file(TreePath::parse(&below)?, read(&path)?);
        }
    }
    Ok(builder.build()?)
}

fn check(expected: &Path) -> Result<(), Failure> {
    let case = expected.parent().ok_or("a case is a folder")?;
    let target = case.join("target");
    let target = if target.exists() { String::from_utf8(read(&target)?)? } else { "input".to_owned() };
    let tree = tree(case)?;
    let built = build(&tree, &TreePath::parse(target.trim())?, &Options::default(), Seams::offline());
    let wanted = String::from_utf8(read(expected)?)?;
    match built {
        Err(_) if expected.ends_with("expected-error.txt") => Ok(()),
        Err(error) => Err(format!("refused: {error}").into()),
        Ok(_) if expected.ends_with("expected-error.txt") => {
            Err(format!("the original refuses: {wanted}").into())
        }
        Ok(built) if built.to_yaml() == wanted => Ok(()),
        Ok(built) => Err(format!("--- wanted\n{wanted}\n--- found\n{}", built.to_yaml()).into()),
    }
}

fn check_application(expected: &Path) -> Result<(), Failure> {
    let case = expected.parent().ok_or("a case is a folder")?;
    let source = object::yaml::decode(&read(&case.join("source.yaml"))?)?;
    let source = serde_json::from_value(source)?;
    let environment: BTreeMap<String, String> =
        [("TAG", "9.9"), ("TEAM", "blue")].map(|(name, text)| (name.to_owned(), text.to_owned())).into();
    let tree = tree(case)?;
    let path = TreePath::parse("input")?;
    let built =
        application::build(&tree, &path, &source, &environment, &Options::default(), Seams::offline())?;
    let wanted = String::from_utf8(read(expected)?)?;
    if built.to_yaml() == wanted {
        return Ok(());
    }
    Err(format!("--- wanted\n{wanted}\n--- found\n{}", built.to_yaml()).into())
}

datatest_stable::harness! {
    { test = check, root = "cases/build", pattern = r".*/expected(\.yaml|-error\.txt)$" },
    { test = check_application, root = "cases/application", pattern = r".*/expected\.yaml$" },
}
