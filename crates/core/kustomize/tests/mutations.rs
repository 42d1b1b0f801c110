//! Broken input is an error or another manifest, never a panic: lines of the cases are dropped, doubled, swapped and
//! cut.

use kustomize::{Options, Seams, build};
use source_tree::{MemoryTree, TreePath};
use std::collections::BTreeMap;
use std::path::Path;

const ROUNDS: u64 = 60;

type Failure = Box<dyn std::error::Error>;

#[expect(clippy::disallowed_methods, reason = "test cases are files")]
fn files(root: &Path) -> Result<BTreeMap<String, String>, Failure> {
    let mut found = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                folders.push(entry.path());
            } else if let Ok(text) = std::fs::read_to_string(entry.path()) {
                found.insert(entry.path().strip_prefix(root)?.to_string_lossy().into_owned(), text);
            }
        }
    }
    Ok(found)
}

/// Numbers from a seed, the same on every machine.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit.max(1)
    }
}

fn mutated(text: &str, numbers: &mut Numbers) -> String {
    const WORDS: [&str; 10] =
        ["null", "[]", "{}", "*a", "&a", "'", "- ", "$patch: delete", "[a=b]", "\u{feff}%"];
    let mut lines: Vec<String> = text.lines().map(ToOwned::to_owned).collect();
    if lines.is_empty() {
        return WORDS[numbers.below(WORDS.len())].to_owned();
    }
    let at = numbers.below(lines.len());
    match numbers.below(5) {
        0 => drop(lines.remove(at)),
        1 => lines.insert(at, lines[at].clone()),
        2 => {
            let other = numbers.below(lines.len());
            lines.swap(at, other);
        }
        3 => {
            let line = &lines[at];
            let cut = (0..=numbers.below(line.len() + 1))
                .rev()
                .find(|cut| line.is_char_boundary(*cut))
                .unwrap_or(0);
            lines[at].truncate(cut);
        }
        _ => {
            let word = WORDS[numbers.below(WORDS.len())];
            let start = lines[at].find(": ").map_or(0, |colon| colon + 2);
            lines[at].truncate(start);
            lines[at].push_str(word);
        }
    }
    lines.join("\n")
}

#[test]
fn broken_input_never_panics() -> Result<(), Failure> {
    let mut built = 0;
    for entry in std::fs::read_dir("cases/build")? {
        let files = files(&entry?.path())?;
        let target = files.get("target").map_or("input", |target| target.trim());
        for seed in 0..ROUNDS {
            let mut numbers = Numbers(seed);
            let changed = numbers.below(files.len());
            let tree = files.iter().enumerate().map(|(at, (path, text))| {
                let text = if at == changed { mutated(text, &mut numbers) } else { text.clone() };
                Ok((TreePath::parse(path)?, text))
            });
            let tree = MemoryTree::from_files(tree.collect::<Result<Vec<_>, Failure>>()?)?;
            let result = build(&tree, &TreePath::parse(target)?, &Options::default(), Seams::offline());
            built += usize::from(result.is_ok());
        }
    }
    assert!(built > 0, "some of the changes must be harmless");
    Ok(())
}
