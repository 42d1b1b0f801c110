//! Calls that need no server: each file of `cases/alone` (recorded) and `cases/own` (written by us, in the words of pflag)
//! in a fresh home, those of `cases/contexts` in their order in one home with one configuration file.

mod common;

use std::fs;
use std::os::unix::fs::PermissionsExt;

use common::{Home, failures, records};

#[test]
fn alone() {
    let mut failed = Vec::new();
    for (name, record) in records("cases/alone").into_iter().chain(records("cases/own")) {
        let home = Home::new();
        failed.extend(home.check(&name, &record, &[("<home>", home.path())]));
    }
    failures(&failed);
}

#[test]
fn contexts() {
    let home = Home::new();
    let config =
        fs::read_to_string("cases/contexts/config.yaml").expect("the configuration of the recording");
    let folder = format!("{}/.config/argocd", home.path());
    fs::create_dir_all(&folder).expect("a writable home");
    let file = format!("{folder}/config");
    let token = "eyJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJhcmdvY2QiLCJzdWIiOiJhZG1pbjpsb2dpbiJ9.c2lnbmF0dXJl";
    let write = |path: &str, mode: u32| {
        fs::write(path, config.replace("<server>", "localhost:8180").replace("<token>", token))
            .expect("a file");
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("a mode");
    };
    write(&file, 0o600);
    let mut failed = Vec::new();
    for (name, record) in records("cases/contexts") {
        // The recorder began with a fresh copy here.
        if name.contains("01-026") || name.contains("01-029") {
            write(&format!("{}/cfg2", home.path()), 0o600);
        }
        if record.note.contains("0644") {
            fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).expect("a mode");
        }
        let known = [("<server>", "localhost:8180"), ("$HOME", home.path())];
        failed.extend(home.check(&name, &record, &known));
    }
    failures(&failed);
}
