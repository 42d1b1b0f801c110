//! Charts and kustomizations as sources: what the fields of a source do to what comes out.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use api::k8s::runtime::RawExtension;
use api::v1alpha1::{
    ApplicationSource, ApplicationSourceHelm, ApplicationSourceKustomize, HelmFileParameter, HelmParameter,
};
use object::tracking::{Tracking, TrackingMethod};
use render::{Environment, EnvironmentOf, Limits, Nowhere, References, Rendered, Request, render};
use serde_json::{Value, json};
use source_tree::{MemoryTree, TreePath};
use std::collections::BTreeMap;
use std::sync::Arc;

const CHART: [(&str, &str); 6] = [
    ("app/Chart.yaml", "apiVersion: v2\nname: shop\nversion: 1.0.0\n"),
    ("app/values.yaml", "a: chart\nb: chart\nc: chart\n"),
    ("app/one.yaml", "a: one\n"),
    ("app/two.yaml", "a: two\n"),
    ("shared/common.yaml", "b: shared\n"),
    (
        "app/templates/map.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}-{{ .Release.Namespace }}\ndata: {{ toJson .Values }}\n",
    ),
];

fn tree(files: &[(&str, &str)]) -> MemoryTree {
    let files = files.iter().map(|(path, text)| (TreePath::parse(path).unwrap(), text.as_bytes().to_vec()));
    MemoryTree::from_files(files).unwrap()
}

fn rendered(files: &[(&str, &str)], source: &ApplicationSource) -> Result<Rendered, String> {
    built(files, source, "")
}

fn built(files: &[(&str, &str)], source: &ApplicationSource, options: &str) -> Result<Rendered, String> {
    let values = tree(&[("prod/values.yaml", "c: referenced\n")]);
    let references: References =
        [("$values".to_owned(), Arc::new(values) as Arc<dyn source_tree::Tree>)].into();
    let environment = Environment::new(EnvironmentOf {
        application: "shop",
        revision: "0123456789",
        ..EnvironmentOf::default()
    });
    let request = Request {
        source,
        application: None,
        application_name: "argocd_shop",
        namespace: "ns",
        tracking: Tracking { method: TrackingMethod::Annotation, label_key: "x", installation_id: "" },
        enabled: &BTreeMap::new(),
        environment: &environment,
        kube_version: "1.36",
        api_versions: &[],
        kustomize_options: options,
        value_file_schemes: &["https".to_owned()],
        references: &references,
        outside: &Nowhere,
        limits: Limits::default(),
    };
    render(&tree(files), &request).map_err(|error| error.to_string())
}

fn source() -> ApplicationSource {
    ApplicationSource { path: "app".into(), ..ApplicationSource::default() }
}

/// The name and data of the one object that a chart with these parameters gives.
fn chart(helm: ApplicationSourceHelm) -> Result<(String, Value), String> {
    let source = ApplicationSource { helm: Some(helm), ..source() };
    let rendered = rendered(&CHART, &source)?;
    assert_eq!(rendered.source_type.as_str(), "Helm");
    let [object] = rendered.objects.as_slice() else { panic!("{:?}", rendered.objects) };
    Ok((object.name().to_owned(), object.0["data"].clone()))
}

fn parameter(name: &str, value: &str, force_string: bool) -> HelmParameter {
    HelmParameter { name: name.into(), value: value.into(), force_string }
}

#[test]
fn a_release_has_the_applications_name_and_namespace() {
    assert_eq!(chart(ApplicationSourceHelm::default()).unwrap().0, "shop-ns");
    let given =
        ApplicationSourceHelm { release_name: "r".into(), namespace: "other".into(), ..Default::default() };
    assert_eq!(chart(given).unwrap().0, "r-other");
}

#[test]
fn parameters_win_over_the_object_over_files_over_the_chart() {
    let files = |files: &[&str]| ApplicationSourceHelm {
        value_files: files.iter().map(|&file| file.to_owned()).collect(),
        ..Default::default()
    };
    let data = |helm| chart(helm).unwrap().1;
    assert_eq!(data(files(&["one.yaml", "two.yaml"])), json!({"a": "two", "b": "chart", "c": "chart"}));
    assert_eq!(data(files(&["two.yaml", "one.yaml"]))["a"], "one");
    assert_eq!(
        data(files(&["../shared/common.yaml", "$values/prod/values.yaml"])),
        json!({"a": "chart", "b": "shared", "c": "referenced"})
    );
    assert_eq!(data(files(&["/shared/common.yaml"]))["b"], "shared");
    // What a glob and a name match stands where the name stands.
    assert_eq!(data(files(&["*e.yaml", "t*.yaml", "one.yaml"]))["a"], "one");
    assert_eq!(data(files(&["/**/common.yaml"]))["b"], "shared");
    let mut all = files(&["one.yaml"]);
    all.values = "a: text\nb: text\n".into();
    assert_eq!(data(all.clone())["a"], "text");
    all.values_object = Some(RawExtension::new(&json!({"a": "object"})));
    assert_eq!(data(all.clone()), json!({"a": "object", "b": "chart", "c": "chart"}));
    all.parameters = vec![
        parameter("a", "x,$ARGOCD_APP_NAME", false),
        parameter("b", "1", false),
        parameter("c", "1", true),
    ];
    assert_eq!(data(all), json!({"a": "x,shop", "b": 1, "c": "1"}));
    let file = HelmFileParameter { name: "a".into(), path: "one.yaml".into() };
    assert_eq!(
        data(ApplicationSourceHelm { file_parameters: vec![file], ..Default::default() })["a"],
        "a: one\n"
    );
}

