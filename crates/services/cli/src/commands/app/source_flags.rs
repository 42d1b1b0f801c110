//! Flags of one source: where it is, and how Helm, Kustomize, directories and plugins read it. An empty text and a switch
//! that is off leave what is there, as with the original; `app unset` takes it away.

use std::collections::BTreeMap;

use api::k8s::intstr::IntOrString;
use api::k8s::runtime::RawExtension;
use api::v1alpha1::{
    ApplicationSource, ApplicationSourceDirectory, ApplicationSourceHelm, ApplicationSourceKustomize,
    ApplicationSourcePlugin, EnvEntry, HelmFileParameter, HelmParameter, JsonnetVar, KustomizeReplica,
};
use serde_json::Value;

use crate::failure::{Failure, Outcome};
use crate::log::Level;
use crate::manifests;
use crate::session::Session;

/// What the file or the address of `--values-literal-file` holds, where the flag is given.
pub(crate) async fn literal_values(session: &Session<'_>) -> Outcome<Option<Vec<u8>>> {
    let flag = "values-literal-file";
    if !session.matches.changed(flag) {
        return Ok(None);
    }
    let content = manifests::content(session.matches.text(flag)).await;
    content.map(Some).map_err(Failure::generic)
}

/// Applies the flags given to `source`; `values` are the [`literal_values`].
pub(crate) fn apply_source(
    session: &Session<'_>,
    source: &mut ApplicationSource,
    values: Option<&[u8]>,
) -> Outcome {
    let changed: Vec<_> = session.matches.changed_flags().collect();
    for flag in changed {
        match flag {
            "repo" => source.repo_url = session.text(flag),
            "path" => source.path = session.text(flag),
            "helm-chart" => source.chart = session.text(flag),
            "revision" => source.target_revision = session.text(flag),
            "ref" => source.r#ref = session.text(flag),
            "tag-prefix" => source.tag_prefix = session.text(flag),
            "source-name" => source.name = session.text(flag),
            // Another plugin begins without what the one before was told.
            "config-management-plugin" => {
                let name = session.text(flag);
                source.plugin = Some(ApplicationSourcePlugin { name, ..ApplicationSourcePlugin::default() });
            }
            "plugin-env" => {
                let plugin = source.plugin.get_or_insert_default();
                for entry in session.matches.list(flag) {
                    put_environment(plugin, entry)?;
                }
            }
            _ => {
                apply_helm(session, source, flag, values)?;
                apply_kustomize(session, source, flag)?;
                apply_directory(session, source, flag);
            }
        }
    }
    Ok(())
}

/// The two sides of `name=value`; `expected` begins the message where there is only one.
fn pair(text: &str, expected: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or_else(|| format!("{expected}: {text}"))?;
    Ok((name.to_owned(), value.to_owned()))
}

/// Takes a text that is not empty.
fn take(field: &mut String, text: &str) {
    if !text.is_empty() {
        text.clone_into(field);
    }
}

fn put_environment(plugin: &mut ApplicationSourcePlugin, entry: &str) -> Outcome {
    let expected = "expected env entry of the form: param=value but received";
    let (name, value) = pair(entry, expected).map_err(Failure::fatal)?;
    match plugin.env.iter_mut().find(|known| known.name == name) {
        Some(known) => known.value = value,
        None => plugin.env.push(EnvEntry { name, value }),
    }
    Ok(())
}

