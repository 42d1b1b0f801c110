//! Charts and kustomizations as sources: what the fields of a source do to what comes out.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod asked;

use api::k8s::runtime::RawExtension;
use api::v1alpha1::{
    ApplicationSource, ApplicationSourceHelm, ApplicationSourceKustomize, HelmFileParameter, HelmParameter,
};
use render::{Environment, EnvironmentOf, References, Rendered, Request, render};
use serde_json::{Value, json};
use source_tree::{MemoryTree, TreePath};
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
    let value_file_schemes = &["https".to_owned()];
    let built = asked::with_request(source, |request| {
        let request = Request {
            application_name: "argocd_shop",
            environment: &environment,
            kustomize_options: options,
            value_file_schemes,
            references: &references,
            ..request
        };
        render(&tree(files), &request)
    });
    built.map_err(|error| error.to_string())
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
        ("no.yaml", "Error: open app/no.yaml: no such file or directory"),
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
    let version = |version: &str| ApplicationSourceHelm { version: version.into(), ..Default::default() };
    assert!(chart(version("v2")).unwrap_err().contains("helm version 'v2' is not supported"));
    assert!(chart(version("v3")).is_ok() && chart(version("v4")).is_ok());
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
    // One that needs itself is packed once, as by Helm.
    assert!(rendered(&[("own/Chart.yaml", ring)], &source).unwrap().objects.is_empty());
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

#[test]
fn a_kustomization_beside_a_chart_counts() {
    let files = [
        ("app/Chart.yaml", "apiVersion: v2\nname: shop\nversion: 1.0.0\n"),
        ("app/kustomization.yaml", "resources: [map.yaml]\nnamePrefix: k-\n"),
        ("app/map.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: map}\n"),
    ];
    let found = rendered(&files, &source()).unwrap();
    assert_eq!((found.source_type.as_str(), found.objects[0].name()), ("Kustomize", "k-map"));
}

#[test]
fn a_chart_of_the_repository_must_have_a_version_that_will_do() {
    let of = |wanted: &str| {
        let chart = format!(
            "apiVersion: v2\nname: shop\nversion: 1.0.0\ndependencies:\n- {{name: lib, version: '{wanted}', repository: 'file://../lib'}}\n"
        );
        let files = [
            ("app/Chart.yaml", chart.as_str()),
            // What that chart lacks itself is left out.
            (
                "lib/Chart.yaml",
                "apiVersion: v2\nname: lib\nversion: 1.2.0\ndependencies:\n- {name: deep, version: 9.x, repository: 'file://../deep'}\n",
            ),
            ("lib/templates/map.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: lib}\n"),
            ("deep/Chart.yaml", "apiVersion: v2\nname: deep\nversion: 1.0.0\n"),
            ("deep/templates/map.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: deep}\n"),
        ];
        let found = rendered(&files, &source())?;
        Ok::<_, String>(found.objects.iter().map(|object| object.name().to_owned()).collect::<Vec<_>>())
    };
    assert_eq!(of("1.x").unwrap(), ["lib"]);
    let error = of("^2").unwrap_err();
    let told =
        "can't get a valid version for 1 subchart(s): \"lib\" (repository \"file://../lib\", version \"^2\")";
    assert!(error.contains(told), "{error}");
    let error = of("no version").unwrap_err();
    assert!(error.contains("dependency \"lib\" has an invalid version/constraint format"), "{error}");
}

#[test]
fn names_of_releases_are_those_that_helm_takes() {
    let of = |name: &str| chart(ApplicationSourceHelm { release_name: name.into(), ..Default::default() });
    for name in ["r", "a-b.c1", &"a".repeat(53)] {
        of(name).unwrap();
    }
    for name in ["Shop", "a_b", "-a", "a-", "a..b", ".a", &"a".repeat(54)] {
        let error = of(name).unwrap_err();
        assert!(
            error.contains(&format!("release name {name:?}: invalid release name, must match regex")),
            "{error}"
        );
        assert!(error.ends_with("and the length must not be longer than 53"), "{error}");
    }
}

#[test]
fn a_release_may_be_named_by_a_template() {
    let of = |name: &str| chart(ApplicationSourceHelm { release_name: name.into(), ..Default::default() });
    assert_eq!(of("{{ \"ABC\" | lower }}-{{ add 1 2 }}").unwrap().0, "abc-3-ns");
    // What it makes is a name like all others, and nobody's environment is in it.
    let error = of("{{ \"ABC\" }}").unwrap_err();
    assert!(error.contains("release name \"ABC\": invalid release name"), "{error}");
    for wrong in ["{{ .", "{{ env \"HOME\" }}"] {
        let error = of(wrong).unwrap_err();
        assert!(error.starts_with(&format!("app: release name {wrong:?}: ")), "{error}");
    }
}

