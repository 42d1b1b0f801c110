//! Where the transformers write: the built-in field specifications, those of `configurations`, those of `crds`.

use crate::error::{Error, Result, Within as _};
use crate::field_spec::{FieldSpec, FieldSpecs, merge_all, merge_one};
use crate::fields::{Fields, Strictness};
use crate::id::Gvk;
use serde_json::Value;
use std::sync::{Arc, LazyLock};

/// A section per line without indentation, a field per line with one: path, `Kind.version[.group]`, perhaps `create`.
const DEFAULTS: &str = include_str!("default_fields.txt");

static DEFAULT: LazyLock<Arc<TransformerConfig>> = LazyLock::new(|| {
    let mut config = TransformerConfig::default();
    config.read_defaults();
    config.sort();
    Arc::new(config)
});

/// Which fields name objects of a kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NameReference {
    pub(crate) target: Gvk,
    pub(crate) referrers: FieldSpecs,
}

/// All field specifications of one kustomization.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct TransformerConfig {
    pub(crate) name_prefix: FieldSpecs,
    pub(crate) name_suffix: FieldSpecs,
    pub(crate) namespace: FieldSpecs,
    pub(crate) common_labels: FieldSpecs,
    pub(crate) labels: FieldSpecs,
    pub(crate) template_labels: FieldSpecs,
    pub(crate) common_annotations: FieldSpecs,
    pub(crate) name_references: Vec<NameReference>,
    pub(crate) var_references: FieldSpecs,
    pub(crate) images: FieldSpecs,
    pub(crate) replicas: FieldSpecs,
}

/// The built-in specifications.
pub(crate) fn default_config() -> Arc<TransformerConfig> {
    Arc::clone(&DEFAULT)
}

impl TransformerConfig {
    fn read_defaults(&mut self) {
        let mut section = "";
        for line in DEFAULTS.lines() {
            let Some(line) = line.strip_prefix("  ") else {
                section = line;
                if let Some(target) = line.strip_prefix("nameReference ") {
                    self.name_references.push(NameReference { target: gvk(target), referrers: Vec::new() });
                }
                continue;
            };
            let mut words = line.split(' ');
            let path = words.next().unwrap_or_default();
            let spec =
                FieldSpec::new(words.next().map(gvk).unwrap_or_default(), path, words.next().is_some());
            match self.section(section) {
                Some(specs) => specs.push(spec),
                None => self
                    .name_references
                    .last_mut()
                    .into_iter()
                    .for_each(|last| last.referrers.push(spec.clone())),
            }
        }
    }

    fn section(&mut self, name: &str) -> Option<&mut FieldSpecs> {
        Some(match name {
            "namePrefix" => &mut self.name_prefix,
            "nameSuffix" => &mut self.name_suffix,
            "namespace" => &mut self.namespace,
            "commonLabels" => &mut self.common_labels,
            "labels" => &mut self.labels,
            "templateLabels" => &mut self.template_labels,
            "commonAnnotations" => &mut self.common_annotations,
            "varReference" => &mut self.var_references,
            "images" => &mut self.images,
            "replicas" => &mut self.replicas,
            _ => return None,
        })
    }

    fn sort(&mut self) {
        for name in SECTIONS {
            if let Some(specs) = self.section(name) {
                specs.sort_by(|left, right| left.gvk.borrowed().order(right.gvk.borrowed()));
            }
        }
        self.name_references.sort_by(|left, right| left.target.borrowed().order(right.target.borrowed()));
    }

    /// Reads a file of `configurations`.
    pub(crate) fn read(value: &Value) -> Result<Self> {
        let mut config = Self::default();
        let mut fields = Fields::new("TransformerConfig", value, Strictness::Strict)?;
        for name in SECTIONS {
            let specs = fields.list(name, field_spec)?;
            if let Some(section) = config.section(name) {
                *section = specs;
            }
        }
        config.name_references = fields.list("nameReference", |value, strictness| {
            let mut fields = Fields::new("NameBackReferences", value, strictness)?;
            let target = read_gvk(&mut fields)?;
            let referrers = fields.list("fieldSpecs", field_spec)?;
            fields.finish()?;
            Ok(NameReference { target, referrers })
        })?;
        fields.finish()?;
        config.sort();
        Ok(config)
    }

    /// Both together, sorted.
    pub(crate) fn merge(self: &Arc<Self>, other: &Arc<Self>) -> Result<Arc<Self>> {
        if Arc::ptr_eq(self, other) || **other == Self::default() {
            return Ok(Arc::clone(self));
        }
        // Merging into nothing is no copy: a specification for all kinds yields to one for some with the same path. The
        // built-in ones have none of these.
        if **self == Self::default() && Arc::ptr_eq(other, &DEFAULT) {
            return Ok(Arc::clone(other));
        }
        let mut merged = Self::clone(self);
        let mut incoming = Self::clone(other);
        for name in SECTIONS {
            if let (Some(into), Some(from)) = (merged.section(name), incoming.section(name)) {
                merge_all(into, from).within(|| format!("failed to merge {name} fieldSpec"))?;
            }
        }
        for reference in incoming.name_references {
            merged.add_name_reference(reference)?;
        }
        merged.sort();
        Ok(Arc::new(merged))
    }

