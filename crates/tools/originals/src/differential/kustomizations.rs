//! Random kustomizations: a base, overlays and components whose fields are chosen by chance, and the corpora's small
//! cases with fields of others.

mod fields;
mod objects;

use super::chance::Chance;
use super::tools::Tools;
use super::{Corpora, Input};
use crate::corpora::folders;
use crate::files::Files;
use crate::ours as renderers;
use anyhow::Result;
use serde_json::Value;

pub(crate) fn make(chance: &mut Chance, corpora: &Corpora) -> Result<Input> {
    let mut files = Files::default();
    if chance.percent(25) && corpora.0.is_dir() {
        crossed(chance, corpora, &mut files)?;
    } else {
        layers(chance, &mut files);
    }
    let mut arguments = Vec::new();
    if chance.percent(10) {
        arguments.push("--load-restrictor=LoadRestrictionsNone".to_owned());
    }
    if chance.percent(10) {
        arguments.push("--enable-helm".to_owned());
    }
    Ok(Input { files, arguments })
}

/// A small case of the corpora with a field of another.
fn crossed(chance: &mut Chance, corpora: &Corpora, files: &mut Files) -> Result<()> {
    let cases = folders(&corpora.0.join("kustomize"))?;
    let small: Vec<_> = cases.into_iter().filter(|(name, _)| name.starts_with("micro-")).collect();
    let one = Files::read(&chance.pick(&small).1.join("input"))?;
    let other = Files::read(&chance.pick(&small).1.join("input"))?;
    let kustomization = |files: &Files| {
        let content = files.0.get("kustomization.yaml").map(Vec::as_slice).unwrap_or_default();
        object::yaml::decode(content).ok().filter(Value::is_object)
    };
    let (into, from) = (kustomization(&one), kustomization(&other));
    for (path, content) in other.0.into_iter().chain(one.0) {
        files.add(&format!("input/{path}"), content);
    }
    if let (Some(Value::Object(mut into)), Some(Value::Object(from))) = (into, from) {
        for (key, value) in from {
            if chance.percent(70) && !matches!(key.as_str(), "resources" | "kind" | "apiVersion") {
                into.insert(key, value);
            }
        }
        if chance.percent(40) {
            let mut text = String::new();
            fields::some(chance, &mut text, files, "input/");
            if let Ok(Value::Object(more)) = object::yaml::decode(text.as_bytes()) {
                into.extend(more);
            }
        }
        files.add("input/kustomization.yaml", object::yaml::encode(&Value::Object(into)));
    }
    Ok(())
}

/// A base with resources, maybe components, and overlays over them.
fn layers(chance: &mut Chance, files: &mut Files) {
    let base = objects::some(chance);
    files.add("base/resources.yaml", base);
    let mut text = "resources:\n- resources.yaml\n".to_owned();
    fields::some(chance, &mut text, files, "base/");
    files.add("base/kustomization.yaml", text);
    let mut bases = vec!["../base"];
    if chance.percent(25) {
        let mut text = "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n".to_owned();
        fields::some(chance, &mut text, files, "component/");
        files.add("component/kustomization.yaml", text);
    }
    if chance.percent(30) {
        files.add("other/resources.yaml", objects::some(chance));
        let mut text = "resources:\n- resources.yaml\nnameSuffix: -other\n".to_owned();
        if chance.percent(50) {
            text = "resources:\n- ../base\nnameSuffix: -other\n".to_owned();
        }
        files.add("other/kustomization.yaml", text);
        bases.push("../other");
    }
    let mut text = String::from("resources:\n");
    for base in &bases {
        text.push_str(&format!("- {base}\n"));
    }
    if files.0.contains_key("component/kustomization.yaml") {
        text.push_str("components:\n- ../component\n");
    }
    fields::some(chance, &mut text, files, "input/");
    files.add("input/kustomization.yaml", text);
}

pub(crate) fn ours(input: &Input) -> Result<String, String> {
    let tree = input.files.tree().map_err(|error| error.to_string())?;
    renderers::kustomize(&tree, "input", &input.arguments)
}

pub(crate) fn theirs(tools: &mut Tools, input: &Input) -> Result<Result<String, String>> {
    let mut arguments = vec!["build", "input"];
    arguments.extend(input.arguments.iter().map(String::as_str));
    tools.run(&input.files, &arguments)
}
