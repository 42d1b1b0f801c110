//! `argocd render`: local folders of every type, and what is told when they do not render.

#[expect(dead_code, reason = "shared with tests that read recordings")]
mod common;

use common::Home;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use testkit::git_http::{GitHttp, Options};
use transcripts::{Answer, Call};

const MAP: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: map\ndata:\n  a: b\n";

fn write(home: &Home, files: &[(&str, &str)]) {
    for (path, text) in files {
        let path = Path::new(home.path()).join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, text).expect("a file");
    }
}

fn render(home: &Home, words: &[&str]) -> Answer {
    let words = ["render"].iter().chain(words).map(|word| (*word).to_owned()).collect();
    home.run(&Call { words, ..Call::default() }, &[("<home>", home.path())])
}

fn chart(home: &Home) {
    write(
        home,
        &[
            ("shop/.git/HEAD", ""),
            ("shop/common.yaml", "b: common\n"),
            ("shop/chart/Chart.yaml", "apiVersion: v2\nname: chart\nversion: 1.0.0\n"),
            ("shop/chart/values.yaml", "a: chart\nb: chart\n"),
            (
                "shop/chart/templates/map.yaml",
                "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}-{{ .Release.Namespace }}\ndata:\n  a: {{ .Values.a | quote }}\n  b: {{ .Values.b | quote }}\n  version: {{ .Capabilities.KubeVersion.Version }}\n",
            ),
        ],
    );
}

#[test]
fn a_chart_takes_values_parameters_and_names() {
    let home = Home::new();
    chart(&home);
    let words = [
        "<home>/shop/chart",
        "--values",
        "../common.yaml",
        "--helm-set",
        "a=set",
        "--app-name",
        "own",
        "--dest-namespace",
        "space",
        "--kube-version",
        "1.31.0",
    ];
    let answer = render(&home, &words);
    assert_eq!((answer.exit, answer.errors.as_str()), (Some(0), ""));
    assert_eq!(
        answer.output,
        "---\napiVersion: v1\ndata:\n  a: set\n  b: common\n  version: v1.31.0\nkind: ConfigMap\nmetadata:\n  name: own-space\n"
    );
}

#[test]
fn a_values_file_may_lie_behind_an_address() {
    let home = Home::new();
    chart(&home);
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("prod.yaml"), "a: fetched\n").expect("a file");
    fs::write(folder.path().join("large.yaml"), vec![b'#'; (10 << 20) + 1]).expect("a file");
    let options = Options { basic_auth: Some(("ann".to_owned(), "open-sesame".to_owned())), tls: false };
    let server = GitHttp::serve_files(folder.path(), &options).expect("a server");
    let address = |name: &str| server.url(name).replace("http://", "http://ann:open-sesame@");
    let with = |values: &str, more: &[&str]| {
        render(&home, &[&["<home>/shop/chart", "--values", values], more].concat())
    };
    let answer = with(&address("prod.yaml"), &[]);
    assert_eq!((answer.exit, answer.errors.as_str()), (Some(0), ""));
    assert!(answer.output.contains("  a: fetched\n  b: chart\n"), "{}", answer.output);
    for (values, more, told) in [
        (address("missing.yaml"), &[] as &[&str], "404 Not Found"),
        (server.url("prod.yaml"), &[], "401 Unauthorized"),
        (address("large.yaml"), &[], "larger than the limit of 10485760 bytes"),
        (address("prod.yaml"), &["--values-file-schemes", "https"], "the URL scheme 'http' is not allowed"),
        ("ftp://127.0.0.1/x".to_owned(), &[], "the URL scheme 'ftp' is not allowed"),
    ] {
        let answer = with(&values, more);
        assert!(answer.exit != Some(0) && answer.errors.contains(told), "{values}: {answer:?}");
        assert!(!answer.errors.contains("open-sesame"), "{}", answer.errors);
    }
}

#[test]
fn kustomizations_and_directories_are_told_apart() {
    let home = Home::new();
    write(
        &home,
        &[
            ("base/map.yaml", MAP),
            ("base/kustomization.yaml", "resources: [map.yaml]\n"),
            ("overlay/kustomization.yaml", "resources: [../base]\n"),
            ("plain/map.yaml", MAP),
            ("plain/inner/other.yaml", &MAP.replace("map", "other")),
        ],
    );
    let overlay = render(&home, &["<home>/overlay", "--local-repo-root", "<home>", "--nameprefix", "x-"]);
    assert!(overlay.output.contains("name: x-map\n"), "{overlay:?}");
    let names = |answer: Answer| answer.output.matches("\n  name: ").count();
    assert_eq!(names(render(&home, &["<home>/plain"])), 1);
    assert_eq!(names(render(&home, &["<home>/plain", "--directory-recurse"])), 2);
}

#[test]
fn a_kustomization_takes_labels_annotations_and_components() {
    let home = Home::new();
    write(
        &home,
        &[
            ("app/map.yaml", MAP),
            ("app/kustomization.yaml", "resources: [map.yaml]\n"),
            (
                "component/kustomization.yaml",
                "kind: Component\napiVersion: kustomize.config.k8s.io/v1alpha1\nnameSuffix: -c\n",
            ),
        ],
    );
    let words = [
        "<home>/app",
        "--local-repo-root",
        "<home>",
        "--kustomize-common-label",
        "team=blue",
        "--kustomize-common-annotation",
        "by=hand",
        "--kustomize-component",
        "../component",
    ];
    let answer = render(&home, &words);
    for part in ["team: blue", "by: hand", "name: map-c"] {
        assert!(answer.output.contains(part), "{part}: {answer:?}");
    }
    chart(&home);
    let words = ["<home>/shop/chart", "--app-name", "own", "--dest-namespace", "x", "--helm-namespace", "y"];
    let answer = render(&home, &words);
    assert!(answer.output.contains("name: own-y"), "{answer:?}");
}

#[test]
fn what_does_not_render_is_told() {
    let home = Home::new();
    chart(&home);
    write(
        &home,
        &[("secret.yaml", MAP), ("overlay/kustomization.yaml", "resources: [../shop]\n"), ("file", "")],
    );
    fs::create_dir_all(Path::new(home.path()).join("linked")).expect("a folder");
    symlink("../secret.yaml", Path::new(home.path()).join("linked/map.yaml")).expect("a link");
    for (words, told) in [
        (&["<home>/nope"][..], "nope: no such file or directory"),
        (&["<home>/file"], "file: not a folder"),
        (&["<home>/shop", "--local-repo-root", "<home>/overlay"], "is not in"),
        (&["<home>/shop/chart", "--values", "no.yaml"], "open chart/no.yaml: no such file or directory"),
        (&["<home>/shop/chart", "--values", "../../secret.yaml"], "is outside the source"),
        (&["<home>/overlay"], "kustomize build"),
        (&["<home>/linked"], "out-of-bounds symlinks"),
    ] {
        let answer = render(&home, words);
        assert_eq!(answer.exit, Some(20), "{words:?}: {answer:?}");
        assert!(answer.errors.contains(told), "{words:?}: {}", answer.errors);
    }
    assert_eq!(render(&home, &[]).exit, Some(1));
}
