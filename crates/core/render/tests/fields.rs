//! Every field of a chart's source changes what comes out, and what is shown of sources to whoever edits them.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod asked;

use api::v1alpha1::{ApplicationSource, ApplicationSourceHelm, ApplicationSourceKustomize};
use render::{
    Details, MissingDependency, Nowhere, Outside, RemoteBase, RenderError, Request, SeamError, SourceType,
    details, render,
};
use serde_json::{Value, json};
use source_tree::{MemoryTree, Tree, TreePath};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

const CHART: [(&str, &str); 8] = [
    ("app/Chart.yaml", "apiVersion: v2\nname: shop\nversion: 1.0.0\n"),
    ("app/values.yaml", "port: 80\nnested: {list: [a, b], flag: true}\n"),
    ("app/values-prod.yaml", "port: 8080\n"),
    ("app/ci/test-values.yml", "port: 1\n"),
    ("app/values.schema.json", "{\"properties\": {\"port\": {\"type\": \"integer\"}}}"),
    (
        "app/crds/crd.yaml",
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: x}\n",
    ),
    (
        "app/templates/tests/t.yaml",
        "apiVersion: v1\nkind: Pod\nmetadata:\n  name: test\n  annotations: {helm.sh/hook: test}\n",
    ),
    (
        "app/templates/map.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: map}\ndata:\n  version: {{ .Capabilities.KubeVersion.Version }}\n  known: {{ .Capabilities.APIVersions.Has \"example.com/v1\" | quote }}\n  found: {{ lookup \"v1\" \"Secret\" \"\" \"\" | toJson | quote }}\n  port: {{ .Values.port | quote }}\n",
    ),
];

/// Gives a packed chart, and remembers what was asked for.
#[derive(Default)]
struct Charts(Mutex<Vec<String>>);

impl Outside for Charts {
    fn now(&self) -> jiff::Timestamp {
        jiff::Timestamp::UNIX_EPOCH
    }

    fn random(&self, buffer: &mut [u8]) -> Result<(), String> {
        Nowhere.random(buffer)
    }

    fn tree(&self, base: &RemoteBase) -> Result<Arc<dyn Tree>, SeamError> {
        Nowhere.tree(base)
    }

    fn file(&self, url: &str) -> Result<Vec<u8>, SeamError> {
        Nowhere.file(url)
    }

    fn chart(&self, wanted: &MissingDependency) -> Result<Vec<u8>, SeamError> {
        let asked = format!("{} {} {}", wanted.name, wanted.version, wanted.repository);
        self.0.lock().unwrap().push(asked);
        let mut packer = archive::Packer::new(Vec::new());
        let metadata = format!("apiVersion: v2\nname: {}\nversion: 1.2.3\n", wanted.name);
        packer.file("db/Chart.yaml", metadata.as_bytes(), false).unwrap();
        let map = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: of-db}\n";
        packer.file("db/templates/map.yaml", map.as_bytes(), false).unwrap();
        Ok(packer.finish().unwrap())
    }
}

