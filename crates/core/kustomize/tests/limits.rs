//! What would take too much is refused by a limit of its own.

use kustomize::{Error, Limits, Options, Seams, build};
use source_tree::{MemoryTree, TreePath};

const MAP: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: NAME}\n";

/// What a build with these limits is refused with.
fn refused(files: &[(&str, &str)], limits: Limits) -> Result<String, Box<dyn std::error::Error>> {
    let mut builder = MemoryTree::builder();
    for (path, text) in files {
        builder = builder.file(TreePath::parse(path)?, text.as_bytes().to_vec());
    }
    let options = Options { limits, ..Options::default() };
    match build(&builder.build()?, &TreePath::parse("top")?, &options, Seams::offline()) {
        Ok(built) => Ok(format!("{} objects", built.objects.len())),
        Err(error) => {
            let error: Error = error;
            Ok(error.to_string())
        }
    }
}

type Outcome = Result<(), Box<dyn std::error::Error>>;

fn check(files: &[(&str, &str)], enough: Limits, little: Limits, told: &str) -> Outcome {
    let (within, beyond) = (refused(files, enough)?, refused(files, little)?);
    assert!(within.ends_with(" objects"), "{within}");
    assert!(beyond.contains(told), "{beyond}");
    Ok(())
}

#[test]
fn depth() -> Outcome {
    let files = [
        ("top/kustomization.yaml", "resources: [../a]\n"),
        ("a/kustomization.yaml", "resources: [../b]\n"),
        ("b/kustomization.yaml", "resources: [map.yaml]\n"),
        ("b/map.yaml", MAP),
    ];
    let limits = |depth| Limits { depth, ..Limits::default() };
    check(&files, limits(2), limits(1), "kustomizations nested deeper than the limit of 1")
}

#[test]
fn folders() -> Outcome {
    let files = [
        ("top/kustomization.yaml", "resources: [../a, ../b]\n"),
        ("a/kustomization.yaml", "resources: [map.yaml]\nnamePrefix: a-\n"),
        ("a/map.yaml", MAP),
        ("b/kustomization.yaml", "resources: [../a]\nnamePrefix: b-\n"),
    ];
    let limits = |folders| Limits { folders, ..Limits::default() };
    check(&files, limits(3), limits(2), "more than the limit of 2 kustomizations in one build")
}

#[test]
fn resources() -> Outcome {
    let two = format!("{}---\n{}", MAP.replace("NAME", "a"), MAP.replace("NAME", "b"));
    let files = [("top/kustomization.yaml", "resources: [two.yaml]\n"), ("top/two.yaml", two.as_str())];
    let limits = |resources| Limits { resources, ..Limits::default() };
    check(&files, limits(2), limits(1), "more than the limit of 1 resources in one build")
}

#[test]
fn bytes() -> Outcome {
    let files = [("top/kustomization.yaml", "resources: [map.yaml]\n"), ("top/map.yaml", MAP)];
    let limits = |bytes| Limits { bytes, ..Limits::default() };
    check(&files, limits(1000), limits(40), "load map.yaml: more than the limit of 40 bytes in one build")
}

#[test]
fn aliases() -> Outcome {
    let mut bomb = format!("{MAP}data:\n  a: &a [{}]\n", vec!["x"; 100].join(", "));
    for (name, of) in [("b", "a"), ("c", "b"), ("d", "c")] {
        bomb.push_str(&format!("  {name}: &{name} [{}]\n", vec![format!("*{of}"); 60].join(", ")));
    }
    let files = [("top/kustomization.yaml", "resources: [map.yaml]\n"), ("top/map.yaml", bomb.as_str())];
    let told = refused(&files, Limits::default())?;
    assert!(told.contains("document contains excessive aliasing"), "{told}");
    let few = format!("{MAP}data:\n  a: &a x\n  b: *a\n  c: *a\n");
    let files = [("top/kustomization.yaml", "resources: [map.yaml]\n"), ("top/map.yaml", few.as_str())];
    assert_eq!(refused(&files, Limits::default())?, "1 objects");
    Ok(())
}