#[test]
fn a_release_of_a_kustomization_may_be_named_by_a_template() {
    let of = |chart: &str| {
        let kustomization = format!("helmGlobals: {{chartHome: .}}\nhelmCharts:\n- name: lib\n{chart}");
        let files = [
            ("app/kustomization.yaml", kustomization.as_str()),
            ("app/lib/Chart.yaml", "apiVersion: v2\nname: lib\nversion: 1.2.0\n"),
            (
                "app/lib/templates/map.yaml",
                "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: '{{ .Release.Name }}'}\n",
            ),
        ];
        let found = built(&files, &source(), "--enable-helm")?;
        Ok::<_, String>(found.objects[0].name().to_owned())
    };
    assert_eq!(of("  nameTemplate: '{{ \"ABC\" | lower }}-{{ add 1 2 }}'\n").unwrap(), "abc-3");
    assert_eq!(of("  releaseName: shop\n").unwrap(), "shop");
    let error = of("  releaseName: shop\n  nameTemplate: x\n").unwrap_err();
    assert!(error.contains("cannot set --name-template and also specify a name"), "{error}");
    assert!(of("  nameTemplate: '{{ .'\n").is_err());
}

#[test]
fn files_beside_the_manifests_change_the_source() {
    let of = |overrides: &[(&str, &str)], helm: ApplicationSourceHelm| {
        let files: Vec<(&str, &str)> = CHART.iter().chain(overrides).copied().collect();
        let found = rendered(&files, &ApplicationSource { helm: Some(helm), ..source() })?;
        Ok::<_, String>((found.objects[0].name().to_owned(), found.objects[0].0["data"].clone()))
    };
    let given = || ApplicationSourceHelm {
        release_name: "given".into(),
        value_files: vec!["one.yaml".into()],
        parameters: vec![parameter("b", "given", false), parameter("c", "given", false)],
        ..Default::default()
    };
    let all = "app/.argocd-source.yaml";
    let own = "app/.argocd-source-argocd_shop.yaml";
    // The file of this application comes after that of all, and both after the source.
    let found =
        of(&[(all, "helm: {releaseName: all, values: 'x: z'}"), (own, "helm: {releaseName: own}")], given());
    let (name, data) = found.unwrap();
    assert_eq!((name.as_str(), &data["a"], &data["x"]), ("own-ns", &json!("one"), &json!("z")));
    let other = of(&[("app/.argocd-source-other.yaml", "helm: {releaseName: other}")], given()).unwrap();
    assert_eq!(other.0, "given-ns");
    // A list is another list, not a longer one.
    let list = "helm: {parameters: [{name: a, value: new}]}";
    let (_, data) = of(&[(all, list)], given()).unwrap();
    assert_eq!(data, json!({"a": "new", "b": "chart", "c": "chart"}));
    // Nothing goes because nothing stands in its place.
    let (name, data) =
        of(&[(all, "helm: {releaseName: null, valueFiles: null}\nkustomize: null")], given()).unwrap();
    assert_eq!((name.as_str(), &data["a"]), ("given-ns", &json!("one")));
    // Where the source is stays where it is.
    let fixed = "repoURL: https://evil.example\npath: shared\nchart: other\ntargetRevision: other\nref: x\n";
    assert_eq!(of(&[(all, fixed)], given()).unwrap().0, "given-ns");
    let error = of(&[(own, "helm: [")], given()).unwrap_err();
    assert!(error.contains(own), "{error}");
    let error = of(&[(all, "kustomize: {namePrefix: x}")], given()).unwrap_err();
    assert!(error.contains("Kustomize,Helm"), "{error}");
}

#[test]
fn schemes_of_addresses_are_compared_without_case() {
    let of =
        |file: &str| chart(ApplicationSourceHelm { value_files: vec![file.into()], ..Default::default() });
    let refused = of("HTTPS://values.example/a.yaml").unwrap_err();
    assert!(refused.contains("remote files are not available here"), "{refused}");
    let refused = of("http://values.example/a.yaml").unwrap_err();
    assert!(refused.contains("the URL scheme 'http' is not allowed"), "{refused}");
}

#[test]
fn annotations_of_a_kustomization_may_name_the_build_environment() {
    let files = [
        ("app/kustomization.yaml", "resources: [map.yaml]\n"),
        ("app/map.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: map}\n"),
    ];
    let of = |envsubst: bool| {
        let kustomize = ApplicationSourceKustomize {
            common_annotations: [("by".to_owned(), "$ARGOCD_APP_NAME at ${ARGOCD_APP_REVISION}".to_owned())]
                .into(),
            common_annotations_envsubst: envsubst,
            ..Default::default()
        };
        let found = rendered(&files, &ApplicationSource { kustomize: Some(kustomize), ..source() }).unwrap();
        found.objects[0].annotation("by").map(str::to_owned)
    };
    assert_eq!(of(true).as_deref(), Some("shop at 0123456789"));
    assert_eq!(of(false).as_deref(), Some("$ARGOCD_APP_NAME at ${ARGOCD_APP_REVISION}"));
}

