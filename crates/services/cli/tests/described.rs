//! What names, flags, files and addresses describe, as `admin app generate-spec` and `admin proj generate-spec` print it: no
//! server is asked.

#[expect(dead_code, reason = "shared with tests that read recordings")]
mod common;

use std::fs;
use std::path::Path;

use common::Home;
use serde_json::{Value, json};
use testkit::git_http::{GitHttp, Options};
use transcripts::{Answer, Call};

const ONE_SOURCE: &str = "\
metadata: {name: shop, namespace: team-a}
spec:
  destination: {name: in-cluster, namespace: shop}
  project: default
  source:
    repoURL: https://git.example/apps
    path: shop
";
const SEVERAL_SOURCES: &str = "\
metadata: {name: many}
spec:
  destination: {name: in-cluster, namespace: shop}
  project: default
  sources:
  - {repoURL: https://git.example/apps, path: one}
";

/// A home with files in it.
fn home(files: &[(&str, &str)]) -> Home {
    let home = Home::new();
    for (name, text) in files {
        fs::write(Path::new(home.path()).join(name), text).expect("a file");
    }
    home
}

fn run(home: &Home, words: &[&str], input: &str) -> Answer {
    let words = words.iter().map(|word| (*word).to_owned()).collect();
    let call = Call { words, input: input.to_owned(), ..Call::default() };
    home.run(&call, &[("<home>", home.path())])
}

/// The application that words describe.
fn application(home: &Home, words: &[&str]) -> Value {
    let mut all = vec!["admin", "app", "generate-spec", "-o", "json"];
    all.extend(words);
    let answer = run(home, &all, "");
    assert_eq!(answer.exit, Some(0), "{words:?}: {answer:?}");
    serde_json::from_str(&answer.output).expect("an application as JSON")
}

/// Words that describe nothing, with their exit code and what is told.
fn refused(home: &Home, words: &[&str], exit: i32, told: &str) {
    let mut all = vec!["admin", "app", "generate-spec"];
    all.extend(words);
    let answer = run(home, &all, "");
    assert_eq!(answer.exit, Some(exit), "{words:?}: {answer:?}");
    assert!(answer.errors.contains(told), "{words:?}: {answer:?}");
}

/// The file of an application whose source says this, too.
fn with(source: &str) -> Home {
    home(&[("app.yaml", &format!("{ONE_SOURCE}    {source}\n"))])
}

/// The source of the application of the file, after flags.
fn source(home: &Home, flags: &[&str]) -> Value {
    let mut words = vec!["-f", "<home>/app.yaml"];
    words.extend(flags);
    application(home, &words)["spec"]["source"].clone()
}

#[test]
fn files_and_values_may_lie_behind_addresses() {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in [
        ("app.yaml", ONE_SOURCE),
        ("proj.yaml", "metadata: {name: team}\nspec: {description: fetched}\n"),
        ("values.yaml", "a: {b: fetched}\n"),
    ] {
        fs::write(folder.path().join(name), text).expect("a file");
    }
    let server = GitHttp::serve_files(folder.path(), &Options::default()).expect("a server");
    let home = Home::new();
    let values = server.url("values.yaml");
    let shop = application(&home, &["-f", &server.url("app.yaml"), "--values-literal-file", &values]);
    assert_eq!(shop["metadata"]["name"], "shop");
    assert_eq!(shop["spec"]["source"]["helm"]["valuesObject"], json!({"a": {"b": "fetched"}}));
    let words = ["admin", "proj", "generate-spec", "-f", &server.url("proj.yaml")];
    let project = run(&home, &words, "");
    assert!(project.output.contains("description: fetched"), "{project:?}");

    let missing = server.url("missing.yaml");
    let told = format!("get {missing}: 404 Not Found");
    refused(&home, &["-f", &missing], 20, &told);
    refused(&home, &["shop", "--values-literal-file", &missing], 20, &told);
    let set = run(&home, &["appset", "create", &missing], "");
    let told = format!("from file {missing}: error reading file payload: {told}");
    assert!(set.exit == Some(20) && set.errors.contains(&told), "{set:?}");
}

#[test]
fn an_argument_is_the_name_that_a_file_has_and_a_flag_overrides_it() {
    let home = home(&[("app.yaml", ONE_SOURCE), ("nameless.yaml", "spec: {}\n")]);
    let told = "app name 'other' does not match app spec metadata.name 'shop'";
    refused(&home, &["other", "-f", "<home>/app.yaml"], 20, told);
    refused(&home, &["-f", "<home>/nameless.yaml"], 20, "app.Name is empty");
    let named = application(&home, &["shop", "-f", "<home>/app.yaml", "--name", "other"]);
    assert_eq!(named["metadata"], json!({"name": "other"}));
    let told = "--name argument 'a' does not match app name b";
    refused(&home, &["b", "--name", "a"], 20, told);
    refused(&home, &["a", "b"], 1, "");
}

#[test]
fn what_standard_input_holds_and_several_sources_are_taken_as_they_are() {
    let home = home(&[("many.yaml", SEVERAL_SOURCES)]);
    let flags = ["--label", "a=b", "--path", "other", "--auto-prune", "-p", "a=b"];
    let words = ["admin", "app", "generate-spec", "other", "-f", "-", "-o", "json", "--set-finalizer"];
    let answer = run(&home, &[words.as_slice(), flags.as_slice()].concat(), ONE_SOURCE);
    let shop: Value = serde_json::from_str(&answer.output).expect("an application as JSON");
    let finalizers = ["resources-finalizer.argocd.argoproj.io"];
    assert_eq!(shop["metadata"], json!({"name": "shop", "finalizers": finalizers}));
    let unchanged = json!({"repoURL": "https://git.example/apps", "path": "shop"});
    assert_eq!((&shop["spec"]["source"], &shop["spec"]["syncPolicy"]), (&unchanged, &Value::Null));

    let many = application(&home, &[["-f", "<home>/many.yaml"].as_slice(), flags.as_slice()].concat());
    assert_eq!(many["metadata"]["labels"], json!({"a": "b"}));
    let unchanged = json!([{"repoURL": "https://git.example/apps", "path": "one"}]);
    assert_eq!((&many["spec"]["sources"], &many["spec"]["syncPolicy"]), (&unchanged, &Value::Null));
}

#[test]
fn labels_have_one_equals_sign_and_annotations_any_number() {
    let home = home(&[("app.yaml", ONE_SOURCE)]);
    let words = ["-f", "<home>/app.yaml", "--annotations", "a=b=c", "--annotations", "plain"];
    let annotations = json!({"a": "b=c", "plain": ""});
    assert_eq!(application(&home, &words)["metadata"]["annotations"], annotations);
    let told = "labels should have key=value, but instead got: a=b=c";
    refused(&home, &["shop", "--label", "a=b=c"], 20, told);
    refused(&home, &["shop", "--kustomize-common-label", "a=b=c"], 20, told);
}

#[test]
fn values_without_content_change_nothing_of_a_chart() {
    let files = "{releaseName: one, parameters: [{name: a, value: '1'}, {name: b, value: '2'}], fileParameters: [{name: a, path: x}, {name: b, path: w}]}";
    let home = with(&format!("helm: {files}"));
    let helm = |flags: &[&str]| source(&home, flags)["helm"].clone();
    let before = helm(&[]);
    assert_eq!(helm(&["--release-name=", "--helm-skip-crds=false", "--helm-version="]), before);
    let parameters = json!([{"name": "a", "value": "x\\,y"}, {"name": "b", "value": "2"}]);
    assert_eq!(helm(&["--helm-set", "a=x,y"])["parameters"], parameters);
    let parameters = json!([{"name": "a", "value": "{x,y}"}, {"name": "b", "value": "2"}]);
    assert_eq!(helm(&["-p", "a={x,y}", "-p", "nothing"])["parameters"], parameters);
    let files = json!([{"name": "a", "path": "z"}, {"name": "b", "path": "w"}]);
    assert_eq!(helm(&["--helm-set-file", "a=z"])["fileParameters"], files);
    let told = "expected helm parameter of the form param=value but received: nothing";
    refused(&home, &["shop", "--helm-set", "nothing"], 1, told);
}

#[test]
fn values_are_an_object_or_a_text() {
    let home = home(&[("object", "a: 1\n"), ("text", "plain\n"), ("list", "[1]\n"), ("empty", "")]);
    let helm = |file: &str| {
        let words = ["shop", "--values-literal-file", &format!("<home>/{file}")];
        application(&home, &words)["spec"]["source"]["helm"].clone()
    };
    assert_eq!(helm("object"), json!({"valuesObject": {"a": 1}}));
    assert_eq!(helm("text"), json!({"valuesObject": "plain"}));
    assert_eq!(helm("empty"), Value::Null);
    let told = r#"invalid type \"[]interface {}\""#;
    refused(&home, &["shop", "--values-literal-file", "<home>/list"], 1, told);
}

#[test]
fn parameters_are_for_charts_only() {
    let told = "Parameters can only be set against Helm applications";
    for other in ["kustomize: {namePrefix: a-}", "directory: {recurse: true}", "plugin: {name: own}"] {
        refused(&with(other), &["-f", "<home>/app.yaml", "-p", "a=b"], 1, told);
    }
    // What has no type yet is a chart when a parameter looks like one's.
    let home = with("targetRevision: main");
    assert_eq!(source(&home, &["-p", "a=b"])["helm"], json!({"parameters": [{"name": "a", "value": "b"}]}));
    refused(&home, &["-f", "<home>/app.yaml", "-p", "a"], 1, told);
}

#[test]
fn replicas_stay_in_their_place_and_another_plugin_begins_anew() {
    let home = with("kustomize: {replicas: [{name: one, count: 1}, {name: two, count: 2}]}");
    let replicas = json!([{"name": "one", "count": 5}, {"name": "two", "count": 2}]);
    assert_eq!(source(&home, &["--kustomize-replica", "one=5"])["kustomize"]["replicas"], replicas);
    let told = "expected integer value for count. Received: many";
    refused(&home, &["shop", "--kustomize-replica", "one=many"], 1, told);
    let told = "expected parameter of the form: name=count. Received: one";
    refused(&home, &["shop", "--kustomize-replica", "one"], 1, told);
    // How labels are put means nothing without labels.
    assert_eq!(
        source(&with("targetRevision: main"), &["--kustomize-label-without-selector"])["kustomize"],
        Value::Null
    );

    let home = with("plugin: {name: one, env: [{name: A, value: b}]}");
    let plugin =
        source(&home, &["--config-management-plugin", "two", "--plugin-env", "=x"])["plugin"].clone();
    assert_eq!(plugin, json!({"name": "two", "env": [{"name": "", "value": "x"}]}));
    let told = "expected env entry of the form: param=value but received: A";
    refused(&home, &["shop", "--plugin-env", "A"], 1, told);
}

#[test]
fn retries_end_and_options_go_one_at_a_time() {
    let policy = "syncPolicy: {retry: {limit: 2}, syncOptions: [A=true, B=true]}";
    let home = home(&[("app.yaml", &format!("{ONE_SOURCE}  {policy}\n"))]);
    let words = ["-f", "<home>/app.yaml", "--sync-retry-limit", "0", "--sync-option", "!A=true"];
    let policy = application(&home, &words)["spec"]["syncPolicy"].clone();
    assert_eq!(policy, json!({"syncOptions": ["B=true"]}));
}