fn apply_helm(
    session: &Session<'_>,
    source: &mut ApplicationSource,
    flag: &str,
    values: Option<&[u8]>,
) -> Outcome {
    let known = [
        "values",
        "values-literal-file",
        "release-name",
        "ignore-missing-value-files",
        "helm-version",
        "helm-pass-credentials",
        "helm-set",
        "helm-set-string",
        "helm-set-file",
        "helm-skip-crds",
        "helm-skip-schema-validation",
        "helm-skip-tests",
        "helm-namespace",
        "helm-kube-version",
        "helm-api-versions",
    ];
    if !known.contains(&flag) {
        return Ok(());
    }
    let helm = source.helm.get_or_insert_default();
    let (text, on, list) = (session.matches.text(flag), session.is(flag), session.matches.list(flag));
    match flag {
        "values" => helm.value_files = list.to_vec(),
        "values-literal-file" => set_values(helm, values.unwrap_or_default())?,
        "release-name" => take(&mut helm.release_name, text),
        "ignore-missing-value-files" => helm.ignore_missing_value_files |= on,
        "helm-version" => take(&mut helm.version, text),
        "helm-pass-credentials" => helm.pass_credentials |= on,
        "helm-set" | "helm-set-string" => {
            for text in list {
                put_parameter(helm, parameter(text, flag == "helm-set-string").map_err(Failure::fatal)?);
            }
        }
        "helm-set-file" => {
            for text in list {
                put_file(helm, text)?;
            }
        }
        "helm-skip-crds" => helm.skip_crds |= on,
        "helm-skip-schema-validation" => helm.skip_schema_validation |= on,
        "helm-skip-tests" => helm.skip_tests |= on,
        "helm-namespace" => take(&mut helm.namespace, text),
        "helm-kube-version" => take(&mut helm.kube_version, text),
        _ => helm.api_versions = list.to_vec(),
    }
    if *helm == ApplicationSourceHelm::default() {
        source.helm = None;
    }
    Ok(())
}

/// Values as an object or a text, as the original keeps them. A file without content changes nothing.
fn set_values(helm: &mut ApplicationSourceHelm, content: &[u8]) -> Outcome {
    if content.is_empty() {
        return Ok(());
    }
    let value = object::yaml::decode(content).map_err(|error| {
        let reason = error.message.trim_start_matches("error converting YAML to JSON: ");
        Failure::fatal(format!("failed converting yaml to json: {reason}"))
    })?;
    let wrong = match value {
        Value::Object(_) | Value::String(_) => None,
        Value::Array(_) => Some("[]interface {}"),
        Value::Number(_) => Some("float64"),
        Value::Bool(_) => Some("bool"),
        Value::Null => Some("null"),
    };
    if let Some(wrong) = wrong {
        return Err(Failure::fatal(format!("invalid type {wrong:?}")));
    }
    helm.values.clear();
    helm.values_object = Some(RawExtension::new(&value));
    Ok(())
}

fn parameter(text: &str, force_string: bool) -> Result<HelmParameter, String> {
    let (name, value) = pair(text, "expected helm parameter of the form param=value but received")?;
    Ok(HelmParameter { name, value: commas_escaped(&value), force_string })
}

fn put_parameter(helm: &mut ApplicationSourceHelm, parameter: HelmParameter) {
    match helm.parameters.iter_mut().find(|known| known.name == parameter.name) {
        Some(known) => *known = parameter,
        None => helm.parameters.push(parameter),
    }
}

fn put_file(helm: &mut ApplicationSourceHelm, text: &str) -> Outcome {
    let expected = "expected helm file parameter of the form param=path but received";
    let (name, path) = pair(text, expected).map_err(Failure::fatal)?;
    let path = commas_escaped(&path);
    match helm.file_parameters.iter_mut().find(|known| known.name == name) {
        Some(known) => known.path = path,
        None => helm.file_parameters.push(HelmFileParameter { name, path }),
    }
    Ok(())
}

/// The text with a backslash before commas, which would separate values for Helm. A comma after a backslash, at the start
/// or right after another stays as it is: so the original writes specifications. A list keeps its commas, or it were one
/// item.
fn commas_escaped(text: &str) -> String {
    if text.starts_with('{') && text.ends_with('}') {
        return text.to_owned();
    }
    let mut escaped = String::new();
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        escaped.push(letter);
        if letter != '\\' && letters.next_if_eq(&',').is_some() {
            escaped.push_str("\\,");
        }
    }
    escaped
}

