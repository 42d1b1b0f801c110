//! `argocd admin notifications` on files: each file of `cases/notifications` is a call. The cluster they name is not there.

mod common;

use std::path::Path;

use common::{Home, failures, records};

const FILES: &str = "cases/notifications/files";

#[test]
fn notifications_are_tried_before_they_count() {
    let mut failed = Vec::new();
    for (name, mut record) in records("cases/notifications") {
        for word in &mut record.call.words {
            if Path::new(FILES).join(&word).is_file() {
                *word = format!("<files>/{word}");
            }
        }
        failed.extend(Home::new().check(&name, &record, &[("<files>", FILES)]));
    }
    failures(&failed);
}
