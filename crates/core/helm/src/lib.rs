//! Helm charts to manifests, as `helm template` makes them: a chart is read through a [`source_tree::Tree`], its
//! values are merged, its templates are executed, the result is sorted. Nothing is fetched: a dependency that is
//! not in `charts/` is an error that lists it.
//!
//! Knows nothing of Applications, repositories or clusters; what those know comes in [`Options`].

mod chart;
mod error;
mod load;
mod options;
mod render;

mod coalesce;
mod dependencies;
mod ignore;
mod lock;
mod manifests;
mod metadata;
mod objects;
mod packed;
mod schema;
mod strvals;
mod values_type;

pub use chart::{Chart, File};
pub use error::{Error, MissingDependency};
pub use load::{load, load_archive};
pub use manifests::Manifest;
pub use metadata::{Dependency, Maintainer, Metadata};
pub use options::{Options, Release, ValuesFile, default_api_versions};
pub use render::Rendered;
pub use strvals::{parse_into, parse_json_into, parse_string_into};
