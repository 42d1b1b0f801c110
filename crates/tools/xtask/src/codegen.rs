//! `cargo xtask codegen`: the files made from the Rust types and from `proto/`.

mod rights;

use crate::run::root;
use anyhow::{Context, Result};
use std::path::PathBuf;

/// A file and what it must hold.
pub(crate) struct Generated {
    pub(crate) path: PathBuf,
    pub(crate) text: String,
}

/// All generated files.
pub(crate) fn files() -> Vec<Generated> {
    let page = Generated { path: root().join("docs/rights.md"), text: rights::page() };
    api::crd::all()
        .into_iter()
        .map(|crd| {
            let name = crd["spec"]["names"]["singular"].as_str().unwrap_or_default();
            let path = root().join("crates/core/api/crds").join(format!("{name}.yaml"));
            let header = "# Made from the Rust types by `cargo xtask codegen`; do not edit.\n";
            Generated { path, text: format!("{header}{}", object::yaml::encode(&crd)) }
        })
        .chain([page])
        .collect()
}

pub(crate) fn run() -> Result<()> {
    for file in files() {
        if let Some(folder) = file.path.parent() {
            std::fs::create_dir_all(folder).with_context(|| format!("make {}", folder.display()))?;
        }
        std::fs::write(&file.path, file.text).with_context(|| format!("write {}", file.path.display()))?;
    }
    Ok(())
}
