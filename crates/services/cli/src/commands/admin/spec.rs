//! Manifests of our own kinds, printed for people who keep them in Git.

use api::Root;
use serde_json::Value;

use crate::command::{Flag, switch};
use crate::commands::output;
use crate::failure::{Failure, Outcome, io_error};
use crate::output::documents::{indented, unknown, yaml};
use crate::session::Session;

/// How manifests are printed, or written back.
pub(super) const INLINE: &[Flag] = &[
    switch("inline", "Write the manifest back to the file of --file").short('i'),
    output("yaml", "Output format. One of: json|yaml"),
];

/// Prints what was described: only what somebody would write, without the namespace that it will go to.
pub(super) fn print<T: Root>(session: &mut Session<'_>, described: &[T]) -> Outcome {
    let format = session.text("output");
    let mut texts = Vec::new();
    for one in described {
        let mut manifest = one.to_object().0;
        manifest.remove("status");
        if let Some(Value::Object(metadata)) = manifest.get_mut("metadata") {
            metadata.remove("creationTimestamp");
            metadata.remove("namespace");
        }
        texts.push(match format.as_str() {
            "json" => indented(&manifest, b"  ") + "\n",
            "yaml" => yaml(&manifest),
            _ => return Err(unknown(&format)),
        });
    }
    let text = texts.join("---\n");
    if !session.is("inline") {
        session.print(&text);
        return Ok(());
    }
    let file = session.text("file");
    if file.is_empty() || file == "-" {
        return Err(Failure::generic("--inline writes to the file of --file, which is not given"));
    }
    std::fs::write(&file, text)
        .map_err(|error| Failure::generic(format!("open {file}: {}", io_error(&error))))
}
