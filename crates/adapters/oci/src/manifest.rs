//! Manifests, and which of their layers holds the content.

use crate::OciError;
use serde::Deserialize;
use std::collections::BTreeMap;

/// Types of layers that may hold content, where nobody says otherwise.
pub const LAYERS: [&str; 3] =
    ["application/vnd.oci.image.layer.v1.tar", "application/vnd.oci.image.layer.v1.tar+gzip", CHART_LAYER];

/// The type of a layer that is a chart, packed.
pub const CHART_LAYER: &str = "application/vnd.cncf.helm.chart.content.v1.tar+gzip";

/// The type of a chart's configuration.
const CHART_CONFIG: &str = "application/vnd.cncf.helm.config.v1+json";

/// More layers are refused before any is looked at.
const MOST_LAYERS: usize = 10;

/// What is asked for where a manifest lies.
pub(crate) const ACCEPTED: &str = "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json, application/vnd.oci.image.index.v1+json, application/vnd.docker.distribution.manifest.list.v2+json, */*";

/// A blob that a manifest names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Descriptor {
    /// What it is.
    pub media_type: String,
    /// Its digest.
    pub digest: String,
    /// Its size in bytes.
    pub size: u64,
}

impl Descriptor {
    /// Whether it is packed with gzip.
    pub fn packed(&self) -> bool {
        self.media_type.ends_with("tar+gzip") || self.media_type.ends_with("tar.gzip")
    }

    /// Whether it is a chart.
    pub fn chart(&self) -> bool {
        self.media_type == CHART_LAYER
    }

    fn content(&self) -> bool {
        self.packed() || self.media_type.ends_with("tar")
    }
}

/// A manifest, as far as it is needed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Manifest {
    /// What it is.
    pub media_type: String,
    /// What the artifact is, where it says so.
    pub artifact_type: String,
    /// Its configuration, whose type says that it is a chart.
    #[serde(deserialize_with = "or_none")]
    pub config: Descriptor,
    /// Its layers.
    #[serde(deserialize_with = "or_none")]
    pub layers: Vec<Descriptor>,
    /// What it says of itself.
    #[serde(deserialize_with = "or_none")]
    pub annotations: BTreeMap<String, String>,
}

/// Go writes an empty list as `null`.
fn or_none<'de, D: serde::Deserializer<'de>, T: Deserialize<'de> + Default>(from: D) -> Result<T, D::Error> {
    Option::<T>::deserialize(from).map(Option::unwrap_or_default)
}

impl Manifest {
    /// The layer that holds the content: there must be one, of a type that is allowed. Others (signatures,
    /// attestations) are passed over, and of a chart whatever is not the chart.
    pub fn content(&self, allowed: &[String]) -> Result<&Descriptor, OciError> {
        let refused = |text: String| Err(OciError::Layers(text));
        if self.layers.len() > MOST_LAYERS {
            return refused(format!(
                "expected no more than {MOST_LAYERS} oci layers, got {}",
                self.layers.len()
            ));
        }
        let chart = self.config.media_type == CHART_CONFIG;
        let holds = |layer: &&Descriptor| if chart { layer.chart() } else { layer.content() };
        let content: Vec<&Descriptor> = self.layers.iter().filter(holds).collect();
        if let Some(other) = content.iter().find(|layer| !allowed.contains(&layer.media_type)) {
            let media_type = &other.media_type;
            return refused(format!(
                "oci layer media type {media_type} is not in the list of allowed media types"
            ));
        }
        match content.as_slice() {
            [only] => Ok(only),
            several => refused(format!("expected only a single oci content layer, got {}", several.len())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(types: &[&str]) -> Manifest {
        let layer =
            |media_type: &&str| Descriptor { media_type: (*media_type).to_owned(), ..Descriptor::default() };
        Manifest { layers: types.iter().map(layer).collect(), ..Manifest::default() }
    }

    #[test]
    fn one_layer_holds_the_content() {
        let allowed = LAYERS.map(str::to_owned);
        let of = |types: &[&str]| {
            manifest(types)
                .content(&allowed)
                .map(|layer| layer.media_type.clone())
                .map_err(|error| error.to_string())
        };
        assert_eq!(of(&[LAYERS[1]]).unwrap(), LAYERS[1]);
        assert_eq!(
            of(&[CHART_LAYER, "application/vnd.cncf.helm.chart.provenance.v1.prov"]).unwrap(),
            CHART_LAYER
        );
        assert_eq!(
            of(&[LAYERS[0], LAYERS[0]]).unwrap_err(),
            "expected only a single oci content layer, got 2"
        );
        assert_eq!(of(&[]).unwrap_err(), "expected only a single oci content layer, got 0");
        assert_eq!(
            of(&["application/x.tar"]).unwrap_err(),
            "oci layer media type application/x.tar is not in the list of allowed media types"
        );
        // One that is packed by its other name is content, too, for whoever allows it.
        assert!(Descriptor { media_type: "application/x.tar.gzip".into(), ..Descriptor::default() }.packed());
        assert_eq!(
            of(&[LAYERS[0], "application/x.tar.gzip"]).unwrap_err(),
            "oci layer media type application/x.tar.gzip is not in the list of allowed media types"
        );
        let named = manifest(&["application/x.tar.gzip"]);
        assert_eq!(named.content(&["application/x.tar.gzip".to_owned()]).unwrap(), &named.layers[0]);
        let mut packed = manifest(&[CHART_LAYER, LAYERS[0]]);
        assert!(packed.content(&allowed).is_err());
        packed.config.media_type = CHART_CONFIG.to_owned();
        assert_eq!(packed.content(&allowed).unwrap(), &packed.layers[0]);
        assert_eq!(of(&["text/plain"; 11]).unwrap_err(), "expected no more than 10 oci layers, got 11");
    }

    #[test]
    fn what_is_missing_or_null_is_empty() {
        let read: Manifest =
            serde_json::from_str("{\"layers\":null,\"annotations\":null,\"config\":{}}").unwrap();
        assert_eq!(read, Manifest::default());
    }
}
