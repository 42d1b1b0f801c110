//! Recorded calls against a gRPC server that answers what the recordings hold: over HTTP/2, over gRPC-web, and over
//! TLS with a certificate nobody knows.

mod common;
mod mock;

use std::fs;
use std::path::Path;

use common::{Home, failures, records};
use mock::Mock;
use serde_json::{Value, json};
use testkit::git_http::{self, GitHttp};
use transcripts::{Answer, Call};

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
fn an_application_not_compared_yet_is_compared_before_its_resources_are_chosen() {
    let mock = Mock::start("cases/server/syncing", None);
    let home = Home::new();
    let sync = |resource: &str| {
        let words = ["app", "sync", "fresh", "--resource", resource, "--async", "--plaintext"];
        let variables = vec![("ARGOCD_SERVER".to_owned(), mock.address.clone())];
        home.run(&Call { words: words.map(str::to_owned).into(), variables, ..Call::default() }, &[])
    };
    let found = sync("apps:Deployment:guestbook-ui");
    assert_eq!(found.exit, Some(0), "{found:?}");
    let missing = sync("apps:Deployment:nope");
    assert!(missing.exit == Some(1) && missing.errors.contains("No matching app resources"), "{missing:?}");
}

#[test]
fn differences() {
    check("differences", &[]);
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

#[test]
fn files_of_a_client_certificate_are_named_in_the_context_and_read_at_every_call() {
    let mock = Mock::start("cases/server/session", Some("localhost"));
    let authority = mock.certificate.as_deref().expect("the mock has a certificate");
    let home = Home::new();
    let at = |name: &str| format!("{}/{name}", home.path());
    let made = rcgen::generate_simple_self_signed(vec!["client".to_owned()]).expect("a certificate");
    fs::write(at("client.crt"), made.cert.pem()).expect("a file");
    fs::write(at("client.key"), made.signing_key.serialize_pem()).expect("a file");
    let run = |words: &[&str]| {
        let words = words.iter().map(|word| (*word).to_owned()).collect();
        home.run(&Call { words, ..Call::default() }, &[])
    };
    let login = |more: &[&str]| {
        let words = ["login", &mock.address, "--username", "admin", "--password", "secret-1"];
        run(&[&words[..], more].concat())
    };
    let half = login(&["--server-crt", authority, "--client-crt", &at("client.crt")]);
    assert!(half.exit == Some(1) && half.errors.contains("must always be specified together"), "{half:?}");
    let (certificate, key) = (at("client.crt"), at("client.key"));
    let first = login(&["--server-crt", authority, "--client-crt", &certificate, "--client-crt-key", &key]);
    assert_eq!(first.exit, Some(0), "{first:?}");
    let kept = || fs::read_to_string(at(".config/argocd/config")).expect("the configuration");
    let named = |text: &str| {
        text.contains(&format!("client-certificate: {certificate}\n"))
            && text.contains(&format!("client-certificate-key: {key}\n"))
            && !text.contains("client-certificate-data")
    };
    assert!(named(&kept()), "{}", kept());
    // Another login without them leaves them, and the authority, as they were.
    let again = login(&["--insecure"]);
    assert_eq!(again.exit, Some(0), "{again:?}");
    assert!(named(&kept()) && kept().contains("certificate-authority-data: "), "{}", kept());
    let used = run(&["account", "get-user-info"]);
    assert!(used.exit == Some(0) && used.output.contains("Logged In: true"), "{used:?}");
    fs::remove_file(at("client.key")).expect("the key");
    let gone = run(&["account", "get-user-info"]);
    let told = format!("open {key}: no such file or directory");
    assert!(gone.exit == Some(1) && gone.errors.contains(&told), "{gone:?}");
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

/// A server whose applications are changed, and who changes them.
struct Changing {
    mock: Mock,
    home: Home,
}

impl Changing {
    fn start() -> Self {
        Self { mock: Mock::start("cases/server/changing", None), home: Home::new() }
    }

    fn run(&self, words: &[&str], editor: &str, input: &str) -> Answer {
        let words = words.iter().chain(&["--plaintext"]).map(|word| (*word).to_owned()).collect();
        let variables = vec![
            ("ARGOCD_SERVER".to_owned(), self.mock.address.clone()),
            ("EDITOR".to_owned(), editor.to_owned()),
        ];
        self.home.run(&Call { words, variables, input: input.to_owned() }, &[])
    }

    fn succeed(&self, words: &[&str]) -> String {
        let answer = self.run(words, "", "");
        assert_eq!(answer.exit, Some(0), "{words:?}: {answer:?}");
        answer.output
    }

    fn refuse(&self, words: &[&str], exit: i32, told: &str) {
        let answer = self.run(words, "", "");
        assert_eq!(answer.exit, Some(exit), "{words:?}: {answer:?}");
        assert!(answer.errors.contains(told), "{words:?}: {answer:?}");
    }

    fn application(&self, name: &str) -> Value {
        let shown = self.succeed(&["app", "get", name, "-o", "json"]);
        serde_json::from_str(&shown).expect("an application as JSON")
    }

    fn at(&self, name: &str, pointer: &str) -> Value {
        self.application(name).pointer(pointer).cloned().unwrap_or_default()
    }
}

#[test]
fn flags_of_automated_sync_do_not_switch_it_on() {
    let changing = Changing::start();
    changing.succeed(&["app", "set", "plain", "--auto-prune", "--self-heal=false"]);
    let automated = json!({"enabled": false, "prune": true, "selfHeal": false});
    assert_eq!(changing.at("plain", "/spec/syncPolicy/automated"), automated);
    changing.succeed(&["app", "set", "plain", "--sync-policy", "automated", "--allow-empty"]);
    assert_eq!(changing.at("plain", "/spec/syncPolicy/automated"), json!({"allowEmpty": true}));
}

#[test]
fn settings_of_a_source_are_changed_by_name_and_kept_without_a_value() {
    let changing = Changing::start();
    changing.succeed(&["app", "set", "shop", "--kustomize-image", "nginx:1", "--nameprefix="]);
    let kustomize = json!({"images": ["nginx-exporter:2", "nginx:1"], "namePrefix": "a-"});
    assert_eq!(changing.at("shop", "/spec/source/kustomize"), kustomize);
    changing.succeed(&["app", "unset", "shop", "--kustomize-image", "nginx"]);
    assert_eq!(changing.at("shop", "/spec/source/kustomize/images"), json!(["nginx-exporter:2"]));

    changing.succeed(&["app", "set", "many", "--source-name", "second", "--path", "three"]);
    assert_eq!(changing.at("many", "/spec/sources/1/path"), "three");
    assert_eq!(changing.at("many", "/spec/sources/0/path"), "one");
    let unknown = "Unknown source name 'x'";
    changing.refuse(&["app", "set", "shop", "--source-name", "x", "--path", "y"], 1, unknown);
    let both = ["app", "set", "many", "--source-name", "first", "--source-position", "1"];
    changing.refuse(&both, 20, "Only one of source-position and source-name can be specified.");
}

#[test]
fn what_takes_something_away_is_asked_about_where_questions_are_wanted() {
    let changing = Changing::start();
    for (words, told) in [
        (&["app", "unset", "shop", "--nameprefix"][..], "to unset the parameters has been cancelled."),
        (&["app", "remove-source", "many", "--source-position", "1"], "to delete the source was cancelled"),
    ] {
        let answer = changing.run(&[words, &["--prompts-enabled"]].concat(), "", "n\n");
        assert_eq!(answer.exit, Some(0), "{answer:?}");
        assert!(answer.output.contains(told), "{answer:?}");
    }
    assert_eq!(changing.at("shop", "/spec/source/kustomize/namePrefix"), "a-");
    assert_eq!(changing.at("many", "/spec/sources/1/name"), "second");

    changing.succeed(&["app", "unset", "shop", "--nameprefix"]);
    assert_eq!(changing.at("shop", "/spec/source/kustomize/namePrefix"), Value::Null);
    changing.succeed(&["app", "remove-source", "many", "--source-name", "first"]);
    assert_eq!(changing.at("many", "/spec/sources/0/name"), "second");
    // Nothing to take away is no mistake where the source is of no type, and one where no flag is for its type.
    assert_eq!(changing.succeed(&["app", "unset", "plain", "--nameprefix"]), "");
    changing.refuse(&["app", "unset", "shop", "--values", "x.yaml"], 1, "");
}

#[test]
fn an_edit_is_taken_whether_it_renders_or_not() {
    let changing = Changing::start();
    changing.refuse(&["app", "set", "shop", "--path", "broken"], 20, "application spec for shop is invalid");
    let words = ["app", "edit", "shop"];
    let answer = changing.run(&words, "sed -i 's/path: shop/path: broken/'", "");
    assert_eq!(answer.exit, Some(0), "{answer:?}");
    assert_eq!(changing.at("shop", "/spec/source/path"), "broken");
    let unchanged = changing.run(&words, "true", "");
    assert_eq!(unchanged.exit, Some(20), "{unchanged:?}");
    assert!(unchanged.errors.contains("edit cancelled, no valid changes were saved"), "{unchanged:?}");
}

#[test]
fn a_name_may_hold_the_namespace_and_a_flag_overrides_it() {
    let changing = Changing::start();
    let create = |words: &[&str]| {
        let mut all = vec!["app", "create"];
        all.extend(words);
        all.extend(["--repo", "https://git.example/apps", "--path", "new", "--dest-name", "in-cluster"]);
        changing.succeed(&all)
    };
    assert_eq!(create(&["team-a/one"]), "application 'one' created\n");
    assert_eq!(changing.at("one", "/metadata/namespace"), "team-a");
    create(&["--name", "team-a/two"]);
    assert_eq!(changing.at("two", "/metadata/namespace"), "team-a");
    create(&["team-a/three", "--app-namespace", "team-b"]);
    assert_eq!(changing.at("three", "/metadata/namespace"), "team-b");
}