#[test]
fn charts_of_a_kustomization_see_the_cluster_that_the_source_says() {
    let files = [
        (
            "app/kustomization.yaml",
            "helmGlobals: {chartHome: .}\nhelmCharts: [{name: lib, releaseName: r}]\n",
        ),
        ("app/lib/Chart.yaml", "apiVersion: v2\nname: lib\nversion: 1.2.0\n"),
        (
            "app/lib/templates/map.yaml",
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: map}\ndata: {kube: '{{ .Capabilities.KubeVersion.Version }}', has: '{{ .Capabilities.APIVersions.Has \"shop.example/v1\" }}'}\n",
        ),
    ];
    let of = |kustomize: ApplicationSourceKustomize| {
        let source = ApplicationSource { kustomize: Some(kustomize), ..source() };
        built(&files, &source, "--enable-helm").unwrap().objects[0].0["data"].clone()
    };
    assert_eq!(of(Default::default()), json!({"kube": "v1.36", "has": "false"}));
    let said = ApplicationSourceKustomize {
        kube_version: "1.30.1".into(),
        api_versions: vec!["shop.example/v1".into()],
        ..Default::default()
    };
    assert_eq!(of(said), json!({"kube": "v1.30.1", "has": "true"}));
}

/// A cluster with one thing in it.
struct World;

impl render::Outside for World {
    fn now(&self) -> jiff::Timestamp {
        jiff::Timestamp::UNIX_EPOCH
    }

    fn random(&self, _buffer: &mut [u8]) -> Result<(), String> {
        Err("nothing random".into())
    }

    fn tree(&self, _base: &render::RemoteBase) -> Result<Arc<dyn source_tree::Tree>, render::SeamError> {
        Err(render::SeamError::fact("no trees"))
    }

    fn file(&self, _url: &str) -> Result<Vec<u8>, render::SeamError> {
        Err(render::SeamError::fact("no files"))
    }

    fn chart(&self, _wanted: &render::MissingDependency) -> Result<Vec<u8>, render::SeamError> {
        Err(render::SeamError::fact("no charts"))
    }

    fn lookup(&self, lookup: &render::Lookup) -> Result<Option<Value>, render::SeamError> {
        let found = (lookup.api_version.as_str(), lookup.kind.as_str(), lookup.name.as_str());
        match found {
            ("apps/v1", "Deployment", "web") => {
                Ok(Some(json!({"spec": {"replicas": 3}, "namespace": lookup.namespace})))
            }
            ("v1", "Secret", _) => Err(render::SeamError::fact("look up v1/Secret: forbidden")),
            _ => Ok(None),
        }
    }
}

#[test]
fn templates_see_what_the_cluster_has_where_they_are_let() {
    let template = |text: &str| {
        let map =
            format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: map}}\ndata:\n  found: {text}\n");
        tree(&[
            ("app/Chart.yaml", "apiVersion: v2\nname: shop\nversion: 1.0.0\n"),
            ("app/templates/map.yaml", &map),
        ])
    };
    let source = source();
    let found = |text: &str, outside: &dyn render::Outside| {
        let files = template(text);
        let built = asked::with_request(&source, |request| render(&files, &Request { outside, ..request }));
        built
            .map(|rendered| rendered.objects[0].0["data"]["found"].clone())
            .map_err(|error| error.to_string())
    };
    let deployment = r#"{{ $it := lookup "apps/v1" "Deployment" "shop" "web" }}{{ $it.spec.replicas | add 1 }}-{{ kindOf $it.spec.replicas }}-{{ $it.namespace }}"#;
    assert_eq!(found(deployment, &World), Ok(json!("4-int64-shop")));
    let none = r#"{{ lookup "v1" "ConfigMap" "" "" | toJson | quote }}"#;
    assert_eq!(found(none, &World), Ok(json!("{}")));
    let quoted = r#"{{ lookup "apps/v1" "Deployment" "shop" "web" | toJson | quote }}"#;
    assert_eq!(found(quoted, &render::Nowhere), Ok(json!("{}")));
    let refused = found(r#"{{ lookup "v1" "Secret" "shop" "web" }}"#, &World).unwrap_err();
    assert!(refused.contains("error calling lookup: look up v1/Secret: forbidden"), "{refused}");
}