/// Applies `--parameter`, which only Helm sources know. `found` is the type the server last detected.
pub(crate) fn apply_parameters(
    session: &mut Session<'_>,
    source: &mut ApplicationSource,
    found: &str,
) -> Outcome {
    let parameters = session.matches.list("parameter").to_vec();
    let Some(first) = parameters.first() else { return Ok(()) };
    let types = [
        (source.helm.is_some(), "Helm"),
        (source.kustomize.is_some(), "Kustomize"),
        (source.directory.is_some(), "Directory"),
        (source.plugin.is_some(), "Plugin"),
    ];
    let mut explicit = types.into_iter().filter(|(is, _)| *is).map(|(_, name)| name);
    let source_type = match (explicit.next(), explicit.next()) {
        (Some(only), None) => only,
        _ if !found.is_empty() => found,
        _ if first.contains('=') => "Helm",
        _ => "",
    };
    if source_type != "Helm" {
        return Err(Failure::fatal("Parameters can only be set against Helm applications"));
    }
    let helm = source.helm.get_or_insert_default();
    for text in &parameters {
        match parameter(text, false) {
            Ok(parameter) => put_parameter(helm, parameter),
            Err(reason) => session.log(Level::Error, &reason),
        }
    }
    Ok(())
}

fn apply_kustomize(session: &Session<'_>, source: &mut ApplicationSource, flag: &str) -> Outcome {
    if !(flag.starts_with("kustomize-")
        || ["nameprefix", "namesuffix", "ignore-missing-components"].contains(&flag))
    {
        return Ok(());
    }
    let kustomize = source.kustomize.get_or_insert_default();
    let (text, on, list) = (session.matches.text(flag), session.is(flag), session.matches.list(flag));
    match flag {
        "nameprefix" => take(&mut kustomize.name_prefix, text),
        "namesuffix" => take(&mut kustomize.name_suffix, text),
        "ignore-missing-components" => kustomize.ignore_missing_components |= on,
        "kustomize-version" => take(&mut kustomize.version, text),
        "kustomize-namespace" => take(&mut kustomize.namespace, text),
        "kustomize-kube-version" => take(&mut kustomize.kube_version, text),
        "kustomize-api-versions" => kustomize.api_versions = list.to_vec(),
        "kustomize-common-label" => kustomize.common_labels = labels(list)?,
        "kustomize-common-annotation" => kustomize.common_annotations = labels(list)?,
        "kustomize-force-common-label" => kustomize.force_common_labels |= on,
        "kustomize-force-common-annotation" => kustomize.force_common_annotations |= on,
        "kustomize-label-without-selector" => kustomize.label_without_selector |= on,
        "kustomize-label-include-templates" => kustomize.label_include_templates |= on,
        "kustomize-image" => {
            for image in list {
                match kustomize.images.iter_mut().find(|known| same_image(known, image)) {
                    Some(known) => known.clone_from(image),
                    None => kustomize.images.push(image.clone()),
                }
            }
        }
        "kustomize-replica" => {
            for text in list {
                put_replica(kustomize, text)?;
            }
        }
        "kustomize-component" => kustomize.components = list.to_vec(),
        _ => {}
    }
    if says_nothing(kustomize) {
        source.kustomize = None;
    }
    Ok(())
}

/// Whether nothing is said but how labels and annotations would be put: without any, that means nothing.
fn says_nothing(kustomize: &ApplicationSourceKustomize) -> bool {
    let how = ApplicationSourceKustomize {
        force_common_labels: kustomize.force_common_labels,
        force_common_annotations: kustomize.force_common_annotations,
        common_annotations_envsubst: kustomize.common_annotations_envsubst,
        label_without_selector: kustomize.label_without_selector,
        label_include_templates: kustomize.label_include_templates,
        ..ApplicationSourceKustomize::default()
    };
    *kustomize == how
}

/// Whether two images have the same name: what is before the first `=`, else `:`, else `@` of `other`.
pub(crate) fn same_image(image: &str, other: &str) -> bool {
    let delimiter = ['=', ':', '@'].into_iter().find(|delimiter| other.contains(*delimiter)).unwrap_or(':');
    image.split(delimiter).next() == other.split(delimiter).next()
}

