//! Gateways, meshes, routes.

use crate::custom::{gateways, generations};
use crate::rules::{Rule, Step, When, degraded, healthy, kinds, native, on, progressing, unknown};
use api::codes::HealthStatusCode::{Degraded, Healthy, Progressing};

const ISTIO: &str = "status.status";

pub(super) const RULES: &[Rule] = &[
    native("gateway.networking.k8s.io", &["Gateway"], gateways::gateway),
    native("gateway.networking.k8s.io", &["GatewayClass"], gateways::gateway_class),
    native("gateway.networking.k8s.io", &["HTTPRoute", "GRPCRoute"], gateways::route),
    native("gateway.networking.k8s.io", &["TLSRoute"], gateways::tls_route),
    native("gateway.networking.k8s.io", &["BackendTLSPolicy"], gateways::backend_tls_policy),
    native("gateway.networking.k8s.io", &["ListenerSet"], gateways::listener_set),
    native("microgateway.airlock.com", &[], gateways::airlock),
    native("gateway.envoyproxy.io", &["Backend"], generations::envoy_backend),
    native(
        "gateway.envoyproxy.io",
        &[
            "BackendTrafficPolicy",
            "ClientTrafficPolicy",
            "EnvoyExtensionPolicy",
            "EnvoyPatchPolicy",
            "SecurityPolicy",
        ],
        generations::envoy_policy,
    ),
    native(
        "gateway.solo.io",
        &[
            "Gateway",
            "MatchableHttpGateway",
            "RouteOption",
            "RouteTable",
            "VirtualHostOption",
            "VirtualService",
        ],
        gateways::gloo,
    ),
    native("gloo.solo.io", &["Proxy", "Settings", "Upstream", "UpstreamGroup"], gateways::gloo),
    native("projectcontour.io", &["ExtensionService"], gateways::extension_service),
    native("projectcontour.io", &["HTTPProxy"], gateways::http_proxy),
    kinds(
        "install.istio.io",
        &["IstioOperator"],
        &[
            Step::If(
                When::Any(&[When::Number(ISTIO, 0), When::Text(ISTIO, &["NONE"])]),
                unknown("Component is not present."),
            ),
            Step::If(
                When::Any(&[When::Number(ISTIO, 1), When::Text(ISTIO, &["UPDATING"])]),
                progressing("Component is being updated to a different version."),
            ),
            Step::If(
                When::Any(&[When::Number(ISTIO, 2), When::Text(ISTIO, &["RECONCILING"])]),
                progressing(
                    "Controller has started but not yet completed reconciliation loop for the component.",
                ),
            ),
            Step::If(
                When::Any(&[When::Number(ISTIO, 3), When::Text(ISTIO, &["HEALTHY"])]),
                healthy("Component is healthy."),
            ),
            Step::If(
                When::Any(&[When::Number(ISTIO, 4), When::Text(ISTIO, &["ERROR"])]),
                degraded("Component is in an error state."),
            ),
        ],
        progressing("Waiting for Istio Control Plane"),
    ),
    native("route.openshift.io", &["Route"], gateways::openshift_route),
    kinds(
        "operator.openshift.io",
        &["IngressController"],
        &[Step::First(&[
            on(&["Degraded"], &["True"], Degraded),
            on(&["DeploymentReplicasAllAvailable"], &["False"], Progressing),
            on(&["Progressing"], &["True"], Progressing).says("{reason}"),
            on(&["Available"], &["True"], Healthy).says("IngressController is available"),
        ])],
        progressing("Status of IngressController is not known yet"),
    ),
    native("nmstate.io", &["NodeNetworkConfigurationPolicy"], gateways::node_network_policy),
    native("proclaim.dogmatiq.io", &["DNSSDServiceInstance"], gateways::service_instance),
];
