//! Helm sources: the fields of a source become what `helm template` would be told.

use crate::outside::TemplateWorld;
use crate::value_files::{ValueFiles, read_set_file};
use crate::{Outside, RenderError, Request};
use api::v1alpha1::ApplicationSourceHelm;
use gotemplate::{Functions, Limits, MissingKey, Templates};
use helm::{Chart, Error, MissingDependency, Options, ValuesFile};
use object::Object;
use semver_range::{Range, Version};
use source_tree::{Tree, TreePath};

/// What Helm assumes when nobody says which cluster it is.
pub(crate) const KUBE_VERSION: &str = "1.35.0";

/// All objects of a chart, hooks among them: CRDs first, then manifests and hooks in the order of installation.
pub(crate) fn documents(
    tree: &dyn Tree,
    path: &TreePath,
    helm: &ApplicationSourceHelm,
    request: &Request<'_>,
) -> Result<Vec<Object>, RenderError> {
    if !matches!(helm.version.as_str(), "" | "v3" | "v4") {
        let reason = format!("helm version '{}' is not supported", helm.version);
        return Err(RenderError::Parameters { path: path.to_string(), reason });
    }
    let failed = |error: Error| RenderError::Helm { path: path.to_string(), error };
    let chart = helm::load(tree, path).map_err(failed)?;
    let options = options(tree, path, helm, request)?;
    let chart = complete(tree, chart, path, request)?;
    let rendered = chart.render(&options, &mut TemplateWorld(request.outside)).map_err(failed)?;
    objects(path, rendered.text().as_bytes())
}

/// The chart with what its `charts/` folder lacks: folders of the same repository, and what is asked of the world
/// outside. What those lack themselves is left out, as Helm does.
fn complete(
    tree: &dyn Tree,
    mut chart: Chart,
    path: &TreePath,
    request: &Request<'_>,
) -> Result<Chart, RenderError> {
    let failed = |error: Error| RenderError::Helm { path: path.to_string(), error };
    let missing = chart.missing_dependencies().map_err(failed)?;
    if missing.is_empty() {
        return Ok(chart);
    }
    for wanted in missing {
        if let Some(folder) = wanted.repository.strip_prefix("file://") {
            let folder = path.join(folder).map_err(|error| RenderError::Parameters {
                path: path.to_string(),
                reason: format!("dependency {}: {error}", wanted.name),
            })?;
            let loaded = helm::load(tree, &folder).map_err(failed)?;
            if let Err(reason) = meets(&loaded, &wanted) {
                return Err(failed(Error::Load(reason)));
            }
            chart.add_dependency(loaded);
            continue;
        }
        request.environment.note_outside();
        let fetched = request.outside.chart(&wanted);
        let packed = fetched.map_err(|error| RenderError::Dependency {
            path: path.to_string(),
            repositories: repositories(&chart),
            error,
        })?;
        let loaded = helm::load_archive(&packed);
        let loaded = loaded.map_err(failed)?;
        chart.add_dependency(loaded);
    }
    Ok(chart)
}

/// Where all charts lie that a chart needs, as its `Chart.yaml` names the places.
fn repositories(chart: &Chart) -> Vec<String> {
    let needed = chart.metadata.dependencies.iter().flatten();
    needed.map(|dependency| dependency.repository.clone()).collect()
}

/// Whether a chart of the repository has a version that will do. The texts are Helm's.
fn meets(chart: &Chart, wanted: &MissingDependency) -> Result<(), String> {
    let MissingDependency { name, repository, version } = wanted;
    let range = Range::parse(version)
        .map_err(|error| format!("dependency {name:?} has an invalid version/constraint format: {error}"))?;
    match Version::parse(&chart.metadata.version) {
        Ok(found) if range.contains(&found) => Ok(()),
        _ => Err(format!(
            "can't get a valid version for 1 subchart(s): {name:?} (repository {repository:?}, version {version:?}). Make sure a matching chart version exists in the repo, or change the version constraint in Chart.yaml"
        )),
    }
}

