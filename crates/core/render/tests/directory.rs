//! Directory sources: a tree in, the names of its objects or the error out.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod asked;

use api::v1alpha1::{ApplicationSource, ApplicationSourceDirectory};
use asked::with_request;
use object::tracking::AppInstance;
use render::{Environment, EnvironmentOf, Limits, Request, render};
use source_tree::{MemoryTree, TreePath};

const CONFIG_MAP: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: NAME\n";

/// What `files` render to: kinds and names in order, or the error.
fn check(files: &[(&str, &str)], options: Option<ApplicationSourceDirectory>) -> String {
    let files: Vec<(&str, &[u8])> = files.iter().map(|(path, text)| (*path, text.as_bytes())).collect();
    check_bytes(&files, options)
}

fn check_bytes(files: &[(&str, &[u8])], options: Option<ApplicationSourceDirectory>) -> String {
    let files = files.iter().map(|(path, bytes)| (TreePath::parse(path).unwrap(), bytes.to_vec()));
    let tree = MemoryTree::from_files(files).unwrap();
    let source = ApplicationSource { path: "app".into(), directory: options, ..ApplicationSource::default() };
    let application = AppInstance::new("argocd", "guestbook", "argocd");
    let environment =
        Environment::new(EnvironmentOf { application: "guestbook", ..EnvironmentOf::default() });
    let rendered = with_request(&source, |request| {
        let request = Request {
            application: Some(&application),
            application_name: "guestbook",
            namespace: "gb",
            environment: &environment,
            limits: Limits { manifest_bytes: 10_000, objects: 50 },
            ..request
        };
        render(&tree, &request)
    });
    match rendered {
        Ok(rendered) => {
            let names = rendered.objects.iter().map(|object| format!("{} {}", object.kind(), object.name()));
            names.collect::<Vec<_>>().join(", ")
        }
        Err(error) => format!("error: {error}"),
    }
}

fn named(name: &str) -> String {
    CONFIG_MAP.replace("NAME", name)
}

#[test]
fn files_documents_and_lists_in_the_order_of_paths() {
    let list = r#"{"apiVersion":"v1","kind":"List","items":[{"apiVersion":"v1","kind":"Secret","metadata":{"name":"s"}}]}"#;
    let two = format!("{}---\n{}---\n# nothing\n", named("b1"), named("b2"));
    let files = [
        ("app/b.yaml", two.as_str()),
        ("app/a.json", list),
        ("app/readme.md", "x"),
        ("app/sub/c.yml", &named("c")),
    ];
    assert_eq!(check(&files, None), "Secret s, ConfigMap b1, ConfigMap b2");
    let recurse = ApplicationSourceDirectory { recurse: true, ..Default::default() };
    assert_eq!(check(&files, Some(recurse)), "Secret s, ConfigMap b1, ConfigMap b2, ConfigMap c");
}

#[test]
fn include_and_exclude_are_globs_of_relative_paths() {
    let files =
        [("app/a.yaml", &*named("a")), ("app/b.yaml", &*named("b")), ("app/sub/c.yaml", &*named("c"))];
    let options = |include: &str, exclude: &str| {
        Some(ApplicationSourceDirectory {
            recurse: true,
            include: include.into(),
            exclude: exclude.into(),
            ..Default::default()
        })
    };
    assert_eq!(check(&files, options("{a,sub/*}.yaml", "")), "ConfigMap a, ConfigMap c");
    assert_eq!(check(&files, options("", "*b.yaml")), "ConfigMap a, ConfigMap c");
    assert_eq!(check(&files, options("[", "")), "error: directory include \"[\": '[' is never closed");
}

#[test]
fn marks_are_set() {
    let files = [(TreePath::parse("a.yaml").unwrap(), named("a"))];
    let tree = MemoryTree::from_files(files).unwrap();
    let application = AppInstance::new("argocd", "guestbook", "argocd");
    let source = ApplicationSource { path: ".".into(), ..ApplicationSource::default() };
    let rendered = with_request(&source, |request| {
        let request = Request {
            application: Some(&application),
            application_name: "guestbook",
            namespace: "gb",
            ..request
        };
        render(&tree, &request).unwrap()
    });
    assert_eq!(
        rendered.objects[0].annotation("argocd.argoproj.io/tracking-id"),
        Some("guestbook:/ConfigMap:gb/a")
    );
}

#[test]
fn what_is_broken_is_named() {
    let broken = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: x\n bad\n";
    let error = check(&[("app/bad.yaml", broken)], None);
    assert!(
        error.starts_with("error: Failed to unmarshal \"bad.yaml\": failed to unmarshal manifest: "),
        "{error}"
    );
    assert!(error.contains("yaml: line 4"), "{error}");
    let mixed = format!("{}---\nkind: Secret\n", named("a"));
    let error = check(&[("app/mixed.yaml", &mixed)], None);
    assert!(error.contains("apiVersion is missing (document at line 6)"), "{error}");
    assert_eq!(check(&[("other/a.yaml", "")], None), "error: app: app path does not exist");
    assert_eq!(
        check(&[("app/Chart.yaml", "name: x")], None),
        "error: helm template app: validation: chart.metadata.version is required"
    );
    assert_eq!(check(&[("app/values.yaml", "replicas: 1"), ("app/x.yaml", "- a")], None), "");
}

