//! Virtual machines and their disks, game servers.

use crate::custom::{kruise, machines};
use crate::rules::{Rule, Step, When, healthy, kinds, native, on, progressing, suspended, verdict};
use api::codes::HealthStatusCode::{Degraded, Unknown};

const PHASE: &str = "status.phase";

pub(super) const RULES: &[Rule] = &[
    native("kubevirt.io", &["VirtualMachine"], machines::virtual_machine),
    native("kubevirt.io", &["VirtualMachineInstance"], machines::virtual_machine_instance),
    kinds(
        "cdi.kubevirt.io",
        &["DataVolume"],
        &[
            Step::If(When::Text(PHASE, &["Succeeded"]), healthy("{.status.phase}")),
            Step::If(When::Text(PHASE, &["Paused"]), suspended("{.status.phase}")),
            Step::First(&[on(&["Running"], &["False"], Degraded).reason(&["Error"])]),
            Step::If(When::Text(PHASE, &["Failed", "Unknown"]), verdict(Degraded, "{.status.phase}")),
        ],
        progressing("{.status.phase|No status available}"),
    ),
    native("game.kruise.io", &["GameServerSet"], kruise::game_server_set),
    kinds(
        "game.kruise.io",
        &["GameServer"],
        &[
            Step::If(When::Absent("status"), verdict(Unknown, "Waiting for GameServer to be ready")),
            Step::If(
                When::Not(&When::Same("status.currentState", "status.desiredState")),
                progressing("State change: {.status.currentState|Unknown} → {.status.desiredState|Unknown}"),
            ),
            Step::FirstOf(
                "status.podStatus.conditions",
                &[on(&["KruisePodReady"], &[], Degraded)
                    .other_status(&["True"])
                    .says("Pod is not ready: {type}")],
            ),
            Step::If(When::Text("status.currentState", &["Ready"]), healthy("GameServer is Ready")),
        ],
        verdict(Unknown, "Waiting for GameServer to be ready"),
    ),
];
