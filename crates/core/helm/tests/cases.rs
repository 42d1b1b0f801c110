//! Charts with the answers of the original: the folders of `cases`. `CASE` names those that are wanted.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "tests read their cases from files and tell how many agree"
)]

use helm::{Options, Rendered, ValuesFile};
use serde_json::Value;
use source_tree::{MemoryTree, TreePath};
use std::path::{Path, PathBuf};

struct World(u64);

impl gotemplate::Outside for World {
    fn now(&self) -> jiff::Timestamp {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        jiff::Timestamp::from_second(i64::try_from(now.as_secs()).unwrap()).unwrap()
    }

    fn random(&mut self, buffer: &mut [u8]) -> Result<(), String> {
        for byte in buffer {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            *byte = self.0.to_le_bytes()[0];
        }
        Ok(())
    }
}

/// All files beneath a folder, as a tree.
fn tree(folder: &Path) -> MemoryTree {
    fn walk(folder: &Path, prefix: &str, files: &mut Vec<(TreePath, Vec<u8>)>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let name = format!("{prefix}{}", entry.file_name().to_str().unwrap());
            if entry.path().is_dir() {
                walk(&entry.path(), &format!("{name}/"), files);
            } else {
                files.push((TreePath::parse(&name).unwrap(), std::fs::read(entry.path()).unwrap()));
            }
        }
    }
    let mut files = Vec::new();
    walk(folder, "", &mut files);
    MemoryTree::from_files(files).unwrap()
}

fn texts(case: &Value, name: &str) -> Vec<String> {
    let items = case[name].as_array().cloned().unwrap_or_default();
    items.iter().map(|item| item.as_str().unwrap().to_owned()).collect()
}

fn render(folder: &Path, case: &Value) -> Result<Rendered, helm::Error> {
    let chart = helm::load(&tree(&folder.join(case["chart"].as_str().unwrap())), &TreePath::root())?;
    let text = |name: &str| case[name].as_str().unwrap();
    let mut options = Options::new(text("release"), text("namespace"), text("kubeVersion"));
    options.set = texts(case, "set");
    options.set_string = texts(case, "setString");
    options.api_versions = texts(case, "apiVersions");
    options.skip_tests = case["skipTests"].as_bool().unwrap_or(false);
    options.skip_crds = !case["includeCrds"].as_bool().unwrap_or(false);
    for name in texts(case, "valuesFiles") {
        let text = std::fs::read_to_string(folder.join(&name)).unwrap();
        options.values.push(ValuesFile { name, text });
    }
    chart.render(&options, &mut World(0x9E37_79B9_7F4A_7C15))
}

fn documents(text: &str) -> Vec<Value> {
    let documents =
        object::yaml::decode_documents(text.as_bytes(), &object::yaml::Limits::default()).unwrap();
    documents.into_iter().map(|document| document.value).filter(|value| !value.is_null()).collect()
}

/// Takes out what differs from run to run; it must be there.
fn blank(documents: &mut [Value], case: &Value) -> Result<(), String> {
    for entry in case["nondeterministicPaths"].as_array().into_iter().flatten() {
        let index = usize::try_from(entry["document"].as_u64().unwrap()).unwrap();
        for path in entry["paths"].as_array().into_iter().flatten() {
            let path = path.as_str().unwrap();
            let place = documents.get_mut(index).and_then(|document| document.pointer_mut(path));
            match place {
                Some(value) if !value.is_null() => *value = Value::Null,
                _ => return Err(format!("nothing at {index}{path}")),
            }
        }
    }
    Ok(())
}

fn differences(left: &Value, right: &Value, path: &str, out: &mut Vec<String>) {
    match (left, right) {
        (Value::Object(left), Value::Object(right)) => {
            let keys: std::collections::BTreeSet<&String> = left.keys().chain(right.keys()).collect();
            for key in keys {
                let (left, right) =
                    (left.get(key).unwrap_or(&Value::Null), right.get(key).unwrap_or(&Value::Null));
                differences(left, right, &format!("{path}/{key}"), out);
            }
        }
        (Value::Array(left), Value::Array(right)) if left.len() == right.len() => {
            for (index, (left, right)) in left.iter().zip(right).enumerate() {
                differences(left, right, &format!("{path}/{index}"), out);
            }
        }
        _ if left != right => {
            let short = |value: &Value| value.to_string().chars().take(200).collect::<String>();
            out.push(format!("{path}: ours {} theirs {}", short(left), short(right)));
        }
        _ => {}
    }
}

fn check(folder: &Path, case: &Value, equal_bytes: &mut usize) -> Result<(), String> {
    let rendered = render(folder, case);
    if case["expect"] == "error" || folder.join("expected-error.txt").exists() {
        let wanted = std::fs::read_to_string(folder.join("expected-error.txt")).unwrap();
        return match rendered {
            Ok(_) => Err(format!("accepted, wanted {wanted}")),
            Err(error) => {
                let told = format!("Error: {error}");
                if told.lines().next() == wanted.lines().next() {
                    *equal_bytes += 1;
                } else {
                    println!("{}: {told} / {wanted}", folder.display());
                }
                Ok(())
            }
        };
    }
    let ours = rendered.map_err(|error| format!("refused: {error}"))?.text();
    let theirs = std::fs::read_to_string(folder.join("expected.yaml")).unwrap();
    *equal_bytes += usize::from(ours == theirs);
    let (mut left, mut right) = (documents(&ours), documents(&theirs));
    blank(&mut left, case)?;
    blank(&mut right, case)?;
    let mut out = Vec::new();
    differences(&Value::Array(left), &Value::Array(right), "", &mut out);
    if out.is_empty() { Ok(()) } else { Err(out.into_iter().take(6).collect::<Vec<_>>().join("\n   ")) }
}

fn compare_all(cases: &Path) {
    let only = std::env::var("CASE").unwrap_or_default();
    let mut folders: Vec<PathBuf> =
        std::fs::read_dir(cases).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.retain(|folder| folder.is_dir() && folder.to_str().unwrap().contains(&only));
    folders.sort();
    let (mut passed, mut equal_bytes) = (0, 0);
    let mut failed = Vec::new();
    for folder in &folders {
        let case = object::yaml::decode(&std::fs::read(folder.join("case.yaml")).unwrap()).unwrap();
        match check(folder, &case, &mut equal_bytes) {
            Ok(()) => passed += 1,
            Err(problem) => {
                failed.push(format!("{}\n   {problem}", folder.file_name().unwrap().to_str().unwrap()));
            }
        }
    }
    println!("{passed} of {} charts equal, {equal_bytes} byte for byte", folders.len());
    assert!(failed.is_empty(), "{} differ:\n{}", failed.len(), failed.join("\n"));
}

/// Recorded with helm v3.20.2: `helm template chart --name-template rel --namespace ns …` in the case's folder.
#[test]
fn rules_of_charts_are_those_of_the_original() {
    compare_all(&Path::new(env!("CARGO_MANIFEST_DIR")).join("cases"));
}
