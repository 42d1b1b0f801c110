//! Random charts: values that meet in every layer, subcharts with conditions, tags, aliases and imports, templates
//! that show all they see.

use super::chance::Chance;
use super::tools::Tools;
use super::{Corpora, Input, trees};
use crate::files::Files;
use crate::ours::HelmCall;
use anyhow::Result;
use serde_json::{Map, Value, json};
use source_tree::TreePath;

const SUBCHARTS: [&str; 3] = ["sub", "other", "lib"];

pub(crate) fn make(chance: &mut Chance, _: &Corpora) -> Result<Input> {
    let mut files = Files::default();
    chart(chance, &mut files, "chart/", "x", 2)?;
    let mut call = HelmCall {
        chart: "chart".into(),
        release: "rel".into(),
        namespace: "ns".into(),
        ..HelmCall::default()
    };
    (*chance.pick(&["1.31.0", "1.25.16", "v1.33"])).clone_into(&mut call.kube_version);
    for number in 0..chance.below(3) {
        let name = format!("values{number}.yaml");
        files.add(&name, layered(chance, 3, true));
        call.values_files.push(name);
    }
    for _ in 0..chance.below(3) {
        call.set.push(setting(chance));
    }
    if chance.percent(20) {
        call.set_string.push(setting(chance));
    }
    call.include_crds = chance.percent(30);
    call.skip_tests = chance.percent(20);
    if chance.percent(20) {
        call.api_versions.push("monitoring.coreos.com/v1".into());
    }
    Ok(Input { files, arguments: call.arguments() })
}

/// Values as YAML; those of a parent know the subcharts.
fn layered(chance: &mut Chance, depth: usize, parent: bool) -> String {
    let mut values = trees::map(chance, depth);
    if parent {
        for name in SUBCHARTS {
            if chance.percent(50) {
                let mut below = trees::map(chance, depth - 1);
                if chance.percent(50) {
                    below.insert("enabled".into(), json!(chance.percent(60)));
                }
                let odd = [Value::Null, json!("text"), json!([1])];
                let below = if chance.percent(8) { chance.pick(&odd).clone() } else { Value::Object(below) };
                values.insert(name.into(), below);
            }
        }
        if chance.percent(40) {
            values.insert("tags".into(), json!({"front": chance.percent(50), "back": chance.percent(50)}));
        }
    }
    if chance.percent(50) {
        values.insert("global".into(), Value::Object(trees::map(chance, depth - 1)));
    }
    if chance.percent(30) {
        values.insert("exports".into(), json!({"data": trees::map(chance, 1), "more": {"a": {"b": 1}}}));
    }
    let mut text = object::yaml::encode(&Value::Object(values));
    if chance.percent(40) {
        // Written as people write, not as a program does.
        text.push_str(&format!(
            "odd:\n  one: {}\n  two: [{}, {}]\n",
            chance.of(&trees::SCALARS),
            chance.of(&trees::SCALARS),
            chance.of(&trees::SCALARS)
        ));
    }
    text
}

fn setting(chance: &mut Chance) -> String {
    let path = chance.of(&[
        "a",
        "b.c",
        "list[0]",
        "list[2].a",
        "sub.a",
        "sub.enabled",
        "global.a",
        "other.global.b",
        "tags.front",
        "c",
        "d.a.b",
        "e\\.f",
        "lib",
        "name",
    ]);
    let value = chance.of(&[
        "1",
        "true",
        "null",
        "",
        "text",
        "{1,2}",
        "{}",
        "1.5",
        "007",
        "a\\,b",
        "\"x\"",
        "{a,null}",
        "1e3",
        "9223372036854775808",
        "false",
        "[]",
        "0",
    ]);
    format!("{path}={value}")
}