fn options(
    tree: &dyn Tree,
    path: &TreePath,
    helm: &ApplicationSourceHelm,
    request: &Request<'_>,
) -> Result<Options, RenderError> {
    // Release names have no namespace in them; a release is never named by nothing.
    let (_, application) = request.application_name.split_once('_').unwrap_or(("", request.application_name));
    let name = named(first([&helm.release_name, application, "release-name"]), path, request)?;
    let namespace = first([&helm.namespace, request.namespace, "default"]);
    let kube_version = first([&helm.kube_version, request.kube_version, KUBE_VERSION]);
    let mut options = Options::new(&name, namespace, kube_version);
    let api_versions = if helm.api_versions.is_empty() { request.api_versions } else { &helm.api_versions };
    options.api_versions = api_versions.to_vec();
    let files = ValueFiles::new(tree, path, request);
    options.values = files.read(&helm.value_files, helm.ignore_missing_value_files)?;
    options.values.extend(values(helm));
    let parameters = |strings: bool| {
        let chosen = helm.parameters.iter().filter(move |parameter| parameter.force_string == strings);
        // The last of a name counts, and the order is that of names.
        let by_name: std::collections::BTreeMap<&str, &str> =
            chosen.map(|parameter| (parameter.name.as_str(), parameter.value.as_str())).collect();
        by_name
            .into_iter()
            .map(|(name, value)| format!("{name}={}", escaped(&request.environment.substitute(value))))
            .collect()
    };
    options.set = parameters(false);
    options.set_string = parameters(true);
    for parameter in &helm.file_parameters {
        options.set_file.push((parameter.name.clone(), read_set_file(&files, &parameter.path)?));
    }
    options.skip_crds = helm.skip_crds;
    options.skip_tests = helm.skip_tests;
    options.skip_schema_validation = helm.skip_schema_validation;
    Ok(options)
}

/// The name of a release. The original gives it to Helm as a template.
fn named(name: &str, path: &TreePath, request: &Request<'_>) -> Result<String, RenderError> {
    if !name.contains("{{") {
        return Ok(name.to_owned());
    }
    release_name(name, request.outside).map_err(|error| RenderError::Parameters {
        path: path.to_string(),
        reason: format!("release name {name:?}: {error}"),
    })
}

/// The name that a template makes.
pub(crate) fn release_name(template: &str, outside: &dyn Outside) -> Result<String, gotemplate::Error> {
    const NAME: &str = "name-template";
    let mut templates = Templates::new(Functions::sprig().without("env").without("expandenv"));
    templates.parse(NAME, template)?;
    let mut world = TemplateWorld(outside);
    let mut session = templates.session(&mut world, MissingKey::Default, Limits::default());
    session.execute(NAME, &gotemplate::Value::Nil)
}

fn first<const COUNT: usize>(texts: [&str; COUNT]) -> &str {
    texts.into_iter().find(|text| !text.is_empty()).unwrap_or_default()
}

/// The source's own values, which come after all files: the object where there is one, else the text.
fn values(helm: &ApplicationSourceHelm) -> Option<ValuesFile> {
    let object = helm.values_object.as_ref().map(|object| String::from_utf8_lossy(&object.raw).into_owned());
    let object = object.filter(|text| !text.is_empty() && text != "null");
    let text = object.or_else(|| (!helm.values.is_empty()).then(|| helm.values.clone()))?;
    Some(ValuesFile { name: "values of the source".into(), text })
}

/// Commas end a value for Helm, unless the value is a list.
fn escaped(value: &str) -> String {
    if value.starts_with('{') && value.ends_with('}') {
        return value.to_owned();
    }
    let mut out = String::with_capacity(value.len());
    let mut before = '\0';
    for character in value.chars() {
        if character == ',' && before != '\\' {
            out.push('\\');
        }
        out.push(character);
        before = character;
    }
    out
}

/// The objects of a text of YAML documents; a list's are its items.
pub(crate) fn objects(path: &TreePath, text: &[u8]) -> Result<Vec<Object>, RenderError> {
    let failed = |reason: String| RenderError::Manifest {
        file: path.to_string(),
        path: path.as_str().to_owned(),
        reason: format!("failed to unmarshal manifest: {reason}"),
    };
    let limits = object::yaml::Limits::default();
    let documents =
        object::yaml::decode_documents(text, &limits).map_err(|error| failed(error.to_string()))?;
    let mut objects = Vec::with_capacity(documents.len());
    for document in documents {
        crate::directory::add(document.value, &mut objects).map_err(failed)?;
    }
    Ok(objects)
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn commas_are_escaped_once_and_lists_are_left() {
        for (value, expected) in [("a,b", r"a\,b"), (r"a\,b", r"a\,b"), ("{a,b}", "{a,b}"), (",", r"\,")] {
            assert_eq!(escaped(value), expected);
        }
    }
}
