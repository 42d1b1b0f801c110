//! Generators and transformers given as objects: the built-in kinds, configured by their fields.

use crate::Options;
use crate::builtin;
use crate::config::field_spec;
use crate::error::{Error, Result, Within as _};
use crate::field_spec::FieldSpecs;
use crate::fields::{Fields, Strictness};
use crate::generate::Generated;
use crate::helm::ChartGenerator;
use crate::kustomization::{self, GeneratorArgs, HelmGlobals};
use crate::loader::Loader;
use crate::node::{Kind, Node};
use crate::resource::Resource;
use crate::transform::{
    ImageTransformer, JsonPatchTransformer, LabelTransformer, NameTransformer, NamespaceTransformer,
    PatchTransformer, ReplacementTransformer, ReplicaTransformer, StrategicMergeTransformer, Subjects,
    Transformer, ValueAddTransformer, ValueTarget,
};
use serde_json::Value;

/// What makes resources.
#[derive(Debug)]
pub(crate) enum Generator {
    Data(Generated, Box<GeneratorArgs>),
    Chart(Box<ChartGenerator>),
    Made(Vec<Resource>),
}

const LENIENT: Strictness = Strictness::Lenient;

fn builtin_value(config: &Resource) -> Result<Value> {
    if config.api_version() != "builtin" {
        return Err(Error::unsupported(format!(
            "external plugins disabled; unable to load external plugin '{}'",
            config.kind()
        )));
    }
    config.node.to_value()
}

fn failing(config: &Resource) -> impl Fn() -> String {
    let name = format!("plugin {} {} fails configuration", config.kind(), config.name());
    move || name.clone()
}

/// The generator an object configures.
pub(crate) fn generator(config: &Resource, loader: &Loader<'_>, options: &Options) -> Result<Generator> {
    let value = builtin_value(config)?;
    read_generator(config.kind(), &value, loader, options).within(failing(config))
}

fn read_generator(kind: &str, value: &Value, loader: &Loader<'_>, options: &Options) -> Result<Generator> {
    let mut fields = Fields::new("Generator", value, LENIENT)?;
    match kind {
        "ConfigMapGenerator" | "SecretGenerator" => {
            let mut args = kustomization::generator_args(&mut fields)?;
            let of_type = fields.text("type")?;
            let metadata = fields.take("metadata").unwrap_or(&Value::Null);
            let mut metadata = Fields::new("ObjectMeta", metadata, LENIENT)?;
            let (name, namespace) = (metadata.text("name")?, metadata.text("namespace")?);
            if args.name.is_empty() {
                args.name = name;
            }
            if args.namespace.is_empty() {
                args.namespace = namespace;
            }
            if kind == "SecretGenerator" {
                args.secret_type = of_type;
                return Ok(Generator::Data(Generated::Secret, Box::new(args)));
            }
            Ok(Generator::Data(Generated::ConfigMap, Box::new(args)))
        }
        "HelmChartInflationGenerator" => {
            let chart = kustomization::helm_chart_fields(&mut fields)?;
            let globals = HelmGlobals {
                chart_home: fields.text("chartHome")?,
                config_home: fields.text("configHome")?,
            };
            ChartGenerator::new(chart, globals, loader, options)
                .map(|chart| Generator::Chart(Box::new(chart)))
        }
        "IAMPolicyGenerator" => iam_policy(&mut fields).map(|made| Generator::Made(vec![made])),
        other => {
            let known = matches!(other, "HashTransformer" | "PrefixTransformer" | "LabelTransformer");
            let problem = if known { "plugin is not a generator" } else { "unable to load builtin" };
            Err(Error::invalid(format!("{problem}: {other}")))
        }
    }
}

fn iam_policy(fields: &mut Fields<'_>) -> Result<Resource> {
    let cloud = fields.text("cloud")?;
    if cloud != "gke" {
        return Err(Error::invalid(format!("cloud provider {cloud} not supported yet")));
    }
    let part = |fields: &mut Fields<'_>, name: &str, first: &str, second: &str| -> Result<(String, String)> {
        let value = fields.take(name).unwrap_or(&Value::Null);
        let mut part = Fields::new("IAMPolicyGeneratorArgs", value, LENIENT)?;
        Ok((part.text(first)?, part.text(second)?))
    };
    let (name, namespace) = part(fields, "kubernetesService", "name", "namespace")?;
    let (account, project) = part(fields, "serviceAccount", "name", "projectId")?;
    let mut node = Node::mapping();
    node.set_field("apiVersion", Node::string("v1"))?;
    node.set_field("kind", Node::string("ServiceAccount"))?;
    if let Some(annotations) = node.lookup_create(&["metadata", "annotations"], Kind::Mapping)? {
        let text = format!("{account}@{project}.iam.gserviceaccount.com");
        annotations.set_field("iam.gke.io/gcp-service-account", Node::string(text))?;
    }
    let mut resource = Resource::new(node);
    resource.set_name(&name)?;
    resource.set_namespace(&namespace)?;
    Ok(resource)
}

/// The transformer an object configures.
pub(crate) fn transformer(config: &Resource, loader: &Loader<'_>) -> Result<Transformer> {
    let value = builtin_value(config)?;
    let mut fields = Fields::new("Transformer", &value, LENIENT)?;
    read_transformer(config.kind(), &mut fields, loader).within(failing(config))
}

fn specs(fields: &mut Fields<'_>) -> Result<FieldSpecs> {
    fields.list("fieldSpecs", field_spec)
}

