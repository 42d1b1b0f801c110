//! Chart repositories over HTTP(S). Knows nothing of what is in a chart.

mod error;
mod index;
mod repositories;

pub use error::ChartError;
pub use index::{Index, Listed};
pub use repositories::{Freshness, Options, Place, Repositories, Repository};
