//! Config management plugins: the environment their commands get, and the objects of what they give back.

use crate::directory::add;
use crate::{Discovery, Environment, RenderError, Request, SeamError};
use api::v1alpha1::{ApplicationSource, ApplicationSourcePlugin};
use object::Object;
use serde_json::{Value, json};
use source_tree::TreePath;

/// Whether a plugin says that a folder is for it. Once one was asked the answer may change without the tree.
pub(crate) fn claim(
    path: &TreePath,
    source: &ApplicationSource,
    request: &Request<'_>,
) -> Result<bool, RenderError> {
    let environment = request.environment.clone();
    let found = request.outside.discover(path, &of(source, request, &environment));
    match found.map_err(RenderError::Plugin)? {
        Discovery::NoPlugins => Ok(false),
        claimed => {
            request.environment.note_outside();
            Ok(claimed == Discovery::Claimed)
        }
    }
}

/// All objects that a plugin makes of a folder.
pub(crate) fn documents(
    path: &TreePath,
    source: &ApplicationSource,
    request: &Request<'_>,
) -> Result<Vec<Object>, RenderError> {
    request.environment.note_outside();
    let name = source.plugin.as_ref().map_or("", |plugin| plugin.name.as_str());
    let variables = of(source, request, request.environment);
    let made = request.outside.plugin(name, path, &variables).map_err(RenderError::Plugin)?;
    let mut objects = Vec::new();
    for text in made {
        let unusable = |reason: String| {
            let cause = format!(
                "failed to convert CMP manifests to unstructured objects: failed to unmarshal manifest: {reason}"
            );
            RenderError::Plugin(SeamError::fact(cause))
        };
        let documents = object::yaml::decode_documents(text.as_bytes(), &object::yaml::Limits::default());
        for document in documents.map_err(|error| unusable(error.to_string()))? {
            add(document.value, &mut objects).map_err(unusable)?;
        }
    }
    Ok(objects)
}

fn of(source: &ApplicationSource, request: &Request<'_>, environment: &Environment) -> Vec<(String, String)> {
    let more = [
        ("KUBE_VERSION".to_owned(), plain_version(request.kube_version)),
        ("KUBE_API_VERSIONS".to_owned(), request.api_versions.join(",")),
    ];
    variables(&environment.and(more), source.plugin.as_ref())
}

/// The numbers of a cluster's version, at least three: what comes after them is no version to the tools that read it.
fn plain_version(text: &str) -> String {
    let text = text.trim();
    let numbers = text.strip_prefix('v').unwrap_or(text);
    let end = numbers.find(|character: char| !character.is_ascii_digit() && character != '.');
    let numbers = end.map_or(numbers, |end| &numbers[..end]).trim_end_matches('.');
    match numbers.split('.').count() {
        _ if numbers.is_empty() => String::new(),
        1 => format!("{numbers}.0.0"),
        2 => format!("{numbers}.0"),
        _ => numbers.to_owned(),
    }
}

/// The variables of a plugin's commands: the build environment, then what the source says, as `ARGOCD_ENV_…`,
/// `PARAM_…` and all parameters at once as JSON.
pub fn variables(
    environment: &Environment,
    plugin: Option<&ApplicationSourcePlugin>,
) -> Vec<(String, String)> {
    let mut all: Vec<(String, String)> =
        environment.all().iter().map(|(name, value)| (name.clone(), value.clone())).collect();
    let Some(plugin) = plugin else { return all };
    for entry in &plugin.env {
        all.push((format!("ARGOCD_ENV_{}", entry.name), environment.substitute(&entry.value)));
    }
    all.push(("ARGOCD_APP_PARAMETERS".to_owned(), object::to_go_json(&parameters(plugin))));
    for parameter in &plugin.parameters {
        let name = format!("PARAM_{}", escaped(&parameter.name));
        if let Some(text) = &parameter.string {
            all.push((name.clone(), text.clone()));
        }
        for (key, value) in parameter.map.iter().flat_map(|map| &map.map) {
            all.push((format!("{name}_{}", escaped(key)), value.clone()));
        }
        for (at, value) in parameter.array.iter().flat_map(|array| &array.array).enumerate() {
            all.push((format!("{name}_{at}"), value.clone()));
        }
    }
    all
}