fn put_replica(kustomize: &mut ApplicationSourceKustomize, text: &str) -> Outcome {
    let expected = "expected parameter of the form: name=count. Received";
    let (name, count) = pair(text, expected).map_err(Failure::fatal)?;
    let count = match (count.parse::<i32>(), count.parse::<i64>()) {
        (Ok(number), _) => IntOrString { r#type: 0, int_val: number, str_val: String::new() },
        // A number that is too large for Kubernetes is kept as a text: the original takes it, too.
        (Err(_), Ok(_)) => IntOrString { r#type: 1, int_val: 0, str_val: count },
        (Err(_), Err(_)) => {
            return Err(Failure::fatal(format!("expected integer value for count. Received: {count}")));
        }
    };
    match kustomize.replicas.iter_mut().find(|known| known.name == name) {
        Some(known) => known.count = count,
        None => kustomize.replicas.push(KustomizeReplica { name, count }),
    }
    Ok(())
}

/// `key=value` texts; one with another number of `=` is an error.
pub(crate) fn labels(texts: &[String]) -> Outcome<BTreeMap<String, String>> {
    let read = |text: &String| match text.split('=').collect::<Vec<_>>()[..] {
        [key, value] => Ok((key.to_owned(), value.to_owned())),
        _ => Err(Failure::generic(format!("labels should have key=value, but instead got: {text}"))),
    };
    texts.iter().map(read).collect()
}

fn apply_directory(session: &Session<'_>, source: &mut ApplicationSource, flag: &str) {
    if !(flag.starts_with("directory-") || flag.starts_with("jsonnet-")) {
        return;
    }
    let ApplicationSourceDirectory { recurse, jsonnet, exclude, include, disable_extension_filter } =
        source.directory.get_or_insert_default();
    let list = session.matches.list(flag);
    let variables = |code: bool| {
        list.iter().map(move |text| {
            let (name, value) = text.split_once('=').unwrap_or((text, ""));
            JsonnetVar { name: name.to_owned(), value: value.to_owned(), code }
        })
    };
    match flag {
        "directory-recurse" => *recurse = session.is(flag),
        "directory-exclude" => *exclude = session.text(flag),
        "directory-include" => *include = session.text(flag),
        "directory-disable-extension-filter" => *disable_extension_filter = session.is(flag),
        "jsonnet-ext-var-str" => jsonnet.ext_vars.extend(variables(false)),
        "jsonnet-ext-var-code" => jsonnet.ext_vars.extend(variables(true)),
        "jsonnet-tla-str" => jsonnet.tlas.extend(variables(false)),
        "jsonnet-tla-code" => jsonnet.tlas.extend(variables(true)),
        _ => jsonnet.libs.extend(list.iter().cloned()),
    }
}

#[cfg(test)]
mod tests {
    use super::{commas_escaped, labels, same_image};

    #[test]
    fn images_are_the_same_by_their_whole_name() {
        for (image, other, expected) in [
            ("nginx:2", "nginx:1", true),
            ("nginx-exporter:2", "nginx:1", false),
            ("nginx", "nginx-exporter:2", false),
            ("mysql=mariadb:1", "mysql=mariadb:2", true),
            ("registry.example:5000/web:1", "registry.example:5000/other:1", true),
            ("web@sha256:ab", "web@sha256:cd", true),
            ("web:1", "web@sha256:cd", false),
            ("alpine", "alpine", true),
        ] {
            assert_eq!(same_image(image, other), expected, "{image} {other}");
        }
    }

    #[test]
    fn commas_are_escaped_once() {
        for (text, expected) in [
            ("a,b", "a\\,b"),
            ("a\\,b", "a\\,b"),
            (",a", ",a"),
            ("a,,b", "a\\,,b"),
            ("{a,b}", "{a,b}"),
            ("", ""),
        ] {
            assert_eq!(commas_escaped(text), expected, "{text}");
        }
    }

    #[test]
    fn a_label_has_one_equals_sign() {
        let read = |text: &str| labels(&[text.to_owned()]);
        assert_eq!(read("a=").expect("a label").get("a").map(String::as_str), Some(""));
        assert!(read("a").is_err() && read("a=b=c").is_err());
    }
}
