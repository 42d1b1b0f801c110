//! Flux: conditions are counted.

use crate::rules::{Judge, Rule, Step, Tally, When, healthy};
use api::codes::HealthStatusCode::{Degraded, Progressing};

const PLAIN: Tally =
    Tally { suspends: true, working: "Unknown", reasons: &[], also_good: &[], good: 1, busy: Progressing };

const SOURCE: Tally = Tally { also_good: &["ArtifactInStorage"], good: 2, ..PLAIN };

const fn tally(group: &'static str, kinds: &'static [&'static str], tally: Tally) -> Rule {
    Rule { group, kinds, judge: Judge::Tally(tally) }
}

pub(super) const RULES: &[Rule] = &[
    tally("kustomize.toolkit.fluxcd.io", &["Kustomization"], PLAIN),
    tally(
        "helm.toolkit.fluxcd.io",
        &["HelmRelease"],
        Tally { also_good: &["Released", "TestSuccess"], good: 2, ..PLAIN },
    ),
    tally("image.toolkit.fluxcd.io", &["ImageUpdateAutomation"], PLAIN),
    tally(
        "image.toolkit.fluxcd.io",
        &["ImageRepository"],
        Tally { working: "False", reasons: &["NewGeneration", "Scanning"], ..PLAIN },
    ),
    tally(
        "image.toolkit.fluxcd.io",
        &["ImagePolicy"],
        Tally {
            suspends: false,
            working: "False",
            reasons: &["NewGeneration", "AccessingRepository", "ApplyingPolicy"],
            ..PLAIN
        },
    ),
    tally(
        "notification.toolkit.fluxcd.io",
        &["Receiver"],
        Tally { working: "False", busy: Degraded, ..PLAIN },
    ),
    tally("source.toolkit.fluxcd.io", &["Bucket", "GitRepository", "HelmChart", "OCIRepository"], SOURCE),
    Rule {
        group: "source.toolkit.fluxcd.io",
        kinds: &["HelmRepository"],
        judge: Judge::TallyUnless(
            // Repositories in a registry have no status at all.
            Step::If(
                When::All(&[When::Text("spec.type", &["oci"]), When::Not(&When::Flag("spec.suspend", true))]),
                healthy("Helm repositories of type 'oci' do not contain any information in the status."),
            ),
            SOURCE,
        ),
    },
];
