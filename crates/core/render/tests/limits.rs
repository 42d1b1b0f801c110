//! What asks for too much is refused soon, by a limit that is named with its cause.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "how long it takes until it is refused is part of the rule"
)]

mod asked;

use api::k8s::runtime::RawExtension;
use api::v1alpha1::{
    ApplicationSource, ApplicationSourceDirectory, ApplicationSourceHelm, ApplicationSourceKustomize,
    HelmParameter,
};
use archive::Packer;
use asked::with_request;
use render::{Limits, Request, render};
use source_tree::{MemoryTree, TreePath};
use std::time::{Duration, Instant};

const MAP: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n";
const CHART: &str = "apiVersion: v2\nname: shop\nversion: 1.0.0\n";
/// Of a build without optimisation, on a machine that does other things.
const SOON: Duration = Duration::from_secs(60);

fn path(text: &str) -> TreePath {
    TreePath::parse(text).unwrap()
}

fn tree(files: &[(&str, &[u8])]) -> MemoryTree {
    MemoryTree::from_files(files.iter().map(|(name, text)| (path(name), text.to_vec()))).unwrap()
}

/// What the render is refused with.
fn refused_of(tree: &MemoryTree, source: &ApplicationSource, limits: Limits) -> String {
    let began = Instant::now();
    let told = with_request(source, |request| render(tree, &Request { limits, ..request }));
    let told = told.map(|rendered| rendered.objects.len()).unwrap_err().to_string();
    assert!(began.elapsed() < SOON, "{told} after {:?}", began.elapsed());
    told
}

fn refused(files: &[(&str, &[u8])], source: ApplicationSource) -> String {
    refused_of(&tree(files), &ApplicationSource { path: "app".into(), ..source }, Limits::default())
}

fn chart(files: &[(&str, &[u8])], helm: ApplicationSourceHelm) -> String {
    let files =
        [&[("app/Chart.yaml", CHART.as_bytes()), ("app/templates/map.yaml", MAP.as_bytes())], files].concat();
    refused(&files, ApplicationSource { helm: Some(helm), ..ApplicationSource::default() })
}

/// Values that are a few thousand in the text, and as many more as one likes when aliases are expanded.
fn laughing() -> String {
    let mut text = String::from("a: &a [x,x,x,x,x,x,x,x,x]\n");
    for (name, last) in ('b'..='k').zip('a'..) {
        let items = vec![format!("*{last}"); 9].join(",");
        text.push_str(&format!("{name}: &{name} [{items}]\n"));
    }
    text
}

#[test]
fn manifest_files_together() {
    let limits = Limits { manifest_bytes: 1000, ..Limits::default() };
    let text = format!("{MAP}data: {{a: {}}}\n", "x".repeat(600));
    let files = [("app/a.yaml", text.as_bytes()), ("app/b.yaml", text.as_bytes())];
    let source = ApplicationSource { path: "app".into(), ..ApplicationSource::default() };
    assert_eq!(
        refused_of(&tree(&files), &source, limits),
        "the manifest files of app exceed the limit of 1000"
    );
}

#[test]
fn objects_of_one_render() {
    let limits = Limits { objects: 2, ..Limits::default() };
    let text = [MAP; 3].join("---\n");
    let source = ApplicationSource { path: "app".into(), ..ApplicationSource::default() };
    let files = [("app/a.yaml", text.as_bytes())];
    assert_eq!(refused_of(&tree(&files), &source, limits), "the objects of app exceed the limit of 2");
}

#[test]
fn documents_of_one_file() {
    let text = format!("{MAP}---\n{}", "#\n---\n".repeat(100_001));
    let told = refused(&[("app/a.yaml", text.as_bytes())], ApplicationSource::default());
    assert!(told.contains("a.yaml") && told.contains("more than the limit of 100000 documents"), "{told}");
}

#[test]
fn bytes_of_one_manifest() {
    let text = format!("{MAP}data: {{a: {}}}\n", "x".repeat(65 << 20));
    let source = ApplicationSource { path: "app".into(), ..ApplicationSource::default() };
    let limits = Limits { manifest_bytes: 0, ..Limits::default() };
    let told = refused_of(&tree(&[("app/a.yaml", text.as_bytes())]), &source, limits);
    assert!(told.contains("a.yaml") && told.contains("larger than the limit of 67108864"), "{told}");
}

#[test]
fn aliases_of_a_manifest() {
    let text = format!("{MAP}data:\n{}", laughing().replace("\n", "\n  ").replacen("a:", "  a:", 1));
    let told = refused(&[("app/a.yaml", text.as_bytes())], ApplicationSource::default());
    assert!(told.contains("a.yaml") && told.contains("document contains excessive aliasing"), "{told}");
}

#[test]
fn aliases_of_values() {
    let values = |text: String| ApplicationSourceHelm { values: text, ..Default::default() };
    let told = chart(&[], values(laughing()));
    assert!(told.contains("values of the source") && told.contains("excessive aliasing"), "{told}");
    let told = chart(&[("app/values.yaml", laughing().as_bytes())], ApplicationSourceHelm::default());
    assert!(told.contains("cannot load values.yaml") && told.contains("excessive aliasing"), "{told}");
}

