//! How long thousands of resources with references take: `cargo run --release -p kustomize --example scale -- [COUNT]
//! [FOLDER]`. With a folder the kustomization is written there, to time the original on the same.

#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a tool that takes time and writes files"
)]
#![expect(clippy::print_stdout, reason = "it prints its answer")]

use kustomize::{Options, Seams, build};
use source_tree::{MemoryTree, TreePath};
use std::fmt::Write as _;
use std::time::Instant;

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let most: usize = arguments.next().map_or(Ok(4000), |count| count.parse())?;
    let folder = arguments.next();
    for patched in [false, true] {
        for count in [most / 4, most / 2, most] {
            let files = kustomization(count, patched)?;
            if let Some(folder) = folder.as_ref().filter(|_| count == most) {
                for (path, content) in &files {
                    let path = std::path::Path::new(folder)
                        .join(if patched { "patched" } else { "plain" })
                        .join(path);
                    std::fs::create_dir_all(path.parent().ok_or("a file lies in a folder")?)?;
                    std::fs::write(path, content)?;
                }
            }
            let files: Vec<(TreePath, String)> = files
                .into_iter()
                .map(|(path, content)| Ok((TreePath::parse(&path)?, content)))
                .collect::<Result<_, Failure>>()?;
            let tree = MemoryTree::from_files(files)?;
            let start = Instant::now();
            let built = build(&tree, &TreePath::parse("overlay")?, &Options::default(), Seams::offline())?;
            let made = start.elapsed();
            let text = built.to_yaml();
            println!(
                "{count} resources{}: built in {made:?}, with the text of {} bytes {:?}",
                if patched { ", one in ten patched" } else { "" },
                text.len(),
                start.elapsed()
            );
        }
    }
    Ok(())
}

/// Half deployments, each with a config map of its own.
fn kustomization(count: usize, patched: bool) -> Result<Vec<(String, String)>, Failure> {
    let mut resources = String::new();
    for number in 0..count / 2 {
        write!(
            resources,
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings-{number}\ndata:\n  key: value\n---\n\
             apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web-{number}\n  labels:\n    app: web-{number}\n\
             spec:\n  replicas: 1\n  selector:\n    matchLabels:\n      app: web-{number}\n  template:\n    metadata:\n\
             \x20     labels:\n        app: web-{number}\n    spec:\n      containers:\n      - name: main\n        \
             image: nginx:1.25\n        envFrom:\n        - configMapRef:\n            name: settings-{number}\n        \
             env:\n        - name: A\n          value: b\n        ports:\n        - containerPort: 80\n---\n"
        )?;
    }
    let mut overlay = String::from(
        "resources: [../base]\nnamePrefix: prod-\nnamespace: prod\nimages:\n- name: nginx\n  newTag: '1.27'\n\
         labels:\n- pairs: {team: a}\n",
    );
    if patched {
        overlay.push_str("patches:\n");
        for number in (0..count / 2).step_by(10) {
            write!(
                overlay,
                "- patch: |\n    apiVersion: apps/v1\n    kind: Deployment\n    metadata:\n      name: web-{number}\n    \
                 spec:\n      replicas: 3\n"
            )?;
        }
    }
    Ok(vec![
        ("base/kustomization.yaml".to_owned(), "resources: [all.yaml]\n".to_owned()),
        ("base/all.yaml".to_owned(), resources),
        ("overlay/kustomization.yaml".to_owned(), overlay),
    ])
}