    fn add_name_reference(&mut self, reference: NameReference) -> Result<()> {
        let mut found = false;
        for known in self.name_references.iter_mut().filter(|known| known.target == reference.target) {
            merge_all(&mut known.referrers, &reference.referrers)
                .within(|| "failed to merge NameReference fieldSpec".to_owned())?;
            found = true;
        }
        if !found {
            self.name_references.push(reference);
        }
        Ok(())
    }

    /// What a file of `crds` says about labels, annotations, names and references.
    pub(crate) fn read_crds(value: &Value, path: &str) -> Result<Self> {
        let mut config = Self::default();
        let Some(definitions) = value.as_object() else {
            return Err(Error::invalid(format!(
                "unable to parse open API definition from '{path}': not an object"
            )));
        };
        let schema = |name: &str| -> Result<Option<&Value>> {
            match definitions.get(name) {
                None => Ok(None),
                Some(definition @ Value::Object(_)) => {
                    Ok(definition.get("Schema").or_else(|| definition.get("schema")))
                }
                Some(_) => Err(Error::invalid(format!(
                    "unable to parse open API definition from '{path}': {name} is not an object"
                ))),
            }
        };
        let mut names: Vec<&String> = definitions.keys().collect();
        names.sort();
        for name in names {
            let properties = schema(name)?.and_then(|schema| schema.get("properties"));
            let is_kind = ["kind", "apiVersion", "metadata"]
                .iter()
                .all(|field| properties.is_some_and(|properties| properties.get(field).is_some()));
            if is_kind {
                let kind = Gvk::of_kind(name.rsplit('.').next().unwrap_or_default());
                config.read_crd(&kind, &schema, name, &mut Vec::new())?;
            }
        }
        Ok(config)
    }

    fn read_crd<'a>(
        &mut self,
        kind: &Gvk,
        schema: &dyn Fn(&str) -> Result<Option<&'a Value>>,
        name: &str,
        path: &mut Vec<String>,
    ) -> Result<()> {
        const DEEPEST: usize = 64;
        if path.len() > DEEPEST {
            return Err(Error::limit(format!(
                "crds: {name} is nested deeper than the limit of {DEEPEST} levels"
            )));
        }
        let Some(properties) =
            schema(name)?.and_then(|schema| schema.get("properties")).and_then(Value::as_object)
        else {
            return Ok(());
        };
        for (field, property) in properties {
            path.push(field.clone());
            let spec = |path: &[String]| FieldSpec::new(kind.clone(), path.join("/"), false);
            let extension = |name: &str| property.get(name).and_then(Value::as_str);
            if extension("x-kubernetes-annotation").is_some() {
                merge_one(&mut self.common_annotations, spec(path))?;
            }
            if extension("x-kubernetes-label-selector").is_some() {
                merge_one(&mut self.common_labels, spec(path))?;
            }
            if extension("x-kubernetes-identity").is_some() {
                merge_one(&mut self.name_prefix, spec(path))?;
            }
            if let (Some(version), Some(target)) =
                (extension("x-kubernetes-object-ref-api-version"), extension("x-kubernetes-object-ref-kind"))
            {
                let key = extension("x-kubernetes-object-ref-name-key").unwrap_or("name");
                let target = Gvk { version: version.to_owned(), ..Gvk::of_kind(target) };
                let referrer = FieldSpec::new(kind.clone(), format!("{}/{key}", path.join("/")), false);
                self.add_name_reference(NameReference { target, referrers: vec![referrer] })?;
            }
            if let Some(reference) = property.get("$ref").and_then(Value::as_str) {
                self.read_crd(kind, schema, reference, path)?;
            }
            path.pop();
        }
        Ok(())
    }
}

const SECTIONS: [&str; 10] = [
    "namePrefix",
    "nameSuffix",
    "namespace",
    "commonLabels",
    "labels",
    "templateLabels",
    "commonAnnotations",
    "varReference",
    "images",
    "replicas",
];

/// `Kind.version.group`, `-` for nothing.
fn gvk(text: &str) -> Gvk {
    let mut words = text.splitn(3, '.').map(|word| if word == "-" { "" } else { word });
    let kind = words.next().unwrap_or_default().to_owned();
    let version = words.next().unwrap_or_default().to_owned();
    Gvk { group: words.next().unwrap_or_default().to_owned(), version, kind }
}

pub(crate) fn read_gvk(fields: &mut Fields<'_>) -> Result<Gvk> {
    Ok(Gvk { group: fields.text("group")?, version: fields.text("version")?, kind: fields.text("kind")? })
}

/// One entry of a list of field specifications.
pub(crate) fn field_spec(value: &Value, strictness: Strictness) -> Result<FieldSpec> {
    let mut fields = Fields::new("FieldSpec", value, strictness)?;
    let gvk = read_gvk(&mut fields)?;
    let spec = FieldSpec::new(gvk, fields.text("path")?, fields.flag("create")?);
    fields.finish()?;
    Ok(spec)
}
