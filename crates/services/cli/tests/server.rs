//! Recorded calls against a gRPC server that answers what the recordings hold: over HTTP/2, over gRPC-web, and over
//! TLS with a certificate nobody knows.

mod common;
mod mock;

use std::fs;
use std::path::Path;

use common::{Home, failures, records};
use mock::Mock;
use testkit::git_http::{self, GitHttp};
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
fn an_application_deleted_before_it_is_watched_is_not_waited_for() {
    let mock = Mock::start("cases/server/synced", None);
    let home = Home::new();
    let words = ["app", "wait", "vanishing", "--delete", "--timeout", "20", "--plaintext"];
    let variables = vec![("ARGOCD_SERVER".to_owned(), mock.address.clone())];
    let call = Call { words: words.map(str::to_owned).into(), variables, ..Call::default() };
    let answer = home.run(&call, &[]);
    assert_eq!(answer.exit, Some(0), "{answer:?}");
    assert!(answer.output.contains("' deleted"), "{answer:?}");
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

/// Writes files below a folder.
fn write(folder: &Path, files: &[(&str, &str)]) {
    for (path, text) in files {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().expect("a file lies in a folder")).expect("a folder");
        fs::write(path, text).expect("a file");
    }
}

#[test]
fn local_folders_are_rendered_with_what_they_lead_to() {
    let mock = Mock::start("cases/server/local", None);
    let home = Home::new();
    let charts = tempfile::tempdir().expect("a folder");
    let map = |name: &str| format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\n");
    let mut packed = archive::Packer::new(Vec::new());
    let files = [
        ("db/Chart.yaml", "apiVersion: v2\nname: db\nversion: 1.0.0\n"),
        ("db/templates/a.yaml", &map("db")),
    ];
    for (path, text) in files {
        packed.file(path, text.as_bytes(), false).expect("an archive");
    }
    fs::write(charts.path().join("db-1.0.0.tgz"), packed.finish().expect("an archive")).expect("a file");
    let index = "entries:\n  db:\n  - {version: 1.0.0, urls: [db-1.0.0.tgz]}\n";
    fs::write(charts.path().join("index.yaml"), index).expect("a file");
    let server = GitHttp::serve_files(charts.path(), &git_http::Options::default()).expect("a server");

    let root = Path::new(home.path()).join("repository");
    let chart = format!(
        "apiVersion: v2\nname: shop\nversion: 1.0.0\ndependencies:\n- {{name: lib, version: 1.x, repository: 'file://../lib'}}\n- {{name: db, version: 1.0.0, repository: '{}'}}\n",
        server.url("")
    );
    let values = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: shop}\ndata: {{ pick .Values \"common\" \"top\" \"from\" | toJson }}\n";
    write(
        &root,
        &[
            (".git/HEAD", "ref: refs/heads/main\n"),
            ("base/kustomization.yaml", "resources: [map.yaml]\n"),
            ("base/map.yaml", &map("base")),
            ("overlays/prod/kustomization.yaml", "resources: [../../base]\nnamePrefix: prod-\n"),
            ("top.yaml", "top: t\n"),
            ("charts/common.yaml", "common: c\n"),
            ("charts/shop/Chart.yaml", &chart),
            ("charts/shop/templates/map.yaml", values),
            ("charts/lib/Chart.yaml", "apiVersion: v2\nname: lib\nversion: 1.2.0\n"),
            ("charts/lib/templates/map.yaml", &map("lib")),
        ],
    );
    let run = |name: &str, folder: &str, more: &[&str]| {
        let folder = root.join(folder).display().to_string();
        let mut words = vec!["app", "manifests", name, "--local", &folder, "--plaintext"];
        words.extend(more);
        let words = words.into_iter().map(str::to_owned).collect();
        let variables = vec![("ARGOCD_SERVER".to_owned(), mock.address.clone())];
        home.run(&Call { words, variables, ..Call::default() }, &[])
    };
    let overlay = run("overlay", "overlays/prod", &[]);
    assert!(overlay.output.contains("name: prod-base"), "{overlay:?}");
    let shop = run("chart", "charts/shop", &[]);
    for part in ["name: lib", "name: db", "common: c", "top: t", "from: charts/shop@main"] {
        assert!(shop.output.contains(part), "{part}: {shop:?}");
    }
    // With the folder as root, nothing beside it can be read.
    let folder = root.join("overlays/prod").display().to_string();
    let alone = run("overlay", "overlays/prod", &["--local-repo-root", &folder]);
    assert!(alone.exit != Some(0) && !alone.output.contains("prod-base"), "{alone:?}");
}