fn chart(chance: &mut Chance, files: &mut Files, folder: &str, name: &str, depth: usize) -> Result<()> {
    let mut metadata = json!({"apiVersion": "v2", "name": name, "version": "0.1.0"});
    let version = ["1.2.3", "2", "\"3.0\""][chance.below(3)];
    let kind = if name == "lib" && chance.percent(50) { Some("library") } else { None };
    let members = metadata.as_object_mut().expect("it is written as a map above");
    members.extend(kind.map(|kind| ("type".to_owned(), json!(kind))));
    if chance.percent(15) {
        members.insert("kubeVersion".into(), json!(*chance.pick(&[">=1.20.0-0", "^1.30.0", "1.31.x"])));
    }
    let mut dependencies = Vec::new();
    if depth > 0 {
        for sub in SUBCHARTS {
            if chance.percent(45) {
                chart(chance, files, &format!("{folder}charts/{sub}/"), sub, depth - 1)?;
                if chance.percent(80) {
                    dependencies.push(dependency(chance, sub));
                }
                if chance.percent(15) {
                    let mut twice = dependency(chance, sub);
                    twice["alias"] = json!("twice");
                    dependencies.push(twice);
                }
            }
        }
    }
    if !dependencies.is_empty() {
        members.insert("dependencies".into(), dependencies.into());
    }
    let text = format!("{}appVersion: {version}\n", object::yaml::encode(&metadata));
    files.add(&format!("{folder}Chart.yaml"), text);
    if chance.percent(85) {
        files.add(&format!("{folder}values.yaml"), layered(chance, 3, depth > 0));
    }
    templates(chance, files, folder, name);
    Ok(())
}

fn dependency(chance: &mut Chance, name: &str) -> Value {
    let mut dependency = Map::new();
    dependency.insert("name".into(), json!(name));
    dependency.insert("version".into(), json!(*chance.pick(&["0.1.0", "^0.1", ">=0.0.1", "*", "9.9.9"])));
    if dependency["version"] == "9.9.9" && chance.percent(80) {
        dependency.insert("version".into(), json!("0.1.0"));
    }
    if chance.percent(40) {
        let condition = chance.pick(&[
            "sub.enabled",
            "enabled",
            "other.enabled,sub.enabled",
            "a",
            "nope.enabled",
            "global.enabled",
        ]);
        dependency.insert("condition".into(), json!(*condition));
    }
    if chance.percent(30) {
        dependency.insert("tags".into(), json!(chance.some(&["front", "back", "none"], 60)));
    }
    if chance.percent(35) {
        let imports = [
            json!("data"),
            json!("more"),
            json!("nope"),
            json!({"child": "a", "parent": "b"}),
            json!({"child": "exports.data", "parent": "."}),
            json!({"child": "c", "parent": "d.e"}),
        ];
        dependency.insert("import-values".into(), json!(chance.some(&imports, 40)));
    }
    if chance.percent(15) {
        dependency.insert("alias".into(), json!(*chance.pick(&["renamed", "a", "other"])));
    }
    Value::Object(dependency)
}

