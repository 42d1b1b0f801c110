//! Flags of one source: where it is, and how Helm, Kustomize, directories and plugins read it.

use std::collections::BTreeMap;

use api::k8s::intstr::IntOrString;
use api::k8s::runtime::RawExtension;
use api::v1alpha1::{
    ApplicationSource, ApplicationSourceDirectory, ApplicationSourceHelm, ApplicationSourceKustomize,
    ApplicationSourcePlugin, EnvEntry, HelmFileParameter, HelmParameter, JsonnetVar, KustomizeReplica,
};

use crate::failure::{Failure, Outcome, io_error};
use crate::session::Session;

/// Applies the flags given to `source`.
pub(crate) fn apply_source(session: &Session<'_>, source: &mut ApplicationSource) -> Outcome {
    let changed: Vec<_> = session.matches.changed_flags().collect();
    for flag in changed {
        match flag {
            "repo" => source.repo_url = session.text(flag),
            "path" => source.path = session.text(flag),
            "helm-chart" => source.chart = session.text(flag),
            "revision" => source.target_revision = session.text(flag),
            "ref" => source.r#ref = session.text(flag),
            "tag-prefix" => source.tag_prefix = session.text(flag),
            // With a position beside it, the name chooses a source instead of naming it.
            "source-name" if source.name.is_empty() => source.name = session.text(flag),
            "config-management-plugin" => plugin(source).name = session.text(flag),
            "plugin-env" => {
                for entry in session.matches.list(flag) {
                    put_environment(plugin(source), entry)?;
                }
            }
            _ => {
                apply_helm(session, source, flag)?;
                apply_kustomize(session, source, flag)?;
                apply_directory(session, source, flag);
            }
        }
    }
    if source.helm.as_ref().is_some_and(|helm| *helm == ApplicationSourceHelm::default()) {
        source.helm = None;
    }
    if source.kustomize.as_ref().is_some_and(|kustomize| *kustomize == ApplicationSourceKustomize::default())
    {
        source.kustomize = None;
    }
    Ok(())
}

fn plugin(source: &mut ApplicationSource) -> &mut ApplicationSourcePlugin {
    source.plugin.get_or_insert_default()
}

fn put_environment(plugin: &mut ApplicationSourcePlugin, entry: &str) -> Outcome {
    let (name, value) = entry.split_once('=').filter(|(name, _)| !name.is_empty()).ok_or_else(|| {
        Failure::generic(format!("Expected env entry of the form: param=value. Received: {entry}"))
    })?;
    match plugin.env.iter_mut().find(|known| known.name == name) {
        Some(known) => value.clone_into(&mut known.value),
        None => plugin.env.push(EnvEntry { name: name.to_owned(), value: value.to_owned() }),
    }
    Ok(())
}

fn apply_helm(session: &Session<'_>, source: &mut ApplicationSource, flag: &str) -> Outcome {
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
    match flag {
        "values" => helm.value_files = session.matches.list(flag).to_vec(),
        "values-literal-file" => set_values(helm, &local_file(session.matches.text(flag))?)?,
        "release-name" => helm.release_name = session.text(flag),
        "ignore-missing-value-files" => helm.ignore_missing_value_files = session.is(flag),
        "helm-version" => helm.version = session.text(flag),
        "helm-pass-credentials" => helm.pass_credentials = session.is(flag),
        "helm-set" | "helm-set-string" => {
            for text in session.matches.list(flag) {
                put_parameter(helm, parameter(text, flag == "helm-set-string")?);
            }
        }
        "helm-set-file" => {
            for text in session.matches.list(flag) {
                let (name, path) = pair(text, "helm file parameter of the form: param=path")?;
                helm.file_parameters.retain(|known| known.name != name);
                helm.file_parameters.push(HelmFileParameter { name, path });
            }
        }
        "helm-skip-crds" => helm.skip_crds = session.is(flag),
        "helm-skip-schema-validation" => helm.skip_schema_validation = session.is(flag),
        "helm-skip-tests" => helm.skip_tests = session.is(flag),
        "helm-namespace" => helm.namespace = session.text(flag),
        "helm-kube-version" => helm.kube_version = session.text(flag),
        _ => helm.api_versions = session.matches.list(flag).to_vec(),
    }
    Ok(())
}

fn local_file(path: &str) -> Outcome<String> {
    std::fs::read_to_string(path)
        .map_err(|error| Failure::generic(format!("open {path}: {}", io_error(&error))))
}

