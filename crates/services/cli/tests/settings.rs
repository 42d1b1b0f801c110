//! `argocd admin settings` on files: each file of `cases/settings` is a call; those with a number were recorded.

mod common;

use std::path::Path;

use common::{Home, failures, records};

const FILES: &str = "cases/settings/files";

#[test]
fn settings_are_tried_before_they_count() {
    let mut failed = Vec::new();
    for (name, mut record) in records("cases/settings") {
        for word in &mut record.call.words {
            if Path::new(FILES).join(&word).is_file() {
                *word = format!("<files>/{word}");
            }
        }
        failed.extend(Home::new().check(&name, &record, &[("<files>", FILES)]));
    }
    failures(&failed);
}