fn templates(chance: &mut Chance, files: &mut Files, folder: &str, name: &str) {
    let kinds = [
        "ConfigMap",
        "Service",
        "Deployment",
        "Namespace",
        "Secret",
        "Role",
        "Job",
        "Custom",
        "ServiceAccount",
        "Ingress",
        "CustomResourceDefinition",
    ];
    files.add(
        &format!("{folder}templates/_names.tpl"),
        format!("{{{{ define \"{name}.name\" }}}}{{{{ .Release.Name }}}}-{{{{ .Chart.Name }}}}{{{{ end }}}}\n{{{{ define \"shared\" }}}}{name}{{{{ end }}}}\n"),
    );
    files.add(
        &format!("{folder}templates/all.yaml"),
        format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\nvalues:\n  {{{{- toYaml .Values | nindent 2 }}}}\nchart: {{{{ toJson .Chart }}}}\nshared: {{{{ include \"shared\" . }}}}\nsubcharts: {{{{ keys .Subcharts | sortAlpha | toJson }}}}\ncaps: {{{{ .Capabilities.KubeVersion }}}}\nmonitoring: {{{{ .Capabilities.APIVersions.Has \"monitoring.coreos.com/v1\" }}}}\nbase: {{{{ .Template.BasePath }}}}\n"
        ),
    );
    for number in 0..chance.below(3) {
        let mut text = String::new();
        for part in 0..=chance.below(3) {
            if part > 0 {
                text.push_str(chance.of(&[
                    "---\n",
                    "--- # next\n",
                    "\n---\n\n",
                    "---\n# only a comment\n---\n",
                ]));
            }
            let kind = chance.of(&kinds);
            text.push_str(&format!("apiVersion: v1\nkind: {kind}\nmetadata:\n  name: n{number}-{part}\n"));
            if chance.percent(25) {
                let hook = chance.of(&[
                    "pre-install",
                    "post-install,pre-upgrade",
                    "test",
                    "test-success",
                    "crd-install",
                    "bad-hook",
                    "pre-delete",
                ]);
                text.push_str(&format!(
                    "  annotations:\n    \"helm.sh/hook\": {hook}\n    \"helm.sh/hook-weight\": \"{}\"\n",
                    chance.of(&["1", "-5", "0", "x", "10"])
                ));
            }
            if chance.percent(40) {
                text.push_str(&format!(
                    "spec: {{{{ .Values.{} | {} }}}}\n",
                    chance.of(&["a", "b", "c", "d", "global", "odd", "list"]),
                    chance.of(&[
                        "toJson",
                        "quote",
                        "default \"none\" | toJson",
                        "int",
                        "toString | quote",
                        "kindOf",
                        "toYaml | quote",
                        "typeOf"
                    ])
                ));
            }
        }
        files.add(&format!("{folder}templates/{}{number}.yaml", chance.of(&["", "z", "sub/"])), text);
    }
    if chance.percent(25) {
        files.add(
            &format!("{folder}crds/c.yaml"),
            "apiVersion: v1\nkind: CustomResourceDefinition\nmetadata:\n  name: crd\n",
        );
    }
    if chance.percent(25) {
        files.add(
            &format!("{folder}templates/NOTES.txt"),
            format!("{{{{ .Values.{} }}}}", chance.of(&["a", "b.c", "name"])),
        );
    }
    if chance.percent(20) {
        files.add(
            &format!("{folder}values.schema.json"),
            format!(
                "{{\"type\": \"object\", \"properties\": {{\"a\": {{\"type\": \"{}\"}}}}}}",
                chance.of(&["string", "number", "object", "integer"])
            ),
        );
    }
    if chance.percent(20) {
        files.add(&format!("{folder}files/f.txt"), "one\ntwo\n");
        files.add(
            &format!("{folder}templates/files.yaml"),
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: files}\ndata:\n{{ (.Files.Glob \"files/*\").AsConfig | indent 2 }}\nsecret: {{ (.Files.Glob \"**\").AsSecrets | toJson }}\nlines: {{ .Files.Lines \"files/f.txt\" | toJson }}\nraw: {{ .Files.Get \"nope\" | quote }}\n",
        );
    }
}

pub(crate) fn ours(input: &Input) -> Result<String, String> {
    let call = HelmCall::parse("chart", &input.arguments);
    let mut beneath = Files::default();
    for (path, content) in &input.files.0 {
        if let Some(path) = path.strip_prefix("chart/") {
            beneath.add(path, content.clone());
        }
    }
    let values = call.values_files.iter().map(|name| {
        let content = input.files.0.get(name).ok_or_else(|| format!("open {name}: no such file"))?;
        Ok(String::from_utf8_lossy(content).into_owned())
    });
    let values = values.collect::<Result<Vec<_>, String>>()?;
    let tree = beneath.tree().map_err(|error| error.to_string())?;
    let chart = helm::load(&tree, &TreePath::root()).map_err(|error| error.to_string())?;
    call.render(&chart, &values).map_err(|error| error.to_string())
}

pub(crate) fn theirs(tools: &mut Tools, input: &Input) -> Result<Result<String, String>> {
    let mut arguments = vec!["template", "chart"];
    arguments.extend(input.arguments.iter().map(String::as_str));
    tools.run(&input.files, &arguments)
}