#[test]
fn limits_hold() {
    let large = format!("{}data:\n  a: {}\n", named("a"), "x".repeat(20_000));
    assert_eq!(
        check(&[("app/a.yaml", &large)], None),
        "error: the manifest files of app exceed the limit of 10000"
    );
    let many = (0..60).map(|number| named(&number.to_string())).collect::<Vec<_>>().join("---\n");
    assert_eq!(check(&[("app/a.yaml", &many)], None), "error: the objects of app exceed the limit of 50");
}

#[test]
fn jsonnet_gives_an_object_or_a_list_of_them() {
    let variable = |name: &str, value: &str, code| api::v1alpha1::JsonnetVar {
        name: name.into(),
        value: value.into(),
        code,
    };
    let jsonnet = api::v1alpha1::ApplicationSourceJsonnet {
        ext_vars: vec![variable("name", "$ARGOCD_APP_NAME-x", false), variable("count", "1 + 1", true)],
        tlas: vec![variable("suffix", "z", false)],
        libs: vec!["vendor".into(), "other".into()],
    };
    let options = Some(ApplicationSourceDirectory { jsonnet, ..Default::default() });
    let map = r#"{ apiVersion: "v1", kind: "ConfigMap", metadata: { name: std.extVar("name") + std.extVar("count") } }"#;
    let list = r#"local lib = import "lib.libsonnet"; function(suffix) [lib + { metadata: { name: suffix + lib.from } }]"#;
    let files = [
        ("app/a.jsonnet", map),
        ("app/b.jsonnet", list),
        ("vendor/lib.libsonnet", r#"{ apiVersion: "v1", kind: "Secret", from:: "vendor" }"#),
        ("other/lib.libsonnet", r#"{ apiVersion: "v1", kind: "Secret", from:: "other" }"#),
    ];
    assert_eq!(check(&files, options.clone()), "ConfigMap guestbook-x2, Secret zother");
    let broken = [("app/a.jsonnet", "{ a: nope }")];
    assert_eq!(
        check(&broken, options.clone()),
        "error: Failed to evaluate jsonnet \"a.jsonnet\": app/a.jsonnet:1:6-10 Unknown variable: nope"
    );
    let number = [("app/a.jsonnet", "[1]")];
    assert!(check(&number, options).starts_with("error: Failed to unmarshal generated json \"a.jsonnet\": "));
}

#[test]
fn what_marks_itself_is_left_out_and_counts_for_nothing() {
    let large = |mark: &str, letter: &str| format!("{mark}\n# {}\n{}", letter.repeat(8_000), named("x"));
    let marked = large("# +argocd:skip-file-rendering", "a");
    let files = [("app/a.yaml", named("a")), ("app/b.yaml", marked.clone()), ("app/c.yaml", marked)];
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (*path, text.as_str())).collect();
    assert_eq!(check(&files, None), "ConfigMap a");
    // Neither does what Jsonnet makes its manifests of.
    let program =
        format!("// {}\n{{apiVersion: 'v1', kind: 'ConfigMap', metadata: {{name: 'j'}}}}", "a".repeat(8_000));
    let files = [("app/a.yaml", named("a")), ("app/b.jsonnet", program.clone()), ("app/c.jsonnet", program)];
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (*path, text.as_str())).collect();
    assert_eq!(check(&files, None), "ConfigMap a, ConfigMap j, ConfigMap j");
    let plain = large("#", "a");
    let error = check(&[("app/a.yaml", &plain), ("app/b.yaml", &plain)], None);
    assert!(error.starts_with("error: ") && error.contains("the manifest files"), "{error}");
}

#[test]
fn without_the_filter_of_extensions_all_that_is_included_is_a_manifest() {
    let files = [
        ("app/a.yaml", &*named("a")),
        ("app/b.tpl", &*named("b")),
        ("app/c", &*named("c")),
        ("app/d.txt", "x"),
    ];
    assert_eq!(check(&files, None), "ConfigMap a");
    let options = |include: &str, exclude: &str| {
        Some(ApplicationSourceDirectory {
            disable_extension_filter: true,
            include: include.into(),
            exclude: exclude.into(),
            ..Default::default()
        })
    };
    assert_eq!(check(&files, options("{*.tpl,c}", "")), "ConfigMap b, ConfigMap c");
    assert_eq!(check(&files, options("", "*.t*")), "ConfigMap a, ConfigMap c");
}

#[test]
fn files_may_begin_with_a_mark_of_their_encoding() {
    let utf16 = |text: &str, bytes: fn(u16) -> [u8; 2]| -> Vec<u8> {
        std::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(bytes).collect()
    };
    let json = r#"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"NAME"}}"#;
    let files = [
        ("app/a.json", ["\u{feff}", &json.replace("NAME", "a")].concat().into_bytes()),
        ("app/b.json", utf16(&json.replace("NAME", "b"), u16::to_le_bytes)),
        ("app/c.yaml", utf16(&named("c"), u16::to_be_bytes)),
        ("app/d.yaml", ["\u{feff}", &named("d")].concat().into_bytes()),
    ];
    let files: Vec<(&str, &[u8])> = files.iter().map(|(path, bytes)| (*path, bytes.as_slice())).collect();
    assert_eq!(check_bytes(&files, None), "ConfigMap a, ConfigMap b, ConfigMap c, ConfigMap d");
}