/// Values as an object, as the original keeps them.
fn set_values(helm: &mut ApplicationSourceHelm, text: &str) -> Outcome {
    let invalid =
        |error: String| Failure::generic(format!("failed converting values file to object: {error}"));
    let value = object::yaml::decode(text.as_bytes()).map_err(|error| invalid(error.to_string()))?;
    helm.values.clear();
    helm.values_object = Some(RawExtension::new(&value));
    Ok(())
}

fn pair(text: &str, form: &str) -> Outcome<(String, String)> {
    let (name, value) =
        text.split_once('=').ok_or_else(|| Failure::generic(format!("expected {form}. Received: {text}")))?;
    Ok((name.to_owned(), value.to_owned()))
}

fn parameter(text: &str, force_string: bool) -> Outcome<HelmParameter> {
    let (name, value) = pair(text, "helm parameter of the form: param=value")?;
    Ok(HelmParameter { name, value, force_string })
}

fn put_parameter(helm: &mut ApplicationSourceHelm, parameter: HelmParameter) {
    match helm.parameters.iter_mut().find(|known| known.name == parameter.name) {
        Some(known) => *known = parameter,
        None => helm.parameters.push(parameter),
    }
}

/// Applies `--parameter`, which only Helm sources know. `found` is the type the server last detected.
pub(crate) fn apply_parameters(
    session: &Session<'_>,
    source: &mut ApplicationSource,
    found: &str,
) -> Outcome {
    let parameters = session.matches.list("parameter");
    let Some(first) = parameters.first() else { return Ok(()) };
    let explicit = source.kustomize.is_some() || source.directory.is_some() || source.plugin.is_some();
    let is_helm = source.helm.is_some()
        || !source.chart.is_empty()
        || (!explicit && (found == "Helm" || (found.is_empty() && first.contains('='))));
    if !is_helm {
        return Err(Failure::fatal("Parameters can only be set against Helm applications"));
    }
    let helm = source.helm.get_or_insert_default();
    for text in parameters {
        put_parameter(helm, parameter(text, false)?);
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
    let list = session.matches.list(flag);
    match flag {
        "nameprefix" => kustomize.name_prefix = session.text(flag),
        "namesuffix" => kustomize.name_suffix = session.text(flag),
        "ignore-missing-components" => kustomize.ignore_missing_components = session.is(flag),
        "kustomize-version" => kustomize.version = session.text(flag),
        "kustomize-namespace" => kustomize.namespace = session.text(flag),
        "kustomize-kube-version" => kustomize.kube_version = session.text(flag),
        "kustomize-api-versions" => kustomize.api_versions = list.to_vec(),
        "kustomize-common-label" => kustomize.common_labels = labels(list)?,
        "kustomize-common-annotation" => kustomize.common_annotations = labels(list)?,
        "kustomize-force-common-label" => kustomize.force_common_labels = session.is(flag),
        "kustomize-force-common-annotation" => kustomize.force_common_annotations = session.is(flag),
        "kustomize-label-without-selector" => kustomize.label_without_selector = session.is(flag),
        "kustomize-label-include-templates" => kustomize.label_include_templates = session.is(flag),
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
    Ok(())
}

/// Whether two images have the same name before `=`, `:` or `@`.
pub(crate) fn same_image(image: &str, other: &str) -> bool {
    let delimiter = ["=", ":", "@"].into_iter().find(|delimiter| other.contains(delimiter)).unwrap_or(":");
    other.contains(delimiter) && image.starts_with(other.split(delimiter).next().unwrap_or_default())
}

fn put_replica(kustomize: &mut ApplicationSourceKustomize, text: &str) -> Outcome {
    let (name, count) = pair(text, "replica of the form: name=count")?;
    let count: i32 = count
        .parse()
        .map_err(|_| Failure::generic(format!("expected integer value for count. Received: {count}")))?;
    kustomize.replicas.retain(|known| known.name != name);
    kustomize.replicas.push(KustomizeReplica {
        name,
        count: IntOrString { r#type: 0, int_val: count, str_val: String::new() },
    });
    Ok(())
}

/// `key=value` texts; `key-` has no value and is an error, as is a key without `=`.
pub(crate) fn labels(texts: &[String]) -> Outcome<BTreeMap<String, String>> {
    let mut labels = BTreeMap::new();
    for text in texts {
        let (key, value) = text.split_once('=').ok_or_else(|| {
            Failure::generic(format!("labels should have key=value, but instead got: {text}"))
        })?;
        labels.insert(key.to_owned(), value.to_owned());
    }
    Ok(labels)
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