fn asked_with<T>(
    files: &[(&str, &str)],
    source: &ApplicationSource,
    outside: &dyn Outside,
    then: impl FnOnce(&MemoryTree, &Request<'_>) -> T,
) -> T {
    let files = files.iter().map(|(path, text)| (TreePath::parse(path).unwrap(), text.as_bytes().to_vec()));
    let tree = MemoryTree::from_files(files).unwrap();
    asked::with_request(source, |request| {
        let (kube_version, api_versions) = ("1.30.0", &["v1".to_owned()]);
        then(&tree, &Request { kube_version, api_versions, outside, ..request })
    })
}

fn source(helm: ApplicationSourceHelm) -> ApplicationSource {
    ApplicationSource { path: "app".into(), helm: Some(helm), ..ApplicationSource::default() }
}

/// The objects a chart with these fields gives, by name.
fn chart(helm: ApplicationSourceHelm) -> Result<BTreeMap<String, Value>, String> {
    let rendered = asked_with(&CHART, &source(helm), &Nowhere, |tree, request| render(tree, request));
    let objects = rendered.map_err(|error| error.to_string())?.objects;
    Ok(objects.into_iter().map(|object| (object.name().to_owned(), object.into_value())).collect())
}

#[test]
fn what_is_skipped_is_not_there() {
    let names = |helm| chart(helm).unwrap().into_keys().collect::<Vec<_>>();
    assert_eq!(names(ApplicationSourceHelm::default()), ["map", "test", "x"]);
    assert_eq!(names(ApplicationSourceHelm { skip_crds: true, ..Default::default() }), ["map", "test"]);
    assert_eq!(names(ApplicationSourceHelm { skip_tests: true, ..Default::default() }), ["map", "x"]);
    let wrong = ApplicationSourceHelm { values: "port: text\n".into(), ..Default::default() };
    assert!(chart(wrong.clone()).unwrap_err().contains("schema"));
    let unchecked = ApplicationSourceHelm { skip_schema_validation: true, ..wrong };
    assert_eq!(chart(unchecked).unwrap()["map"]["data"]["port"], "text");
}

#[test]
fn the_cluster_is_the_one_that_is_said() {
    let data = |helm| chart(helm).unwrap()["map"]["data"].clone();
    let own = data(ApplicationSourceHelm::default());
    assert_eq!((&own["version"], &own["known"]), (&json!("v1.30.0"), &json!("false")));
    // No cluster is asked, whatever a template wants to know.
    assert_eq!(own["found"], "{}");
    let given = ApplicationSourceHelm {
        kube_version: "1.31.2".into(),
        api_versions: vec!["example.com/v1".into()],
        ..Default::default()
    };
    let given = data(given);
    assert_eq!((&given["version"], &given["known"]), (&json!("v1.31.2"), &json!("true")));
}

#[test]
fn dependencies_are_fetched_unless_the_lock_is_of_others() {
    let own = "apiVersion: v2\nname: own\nversion: 1.0.0\ndependencies:\n- {name: db, version: 1.x, repository: 'oci://registry.example/charts'}\n";
    let source = ApplicationSource { path: "app".into(), ..ApplicationSource::default() };
    let lock = |digest: &str| {
        format!(
            "dependencies:\n- {{name: db, version: 1.2.3, repository: 'oci://registry.example/charts'}}\ndigest: {digest}\n"
        )
    };
    let asked = |files: &[(&str, &str)]| {
        let outside = Charts::default();
        let rendered = asked_with(files, &source, &outside, |tree, request| render(tree, request));
        let names = rendered
            .map(|found| found.objects.iter().map(|object| object.name().to_owned()).collect::<Vec<_>>());
        (names.map_err(|error| error.to_string()), outside.0.into_inner().unwrap())
    };
    let (names, wanted) = asked(&[("app/Chart.yaml", own)]);
    assert_eq!(
        (names.unwrap(), wanted),
        (vec!["of-db".to_owned()], vec!["db 1.x oci://registry.example/charts".to_owned()])
    );
    let other = lock("sha256:0");
    let (refused, wanted) = asked(&[("app/Chart.yaml", own), ("app/Chart.lock", &other)]);
    assert!(refused.unwrap_err().contains("out of sync"));
    assert_eq!(wanted, Vec::<String>::new());
}

#[test]
fn a_chart_that_cannot_be_had_is_told_with_all_places_that_charts_are_needed_from() {
    let own = "apiVersion: v2\nname: own\nversion: 1.0.0\ndependencies:\n- {name: lib, version: 1.x, repository: 'file://../lib'}\n- {name: db, version: 1.x, repository: 'oci://registry.example/charts'}\n- {name: web, version: 1.x, repository: '@web'}\n";
    let lib = "apiVersion: v2\nname: lib\nversion: 1.0.0\n";
    let source = ApplicationSource { path: "app".into(), ..ApplicationSource::default() };
    let files = [("app/Chart.yaml", own), ("lib/Chart.yaml", lib)];
    let failed = asked_with(&files, &source, &Nowhere, |tree, request| render(tree, request)).unwrap_err();
    let RenderError::Dependency { repositories, .. } = &failed else { panic!("{failed}") };
    assert_eq!(*repositories, ["file://../lib", "oci://registry.example/charts", "@web"]);
}

#[test]
fn values_files_that_may_still_come_are_told_apart() {
    let helm = ApplicationSourceHelm { value_files: vec!["none/*.yaml".into()], ..Default::default() };
    let failed = asked_with(&CHART, &source(helm), &Nowhere, |tree, request| render(tree, request));
    let expected = RenderError::NoValuesFiles { path: "app".into(), pattern: "none/*.yaml".into() };
    assert_eq!(failed.unwrap_err(), expected);
}

fn shown(files: &[(&str, &str)], source: &ApplicationSource) -> (SourceType, Details) {
    let found = asked_with(files, source, &Nowhere, |tree, request| details(tree, request));
    let (source_type, _, details) = found.unwrap();
    (source_type, details)
}

#[test]
fn a_chart_shows_its_values_files_and_parameters() {
    let helm = ApplicationSourceHelm {
        value_files: vec!["values-prod.yaml".into(), "no.yaml".into()],
        ..Default::default()
    };
    let (source_type, found) = shown(&CHART, &source(helm));
    assert_eq!(source_type, SourceType::Helm);
    assert_eq!(found.value_files, ["ci/test-values.yml", "values-prod.yaml", "values.yaml"]);
    assert_eq!(found.values, CHART[1].1);
    let parameters: Vec<(&str, &str)> =
        found.parameters.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let expected =
        [("nested.flag", "true"), ("nested.list[0]", "a"), ("nested.list[1]", "b"), ("port", "8080")];
    assert_eq!(parameters, expected);
}

#[test]
fn a_values_file_that_leads_out_shows_nothing() {
    let builder = MemoryTree::builder()
        .file(TreePath::parse("app/Chart.yaml").unwrap(), CHART[0].1)
        .link(TreePath::parse("app/values.yaml").unwrap(), "../../../etc/passwd");
    let tree = builder.build().unwrap();
    let source = source(ApplicationSourceHelm::default());
    let found = asked_with(&[], &source, &Nowhere, |_, request| details(&tree, request));
    let (_, _, found) = found.unwrap();
    assert_eq!((found.values.as_str(), found.parameters.len()), ("", 0));
}

#[test]
fn a_kustomization_shows_the_images_it_builds() {
    let pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  initContainers: [{name: i, image: 'z:1'}]\n  containers: [{name: a, image: 'nginx:1'}]\n";
    let files = [("app/kustomization.yaml", "resources: [pod.yaml]\n"), ("app/pod.yaml", pod)];
    let kustomize = ApplicationSourceKustomize { images: vec!["nginx:2".into()], ..Default::default() };
    let source = ApplicationSource { path: "app".into(), kustomize: Some(kustomize), ..Default::default() };
    let (source_type, found) = shown(&files, &source);
    assert_eq!(
        (source_type, found.images),
        (SourceType::Kustomize, vec!["nginx:2".to_owned(), "z:1".to_owned()])
    );
    let plain = ApplicationSource { path: "app".into(), ..Default::default() };
    let (source_type, found) = shown(&[("app/pod.yaml", pod)], &plain);
    assert_eq!((source_type, found), (SourceType::Directory, Details::default()));
}

#[test]
fn labels_and_annotations_that_exist_are_replaced_by_force_only() {
    let files = [
        (
            "app/kustomization.yaml",
            "resources: [map.yaml]\ncommonLabels: {app: base}\ncommonAnnotations: {note: base}\n",
        ),
        ("app/map.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: map}\n"),
    ];
    let built = |kustomize: ApplicationSourceKustomize| {
        let source =
            ApplicationSource { path: "app".into(), kustomize: Some(kustomize), ..Default::default() };
        asked_with(&files, &source, &Nowhere, |tree, request| render(tree, request))
            .map(|found| found.objects[0].clone())
            .map_err(|error| error.to_string())
    };
    let labels = ApplicationSourceKustomize {
        common_labels: [("app".to_owned(), "mine".to_owned())].into(),
        ..Default::default()
    };
    assert!(built(labels.clone()).unwrap_err().contains("app"));
    let forced = built(ApplicationSourceKustomize { force_common_labels: true, ..labels }).unwrap();
    assert_eq!(forced.label("app"), Some("mine"));
    let annotations = ApplicationSourceKustomize {
        common_annotations: [("note".to_owned(), "mine".to_owned())].into(),
        ..Default::default()
    };
    assert!(built(annotations.clone()).unwrap_err().contains("note"));
    let forced = built(ApplicationSourceKustomize { force_common_annotations: true, ..annotations }).unwrap();
    assert_eq!(forced.annotation("note"), Some("mine"));
}
