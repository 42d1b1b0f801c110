//! The kinds. A message is the one users of Argo CD know.

mod argo;
mod backups;
mod clusters;
mod data_stores;
mod flux;
mod messaging;
mod networking;
mod observability;
mod secrets;
mod tenants;
mod virtualization;
mod workloads;

use super::{Case, Rule, Step, on};
use api::codes::HealthStatusCode::{Degraded, Healthy, Progressing};

pub(super) fn rules() -> impl Iterator<Item = &'static Rule> {
    let tables = [
        argo::RULES,
        backups::RULES,
        clusters::RULES,
        data_stores::RULES,
        flux::RULES,
        messaging::RULES,
        networking::RULES,
        observability::RULES,
        secrets::RULES,
        tenants::RULES,
        virtualization::RULES,
        workloads::RULES,
    ];
    tables.into_iter().flatten()
}

const NOT_READY: Case = on(&["Ready"], &["False"], Degraded);
const IS_READY: Case = on(&["Ready"], &["True"], Healthy);
const PERHAPS_READY: Case = on(&["Ready"], &["Unknown"], Progressing);

/// `Ready` says it all, in its own words.
const READY: &[Step] = &[Step::First(&[NOT_READY, IS_READY])];
