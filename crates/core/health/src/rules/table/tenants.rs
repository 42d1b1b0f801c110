//! Capsule: tenants, and what belongs to them.

use super::{IS_READY, NOT_READY};
use crate::custom::policies;
use crate::rules::{Rule, Step, When, kinds, on, progressing, suspended};
use api::codes::HealthStatusCode::Suspended;

const GROUP: &str = "capsule.clastix.io";
const UNTOLD: Step = Step::If(When::Absent("status.conditions"), progressing("Waiting for status"));
const STALE: Step = Step::If(When::Stale, progressing("Waiting for reconciliation (generation mismatch)"));
const READY: Step = Step::First(&[NOT_READY, IS_READY]);

const fn capsule(kind: &'static [&'static str], steps: &'static [Step]) -> Rule {
    kinds(GROUP, kind, steps, progressing("Waiting for Ready condition"))
}

pub(super) const RULES: &[Rule] = &[
    capsule(
        &[
            "CapsuleConfiguration",
            "CustomQuota",
            "GlobalCustomQuota",
            "GlobalProxySettings",
            "ProxySetting",
            "TenantOwner",
        ],
        &[UNTOLD, STALE, READY],
    ),
    capsule(
        &["GlobalTenantResource", "TenantResource"],
        &[
            Step::If(When::Truthy("spec.cordoned"), suspended("Replication is cordoned")),
            UNTOLD,
            STALE,
            READY,
        ],
    ),
    capsule(&["ResourcePool"], &[UNTOLD, STALE, Step::Native(policies::exhausted_pool), READY]),
    capsule(
        &["ResourcePoolClaim"],
        &[UNTOLD, STALE, Step::First(&[on(&["Bound"], &["False"], Suspended)]), READY],
    ),
    capsule(&["Tenant"], &[UNTOLD, STALE, Step::First(&[on(&["Cordoned"], &["True"], Suspended)]), READY]),
];