/// As the original prints them: `null` without any, and every one with its name.
fn parameters(plugin: &ApplicationSourcePlugin) -> Value {
    if plugin.parameters.is_empty() {
        return Value::Null;
    }
    let parameters = plugin.parameters.iter().map(|parameter| {
        let mut value = serde_json::to_value(parameter).unwrap_or_default();
        value["name"] = json!(parameter.name);
        value
    });
    Value::Array(parameters.collect())
}

/// A name of a variable: upper case, and what cannot stand in one replaced.
fn escaped(name: &str) -> String {
    let fit = |letter: char| letter.is_ascii_uppercase() || letter.is_ascii_digit() || letter == '_';
    name.to_uppercase().chars().map(|letter| if fit(letter) { letter } else { '_' }).collect()
}

#[cfg(test)]
mod tests {
    use super::{plain_version, variables};
    use crate::{Environment, EnvironmentOf};
    use api::v1alpha1::ApplicationSourcePlugin;
    use serde_json::json;

    #[test]
    fn a_version_is_numbers() {
        for (given, plain) in [
            ("v1.36.0", "1.36.0"),
            ("v1.36.0-eks-5e0fdde", "1.36.0"),
            ("1.36.2+k3s1", "1.36.2"),
            ("1.36", "1.36.0"),
            ("v1.36+", "1.36.0"),
            ("", ""),
        ] {
            assert_eq!(plain_version(given), plain, "{given}");
        }
    }

    #[test]
    fn the_source_becomes_variables() {
        let plugin: ApplicationSourcePlugin = serde_json::from_value(json!({
            "name": "shell-v1",
            "env": [{"name": "GREETING", "value": "hello ${ARGOCD_APP_NAME} $NOBODY"}],
            "parameters": [
                {"name": "values-files", "array": ["a.yaml", "b.yaml"]},
                {"name": "images", "map": {"web.x": "nginx", "db": "pg<1>"}},
                {"name": "suffix", "string": "-x"},
                {"name": "none", "array": []},
            ],
        }))
        .unwrap();
        let of = EnvironmentOf { application: "shop", revision: "0123456789", ..Default::default() };
        let environment = Environment::new(of);
        let all = variables(&environment, Some(&plugin));
        let value = |name: &str| all.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
        for (name, expected) in [
            ("ARGOCD_APP_NAME", "shop"),
            ("ARGOCD_APP_REVISION_SHORT_8", "01234567"),
            ("ARGOCD_ENV_GREETING", "hello shop "),
            ("PARAM_VALUES_FILES_0", "a.yaml"),
            ("PARAM_VALUES_FILES_1", "b.yaml"),
            ("PARAM_IMAGES_WEB_X", "nginx"),
            ("PARAM_IMAGES_DB", "pg<1>"),
            ("PARAM_SUFFIX", "-x"),
        ] {
            assert_eq!(value(name), Some(expected), "{name}");
        }
        assert_eq!(
            value("ARGOCD_APP_PARAMETERS"),
            Some(
                r#"[{"array":["a.yaml","b.yaml"],"name":"values-files"},{"map":{"db":"pg\u003c1\u003e","web.x":"nginx"},"name":"images"},{"name":"suffix","string":"-x"},{"array":[],"name":"none"}]"#
            )
        );
        assert!(environment.revision_used(), "the revision is among them");
        let bare = variables(&environment, Some(&ApplicationSourcePlugin::default()));
        assert!(bare.contains(&("ARGOCD_APP_PARAMETERS".to_owned(), "null".to_owned())));
        assert!(!variables(&environment, None).iter().any(|(name, _)| name == "ARGOCD_APP_PARAMETERS"));
    }
}