#[test]
fn aliases_of_a_kustomized_resource() {
    let text = format!("{MAP}data:\n{}", laughing().replace("\n", "\n  ").replacen("a:", "  a:", 1));
    let files: [(&str, &[u8]); 2] =
        [("app/kustomization.yaml", b"resources: [a.yaml]\n"), ("app/a.yaml", text.as_bytes())];
    let told = refused(&files, ApplicationSource::default());
    assert!(told.contains("a.yaml") && told.contains("excessive aliasing"), "{told}");
}

#[test]
fn nesting_of_values() {
    let deep = format!("a: {}1{}\n", "[".repeat(300), "]".repeat(300));
    let told = chart(&[], ApplicationSourceHelm { values: deep, ..Default::default() });
    assert!(told.contains("nested deeper than the limit of 256 levels"), "{told}");
}

#[test]
fn bytes_of_values_files_together() {
    let file = format!("a: {}\n", "x".repeat(20 << 20));
    let files = [("big/one.yaml", file.as_bytes()), ("big/two.yaml", file.as_bytes())];
    let value_files = vec!["/big/one.yaml".to_owned(), "/big/two.yaml".to_owned()];
    let told = chart(&files, ApplicationSourceHelm { value_files, ..Default::default() });
    let expected = "values files and parameters together are larger than the limit of 33554432 bytes; the largest is big/two.yaml, of 20971524";
    assert_eq!(told, format!("helm template app: {expected}"));
}

#[test]
fn bytes_of_the_values_object() {
    let object = RawExtension::new(&serde_json::json!({"a": "x".repeat(40 << 20)}));
    let told = chart(&[], ApplicationSourceHelm { values_object: Some(object), ..Default::default() });
    assert!(
        told.contains("larger than the limit of 33554432 bytes; the largest is values of the source"),
        "{told}"
    );
}

#[test]
fn bytes_of_a_charts_own_values() {
    let file = format!("a: {}\n", "x".repeat(6 << 20));
    let told = chart(&[("app/values.yaml", file.as_bytes())], ApplicationSourceHelm::default());
    assert_eq!(
        told,
        "helm template app: chart file \"values.yaml\" is larger than the maximum file size 5242880"
    );
}

#[test]
fn bytes_of_a_parameter() {
    let parameter = HelmParameter { name: "a".into(), value: "x".repeat(40 << 20), force_string: true };
    let told = chart(&[], ApplicationSourceHelm { parameters: vec![parameter], ..Default::default() });
    assert!(told.contains("the limit of 33554432 bytes; the largest is --set-string"), "{told}");
}

#[test]
fn merged_values() {
    // Each file is within the limit, and all of them together are.
    let list = |key: &str| format!("{key}: [{}1]\n", "1,".repeat(1_200_000));
    let (one, two) = (list("one"), list("two"));
    let files = [("app/one.yaml", one.as_bytes()), ("app/two.yaml", two.as_bytes())];
    let value_files = vec!["one.yaml".to_owned(), "two.yaml".to_owned()];
    let told = chart(&files, ApplicationSourceHelm { value_files, ..Default::default() });
    assert!(
        told.ends_with(
            "the merged values of the chart and its dependencies are more than the limit of 2000000"
        ),
        "{told}"
    );
}

#[test]
fn a_list_that_a_parameter_makes_long() {
    let parameter = HelmParameter { name: "a[99999999]".into(), value: "x".into(), force_string: false };
    let told = chart(&[], ApplicationSourceHelm { parameters: vec![parameter], ..Default::default() });
    assert!(told.contains("index of 99999999 is greater than maximum supported index of 65536"), "{told}");
}

#[test]
fn a_packed_chart_that_unpacks_to_too_much() {
    let mut packer = Packer::new(Vec::new());
    packer.file("sub/Chart.yaml", CHART.replace("shop", "sub").as_bytes(), false).unwrap();
    packer.file("sub/files/zeros", &vec![0; 6 << 20], false).unwrap();
    let packed = packer.finish().unwrap();
    assert!(packed.len() < 64 << 10);
    let told = chart(&[("app/charts/sub-1.0.0.tgz", &packed)], ApplicationSourceHelm::default());
    assert!(
        told.contains("sub-1.0.0.tgz") && told.contains("is larger than the maximum file size 5242880"),
        "{told}"
    );
}

#[test]
fn a_template_that_never_ends() {
    let endless = "{{ range $a := until 100000 }}{{ range $b := until 100000 }}{{ range $c := until 100000 }}{{ end }}{{ end }}{{ end }}";
    let told = chart(&[("app/templates/a.yaml", endless.as_bytes())], ApplicationSourceHelm::default());
    assert!(told.contains("a.yaml:1:") && told.contains("limit exceeded: more than "), "{told}");
}

