//! Certificates and secrets.

use super::{IS_READY, NOT_READY, PERHAPS_READY, READY};
use crate::custom::secrets;
use crate::rules::{Rule, Step, When, degraded, healthy, kinds, native, on, progressing};
use api::codes::HealthStatusCode::{Degraded, Healthy, Progressing};

const STATE: &str = "status.state";

pub(super) const RULES: &[Rule] = &[
    kinds(
        "cert-manager.io",
        &["Certificate"],
        // Asked first: a certificate that is being issued again is Ready or not, whatever came first.
        &[Step::First(&[on(&["Issuing"], &["True"], Progressing)]), Step::First(&[NOT_READY, IS_READY])],
        progressing("Waiting for certificate"),
    ),
    kinds("cert-manager.io", &["Issuer"], READY, progressing("Initializing issuer")),
    kinds("cert-manager.io", &["ClusterIssuer"], READY, progressing("Initializing ClusterIssuer")),
    kinds(
        "cert-manager.io",
        &["CertificateRequest"],
        &[
            Step::First(&[on(&["Denied", "InvalidRequest"], &["True"], Degraded)]),
            Step::First(&[
                IS_READY,
                on(&["Ready"], &[], Progressing).other_status(&["True"]).reason(&["Pending"]),
                on(&["Ready"], &[], Degraded).other_status(&["True"]),
            ]),
        ],
        progressing("Waiting for certificate request"),
    ),
    kinds("certmanager.k8s.io", &["Certificate"], READY, progressing("Waiting for certificate")),
    kinds("certmanager.k8s.io", &["Issuer"], READY, progressing("Initializing issuer")),
    kinds(
        "acme.cert-manager.io",
        &["Challenge"],
        &[
            Step::If(
                When::Any(&[When::Absent(STATE), When::Text(STATE, &[""])]),
                progressing("Waiting for challenge"),
            ),
            Step::If(When::Text(STATE, &["valid"]), healthy("Challenge is valid")),
            Step::If(
                When::All(&[
                    When::Text(STATE, &["invalid", "expired", "errored"]),
                    When::Absent("status.reason"),
                ]),
                degraded("Challenge is {.status.state}"),
            ),
            Step::If(When::Text(STATE, &["invalid", "expired", "errored"]), degraded("{.status.reason}")),
            Step::If(When::Present("status.reason"), progressing("{.status.reason}")),
        ],
        progressing("Challenge is {.status.state}"),
    ),
    kinds(
        "acme.cert-manager.io",
        &["Order"],
        &[
            Step::If(
                When::Any(&[When::Absent(STATE), When::Text(STATE, &[""])]),
                progressing("Waiting for order"),
            ),
            Step::If(When::Text(STATE, &["valid"]), healthy("Order is valid")),
            Step::If(
                When::All(&[
                    When::Text(STATE, &["invalid", "expired", "errored"]),
                    When::Absent("status.reason"),
                ]),
                degraded("Order is {.status.state}"),
            ),
            Step::If(When::Text(STATE, &["invalid", "expired", "errored"]), degraded("{.status.reason}")),
        ],
        progressing("Order is {.status.state}"),
    ),
    kinds(
        "trust.cert-manager.io",
        &["Bundle"],
        &[Step::First(&[
            on(&["Synced"], &["True"], Healthy).says("{message|Bundle is synced}"),
            on(&["Synced"], &[], Degraded)
                .other_status(&["True"])
                .says("{message|reason|Bundle is not synced}"),
        ])],
        progressing("Waiting for Bundle to be synced"),
    ),
    kinds(
        "networking.gke.io",
        &["ManagedCertificate"],
        &[
            Step::FirstOf(
                "status.domainStatus",
                &[on(&[""], &["FailedNotVisible"], Degraded)
                    .says("At least one certificate has failed to be provisioned")],
            ),
            Step::If(
                When::Text("status.certificateStatus", &["Active"]),
                healthy("All certificates are active"),
            ),
        ],
        progressing("At least one certificate is still being provisioned"),
    ),
    kinds("external-secrets.io", &["SecretStore"], READY, progressing("Waiting for SecretStore")),
    kinds(
        "external-secrets.io",
        &["ClusterSecretStore"],
        READY,
        progressing("Waiting for ClusterSecretStore"),
    ),
    kinds("external-secrets.io", &["PushSecret"], READY, progressing("Waiting for PushSecret")),
    kinds(
        "external-secrets.io",
        &["ClusterExternalSecret"],
        // New conditions are appended: the last one counts.
        &[Step::Last(&[IS_READY, on(&["PartiallyReady", "NotReady"], &["True"], Degraded)])],
        progressing("Waiting for ClusterExternalSecret"),
    ),
    kinds("external-secrets.io", &["ExternalSecret"], READY, progressing("Waiting for ExternalSecret")),
    native("kubernetes-client.io", &["ExternalSecret"], secrets::kubernetes_client_secret),
    kinds(
        "bitnami.com",
        &["SealedSecret"],
        &[Step::First(&[on(&["Synced"], &["False"], Degraded), on(&["Synced"], &["True"], Healthy)])],
        progressing("Waiting for Sealed Secret to be decrypted"),
    ),
    kinds(
        "onepassword.com",
        &["OnePasswordItem"],
        READY,
        progressing("Waiting for controller to report status"),
    ),
    kinds(
        "addons.projectcapsule.dev",
        &["GlobalSopsSecret", "SopsProvider", "SopsSecret"],
        &[
            Step::If(When::Absent("status.conditions"), progressing("Waiting for status")),
            Step::If(When::Stale, progressing("Waiting for reconciliation (generation mismatch)")),
            Step::First(&[IS_READY, NOT_READY, PERHAPS_READY]),
        ],
        progressing("Waiting for Ready condition"),
    ),
];