#[test]
fn what_is_not_there_is_named() {
    let files = |file: &str, ignore_missing_value_files| ApplicationSourceHelm {
        value_files: vec![file.into()],
        ignore_missing_value_files,
        ..Default::default()
    };
    for (file, part) in [
        ("no.yaml", "open app/no.yaml: no such file or directory"),
        ("no*.yaml", "values file glob \"no*.yaml\" matched no files"),
        ("../../x.yaml", "error resolving value file path"),
        ("http://example.com/v.yaml", "the URL scheme 'http' is not allowed"),
        ("https://example.com/v.yaml", "remote files are not available here"),
        ("$values", "no file path after the ref name"),
    ] {
        let error = chart(files(file, false)).unwrap_err();
        assert!(error.contains(part), "{file}: {error}");
    }
    assert!(chart(files("no.yaml", true)).is_ok() && chart(files("no*.yaml", true)).is_ok());
    let version = ApplicationSourceHelm { version: "v2".into(), ..Default::default() };
    assert!(chart(version).unwrap_err().contains("helm chart version 'v2' is not supported"));
    let missing = [(
        "app/Chart.yaml",
        "apiVersion: v2\nname: a\nversion: 1.0.0\ndependencies:\n- {name: db, version: ^1.0, repository: 'https://charts.example'}\n",
    )];
    let error = rendered(&missing, &source()).unwrap_err();
    assert!(error.contains("chart db ^1.0 of https://charts.example"), "{error}");
}

#[test]
fn dependencies_that_lie_in_the_repository_are_taken_from_there() {
    let own = "apiVersion: v2\nname: own\nversion: 1.0.0\ndependencies:\n- {name: shop, version: 1.x, repository: 'file://../app'}\n";
    let mut files = CHART.to_vec();
    files.push(("own/Chart.yaml", own));
    let source = ApplicationSource { path: "own".into(), ..ApplicationSource::default() };
    let objects = rendered(&files, &source).unwrap().objects;
    assert_eq!(objects[0].0["data"]["a"], "chart");
    let ring = "apiVersion: v2\nname: own\nversion: 1.0.0\ndependencies:\n- {name: own, version: 1.x, repository: 'file://../own'}\n";
    let error = rendered(&[("own/Chart.yaml", ring)], &source).unwrap_err();
    assert!(error.contains("without end"), "{error}");
}

#[test]
fn a_render_that_names_the_revision_says_so() {
    let with = |value: &str| {
        let helm =
            ApplicationSourceHelm { parameters: vec![parameter("a", value, false)], ..Default::default() };
        rendered(&CHART, &ApplicationSource { helm: Some(helm), ..source() }).unwrap().revision_used
    };
    assert!(with("$ARGOCD_APP_REVISION_SHORT"));
    assert!(!with("$ARGOCD_APP_NAME"));
}

#[test]
fn kustomizations_take_the_sources_fields() {
    let files = [
        ("app/kustomization.yaml", "resources:\n- ../base\nnamePrefix: own-\n"),
        ("base/kustomization.yaml", "resources:\n- pod.yaml\n"),
        (
            "base/pod.yaml",
            "apiVersion: v1\nkind: Pod\nmetadata:\n  name: web\nspec:\n  containers:\n  - {name: a, image: nginx:1}\n",
        ),
    ];
    let first = |source: &ApplicationSource| rendered(&files, source).unwrap().objects.remove(0);
    assert_eq!(first(&source()).name(), "own-web");
    let kustomize = ApplicationSourceKustomize {
        name_prefix: "x-".into(),
        images: vec!["nginx:2".into()],
        common_labels: [("app".to_owned(), "$ARGOCD_APP_NAME".to_owned())].into(),
        namespace: "space".into(),
        ..Default::default()
    };
    let object = first(&ApplicationSource { kustomize: Some(kustomize), ..source() });
    assert_eq!((object.name(), object.namespace(), object.label("app")), ("x-web", "space", Some("shop")));
    assert_eq!(object.0["spec"]["containers"][0]["image"], "nginx:2");
    let remote = [("app/kustomization.yaml", "resources:\n- https://git.example/org/repo?ref=v1\n")];
    let error = rendered(&remote, &source()).unwrap_err();
    assert!(error.contains("kustomize build app: ") && error.contains("git.example/org/repo"), "{error}");
}

#[test]
fn kustomizations_inflate_charts_that_lie_beside_them() {
    let mut files = vec![(
        "app/kustomization.yaml",
        "helmCharts:\n- {name: shop, releaseName: r, namespace: space, valuesInline: {a: inline}}\n",
    )];
    let moved: Vec<(String, &str)> = CHART
        .iter()
        .filter(|file| file.0.starts_with("app/"))
        .map(|(path, text)| (path.replace("app/", "app/charts/shop/"), *text))
        .collect();
    files.extend(moved.iter().map(|(path, text)| (path.as_str(), *text)));
    let error = rendered(&files, &source()).unwrap_err();
    assert!(error.contains("--enable-helm"), "{error}");
    let objects = built(&files, &source(), "--enable-helm").unwrap().objects;
    assert_eq!((objects[0].name(), &objects[0].0["data"]["a"]), ("r-space", &json!("inline")));
}
