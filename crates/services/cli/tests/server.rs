//! Recorded calls against a gRPC server that answers what the recordings hold: over HTTP/2, over gRPC-web, and over
//! TLS with a certificate nobody knows.

mod common;
mod mock;

use common::{Home, failures, records};
use mock::Mock;
use transcripts::Call;

const REPOSITORY: &str = "http://127.0.0.1:8181";
const HELM_REPOSITORY: &str = "http://127.0.0.1:8182";

/// Runs a folder's records against a mock with the state the folder holds; `flags` are added to each call.
fn check(folder: &str, flags: &[&str]) {
    let folder = format!("cases/server/{folder}");
    let mock = Mock::start(&folder, None);
    let home = Home::new();
    let known = [
        ("<server>", mock.address.as_str()),
        ("<repo>", REPOSITORY),
        ("<helmrepo>", HELM_REPOSITORY),
        ("<initial-password>", "secret-1"),
    ];
    let mut failed = Vec::new();
    for (name, mut record) in records(&folder) {
        record.call.variables.push(("ARGOCD_SERVER".into(), mock.address.clone()));
        let plain = (!record.call.words.contains(&"--plaintext".to_owned())).then_some("--plaintext");
        record.call.words.extend(plain.iter().chain(flags).map(|flag| (*flag).to_owned()));
        failed.extend(home.check(&name, &record, &known));
    }
    failures(&failed);
}

#[test]
fn sessions_and_accounts() {
    check("session", &[]);
}

#[test]
fn an_application_never_synced() {
    check("missing", &[]);
}

#[test]
fn an_application_in_sync() {
    check("synced", &[]);
}

#[test]
fn a_sync_is_waited_for() {
    check("syncing", &[]);
}

#[test]
fn lists() {
    check("list", &[]);
    check("empty", &[]);
}

#[test]
fn clusters_and_projects() {
    check("cluster", &[]);
    check("proj", &[]);
}

#[test]
fn grpc_web() {
    check("synced", &["--grpc-web"]);
    check("syncing", &["--grpc-web"]);
}

#[test]
fn a_certificate_nobody_knows_is_asked_about() {
    let mock = Mock::start("cases/server/session", Some("localhost"));
    let home = Home::new();
    let login = |input: &str, more: &[&str]| {
        let mut words = vec!["login", &mock.address, "--username", "admin", "--password", "secret-1"];
        words.extend(more);
        let words = words.into_iter().map(str::to_owned).collect();
        home.run(&Call { words, variables: Vec::new(), input: input.into() }, &[])
    };
    let question = "WARNING: server certificate had error: error creating connection: tls: failed to verify certificate: \
                    x509: certificate signed by unknown authority. Proceed insecurely (y/n)? ";
    let refused = login("n\n", &[]);
    assert_eq!((refused.exit, refused.output.as_str()), (Some(1), question));
    let silent = login("", &[]);
    assert_eq!(silent.exit, Some(20), "{silent:?}");
    let agreed = login("y\n", &[]);
    assert_eq!(agreed.exit, Some(0), "{agreed:?}");
    assert!(
        agreed.output.starts_with(question) && agreed.output.contains("'admin:login' logged in successfully")
    );
    let trusted =
        login("", &["--server-crt", mock.certificate.as_deref().expect("the mock has a certificate")]);
    assert_eq!(trusted.exit, Some(0), "{trusted:?}");
    assert!(trusted.output.starts_with("'admin:login'"), "{trusted:?}");
}