#[test]
fn a_template_that_includes_itself() {
    let itself = "{{ define \"x\" }}{{ include \"x\" . }}{{ end }}{{ include \"x\" . }}";
    let told = chart(&[("app/templates/a.yaml", itself.as_bytes())], ApplicationSourceHelm::default());
    // Whichever comes first: as often as Helm lets a template include itself, or as the stack has room for.
    let often = "rendering template has a nested reference name: x";
    let deep = told.ends_with("limit exceeded: templates are nested too deep") && told.len() < 4096;
    assert!(told.contains("a.yaml:1:") && (deep || told.contains(often)), "{}", told.len());
}

#[test]
fn a_template_that_makes_too_much_text() {
    let much = "{{ $a := \"x\" }}{{ range until 40 }}{{ $a = print $a $a }}{{ end }}{{ $a }}";
    let told = chart(&[("app/templates/a.yaml", much.as_bytes())], ApplicationSourceHelm::default());
    assert!(
        told.contains("a.yaml:1:") && told.contains("limit exceeded: more than 67108864 bytes"),
        "{told}"
    );
}

#[test]
fn a_link_that_leaves_the_tree() {
    let told = |tree: MemoryTree, source: ApplicationSource| {
        refused_of(&tree, &ApplicationSource { path: "app".into(), ..source }, Limits::default())
    };
    let link = |at: &str| MemoryTree::builder().link(path(at), "../../etc/passwd");
    let manifest = link("app/a.yaml").build().unwrap();
    let expected = "repository contains out-of-bounds symlinks. file: app/a.yaml";
    assert_eq!(told(manifest, ApplicationSource::default()), expected);
    let values = link("app/v.yaml").file(path("app/Chart.yaml"), CHART).build().unwrap();
    let helm = ApplicationSourceHelm { value_files: vec!["v.yaml".into()], ..Default::default() };
    let source = ApplicationSource { helm: Some(helm), ..ApplicationSource::default() };
    assert!(told(values, source).contains("out-of-bounds symlinks. file: app/v.yaml"));
    let resource =
        link("app/r.yaml").file(path("app/kustomization.yaml"), "resources: [r.yaml]\n").build().unwrap();
    assert!(
        told(resource, ApplicationSource::default()).contains("out-of-bounds symlinks. file: app/r.yaml")
    );
}

#[test]
fn links_without_end() {
    let tree = MemoryTree::builder().link(path("app/a.yaml"), "b.yaml").link(path("app/b.yaml"), "a.yaml");
    let source = ApplicationSource { path: "app".into(), ..ApplicationSource::default() };
    let told = refused_of(&tree.build().unwrap(), &source, Limits::default());
    assert_eq!(told, "app/a.yaml: too many levels of symbolic links");
}

#[test]
fn paths_that_climb_out() {
    let of = |path: &str| {
        let source = ApplicationSource { path: path.into(), ..ApplicationSource::default() };
        refused_of(&tree(&[("app/a.yaml", MAP.as_bytes())]), &source, Limits::default())
    };
    assert!(of("../other").contains("../other"), "{}", of("../other"));
    let helm = |name: &str| {
        chart(&[], ApplicationSourceHelm { value_files: vec![name.to_owned()], ..Default::default() })
    };
    assert!(
        helm("../../values.yaml").contains("error resolving value file path"),
        "{}",
        helm("../../values.yaml")
    );
    let climbing: [(&str, &[u8]); 1] = [("app/kustomization.yaml", b"resources: [../../x]\n")];
    assert!(refused(&climbing, ApplicationSource::default()).contains("../../x"));
    let component = ApplicationSourceKustomize { components: vec!["../../x".into()], ..Default::default() };
    let source = ApplicationSource { kustomize: Some(component), ..ApplicationSource::default() };
    let plain: [(&str, &[u8]); 1] = [("app/kustomization.yaml", b"resources: []\n")];
    assert!(refused(&plain, source).contains("../../x"));
    let library =
        api::v1alpha1::ApplicationSourceJsonnet { libs: vec!["../lib".into()], ..Default::default() };
    let directory = ApplicationSourceDirectory { jsonnet: library, ..Default::default() };
    let source = ApplicationSource { directory: Some(directory), ..ApplicationSource::default() };
    let told = refused(&[("app/a.jsonnet", b"{}")], source);
    assert!(told.contains("../lib"), "{told}");
    let program = "import '../../x.libsonnet'";
    let told = refused(&[("app/a.jsonnet", program.as_bytes())], ApplicationSource::default());
    assert!(told.contains("couldn't open import \"../../x.libsonnet\""), "{told}");
}

#[test]
fn folders_within_folders() {
    let deep = format!("app/{}a.yaml", "x/".repeat(200));
    let directory = ApplicationSourceDirectory { recurse: true, ..Default::default() };
    let source = ApplicationSource { directory: Some(directory), ..ApplicationSource::default() };
    let told = refused(&[(&deep, MAP.as_bytes())], source);
    assert!(
        told.contains("the folders within folders of app/x/") && told.ends_with("exceed the limit of 100"),
        "{told}"
    );
}