fn read_transformer(kind: &str, fields: &mut Fields<'_>, loader: &Loader<'_>) -> Result<Transformer> {
    Ok(match kind {
        "PrefixTransformer" | "SuffixTransformer" | "PrefixSuffixTransformer" => names(kind, fields)?,
        "LabelTransformer" | "AnnotationsTransformer" => {
            let name = if kind == "LabelTransformer" { "labels" } else { "annotations" };
            Transformer::Labels(LabelTransformer { pairs: fields.map(name)?, field_specs: specs(fields)? })
        }
        "NamespaceTransformer" => {
            let metadata = fields.take("metadata").unwrap_or(&Value::Null);
            Transformer::Namespace(NamespaceTransformer {
                namespace: Fields::new("ObjectMeta", metadata, LENIENT)?.text("namespace")?,
                field_specs: specs(fields)?,
                unset_only: fields.flag("unsetOnly")?,
                subjects: Subjects::parse(&fields.text("setRoleBindingSubjects")?)?,
            })
        }
        "ImageTagTransformer" => {
            let image = fields.optional("imageTag", kustomization::image)?.unwrap_or_default();
            Transformer::Images(ImageTransformer::new(image, specs(fields)?))
        }
        "ReplicaCountTransformer" => Transformer::Replicas(ReplicaTransformer {
            replica: fields.optional("replica", kustomization::replica)?.unwrap_or_default(),
            field_specs: specs(fields)?,
        }),
        "PatchTransformer" => {
            let patch = kustomization::Patch {
                path: fields.text("path")?,
                patch: fields.text("patch")?,
                target: fields.optional("target", kustomization::selector)?,
                ..options(fields)?
            };
            Transformer::Patch(PatchTransformer::new(&patch, loader)?)
        }
        "PatchJson6902Transformer" => {
            let patch = kustomization::Patch {
                path: fields.text("path")?,
                patch: fields.text("jsonOp")?,
                target: fields.optional("target", kustomization::selector)?,
                ..kustomization::Patch::default()
            };
            Transformer::JsonPatch(JsonPatchTransformer::new(&patch, loader)?)
        }
        "PatchStrategicMergeTransformer" => Transformer::StrategicMerge(StrategicMergeTransformer::new(
            &fields.texts("paths")?,
            &fields.text("patches")?,
            loader,
        )?),
        "ReplacementTransformer" => {
            let entries = fields.list("replacements", kustomization::replacement_field)?;
            let replacements = builtin::replacements(&entries, loader)?;
            Transformer::Replacements(ReplacementTransformer { replacements })
        }
        "ValueAddTransformer" => value_add(fields, loader)?,
        "HashTransformer" => Transformer::Hash,
        "ConfigMapGenerator" | "SecretGenerator" | "HelmChartInflationGenerator" | "IAMPolicyGenerator" => {
            return Err(Error::invalid(format!("plugin {kind} not a transformer")));
        }
        other => return Err(Error::invalid(format!("unable to load builtin {other}"))),
    })
}

fn options(fields: &mut Fields<'_>) -> Result<kustomization::Patch> {
    let mut patch = kustomization::Patch::default();
    if let Some(options) = fields.take("options") {
        let mut options = Fields::new("PatchArgs", options, LENIENT)?;
        patch.allow_name_change = options.flag("allowNameChange")?;
        patch.allow_kind_change = options.flag("allowKindChange")?;
    }
    Ok(patch)
}

fn names(kind: &str, fields: &mut Fields<'_>) -> Result<Transformer> {
    let Some(field_specs) = fields.optional_list("fieldSpecs", field_spec)? else {
        return Err(Error::invalid("fieldSpecs is not expected to be nil"));
    };
    let (prefix, suffix) = (fields.text("prefix")?, fields.text("suffix")?);
    let of = |prefix: &str, suffix: &str| {
        Transformer::Name(NameTransformer {
            prefix: prefix.to_owned(),
            suffix: suffix.to_owned(),
            field_specs: field_specs.clone(),
        })
    };
    Ok(match kind {
        "PrefixTransformer" => of(&prefix, ""),
        "SuffixTransformer" => of("", &suffix),
        _ => Transformer::Several(vec![of(&prefix, ""), of("", &suffix)]),
    })
}

fn value_add(fields: &mut Fields<'_>, loader: &Loader<'_>) -> Result<Transformer> {
    let target = |value: &Value, strictness: Strictness| -> Result<ValueTarget> {
        let mut fields = Fields::new("Target", value, strictness)?;
        let target = ValueTarget {
            selector: fields.optional("selector", kustomization::selector)?,
            field_path: fields.text("fieldPath")?,
            path_position: fields.integer("filePathPosition")?,
        };
        if target.field_path.is_empty() {
            return Err(Error::invalid("fieldPath cannot be empty"));
        }
        if target.path_position < 0 {
            return Err(Error::invalid(format!(
                "value of FilePathPosition ({}) cannot be negative",
                target.path_position
            )));
        }
        Ok(target)
    };
    let mut value = fields.text("value")?.trim().to_owned();
    if value.is_empty() {
        value = loader.root().file_name().unwrap_or_default().to_owned();
    }
    let mut targets = fields.list("targets", target)?;
    let path = fields.text("targetFilePath")?;
    if !path.is_empty() {
        let more = object::yaml::decode(&loader.load(&path)?)
            .map_err(|error| Error::invalid(format!("{path}: {error}")))?;
        targets.extend(Fields::new("ValueAddTransformer", &more, LENIENT)?.list("targets", target)?);
    }
    if targets.is_empty() {
        return Err(Error::invalid("must specify at least one target"));
    }
    Ok(Transformer::ValueAdd(ValueAddTransformer { value, targets }))
}
