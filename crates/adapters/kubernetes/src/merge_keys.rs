//! Which lists of Kubernetes' own kinds are merged element by element, and by which members. These are the
//! `patchStrategy` and `patchMergeKey` marks of the API types; a list without a mark is replaced whole.
//!
//! Where the mark is too narrow to tell elements apart (`53/TCP` and `53/UDP` share a port number) the members
//! of the API's `listMapKeys` are used.

/// A place in a built-in kind, as far as merging needs to tell places apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// The object itself.
    Root(Kind),
    Metadata,
    Status,
    /// `spec` of whatever holds a pod template.
    Workload,
    Deployment,
    CronJob,
    /// Anything with `metadata` and a workload's `spec`.
    JobTemplate,
    PodTemplate,
    PodSpec,
    Container,
    Service,
    Node,
    Webhook,
    Policy,
    /// Nothing below is merged by key.
    Plain,
}

/// Kinds whose contents need telling apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Pod,
    PodTemplate,
    Workload,
    Deployment,
    CronJob,
    Service,
    ServiceAccount,
    Node,
    WebhookConfiguration,
    AdmissionPolicy,
    Other,
}

/// How the value of a member is merged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Strategy {
    /// Objects member by member, lists whole.
    Default,
    /// A list of objects told apart by these members; a missing one takes the default.
    ByKey(&'static [(&'static str, &'static str)]),
    /// Like `ByKey`, and an element keeps only the members that were asked for.
    ByKeyRetaining(&'static [(&'static str, &'static str)]),
    /// A list that is a set of plain values.
    Set,
    /// An object that keeps only the members that were asked for.
    Retaining,
}

/// The shape of a kind; `None` for kinds that are not Kubernetes' own, whose lists are always replaced.
pub(crate) fn root(group: &str, kind: &str) -> Option<Shape> {
    let known = matches!(
        group,
        "" | "apps"
            | "batch"
            | "autoscaling"
            | "policy"
            | "networking.k8s.io"
            | "rbac.authorization.k8s.io"
            | "storage.k8s.io"
            | "admissionregistration.k8s.io"
            | "scheduling.k8s.io"
            | "coordination.k8s.io"
            | "discovery.k8s.io"
            | "node.k8s.io"
            | "certificates.k8s.io"
            | "flowcontrol.apiserver.k8s.io"
            | "resource.k8s.io"
            | "events.k8s.io"
    );
    let shape = Shape::Root(match kind {
        "Pod" => Kind::Pod,
        "PodTemplate" => Kind::PodTemplate,
        "Deployment" => Kind::Deployment,
        "ReplicaSet" | "StatefulSet" | "DaemonSet" | "Job" | "ReplicationController" => Kind::Workload,
        "CronJob" => Kind::CronJob,
        "Service" => Kind::Service,
        "ServiceAccount" => Kind::ServiceAccount,
        "Node" => Kind::Node,
        "ValidatingWebhookConfiguration" | "MutatingWebhookConfiguration" => Kind::WebhookConfiguration,
        "ValidatingAdmissionPolicy" | "MutatingAdmissionPolicy" => Kind::AdmissionPolicy,
        _ => Kind::Other,
    });
    known.then_some(shape)
}

const BY_NAME: Strategy = Strategy::ByKey(&[("name", "")]);

/// How a member is merged, and the shape of its value (of its elements, for a list).
pub(crate) fn member(shape: Shape, name: &str) -> (Strategy, Shape) {
    use Strategy::{ByKey, ByKeyRetaining, Default, Retaining, Set};
    match (shape, name) {
        (Shape::Root(_) | Shape::JobTemplate | Shape::PodTemplate, "metadata") => (Default, Shape::Metadata),
        (Shape::Root(_), "status") => (Default, Shape::Status),
        (Shape::Root(Kind::Pod) | Shape::PodTemplate, "spec") => (Default, Shape::PodSpec),
        (Shape::Root(Kind::PodTemplate) | Shape::Workload | Shape::Deployment, "template") => {
            (Default, Shape::PodTemplate)
        }
        (Shape::Root(Kind::Workload) | Shape::JobTemplate, "spec") => (Default, Shape::Workload),
        (Shape::Root(Kind::Deployment), "spec") => (Default, Shape::Deployment),
        (Shape::Deployment, "strategy") => (Retaining, Shape::Plain),
        (Shape::Root(Kind::CronJob), "spec") => (Default, Shape::CronJob),
        (Shape::CronJob, "jobTemplate") => (Default, Shape::JobTemplate),
        (Shape::Root(Kind::Service), "spec") => (Default, Shape::Service),
        (Shape::Service, "ports") => (ByKey(&[("port", ""), ("protocol", "TCP")]), Shape::Plain),
        (Shape::Root(Kind::ServiceAccount), "secrets") => (BY_NAME, Shape::Plain),
        (Shape::Root(Kind::Node), "spec") => (Default, Shape::Node),
        (Shape::Node, "podCIDRs") => (Set, Shape::Plain),
        (Shape::Root(Kind::WebhookConfiguration), "webhooks") => (BY_NAME, Shape::Webhook),
        (Shape::Root(Kind::AdmissionPolicy), "spec") => (Default, Shape::Policy),
        (Shape::Webhook | Shape::Policy, "matchConditions") | (Shape::Policy, "variables") => {
            (BY_NAME, Shape::Plain)
        }
        (Shape::Metadata, "ownerReferences") => (ByKey(&[("uid", "")]), Shape::Plain),
        (Shape::Metadata, "finalizers") => (Set, Shape::Plain),
        (Shape::Status, "conditions") => (ByKey(&[("type", "")]), Shape::Plain),
        (Shape::PodSpec, "containers" | "initContainers" | "ephemeralContainers") => {
            (BY_NAME, Shape::Container)
        }
        (Shape::PodSpec, "volumes" | "resourceClaims") => (ByKeyRetaining(&[("name", "")]), Shape::Plain),
        (Shape::PodSpec, "imagePullSecrets" | "schedulingGates") => (BY_NAME, Shape::Plain),
        (Shape::PodSpec, "hostAliases") => (ByKey(&[("ip", "")]), Shape::Plain),
        (Shape::PodSpec, "topologySpreadConstraints") => {
            (ByKey(&[("topologyKey", ""), ("whenUnsatisfiable", "")]), Shape::Plain)
        }
        (Shape::Container, "ports") => (ByKey(&[("containerPort", ""), ("protocol", "TCP")]), Shape::Plain),
        (Shape::Container, "env") => (BY_NAME, Shape::Plain),
        (Shape::Container, "volumeMounts") => (ByKey(&[("mountPath", "")]), Shape::Plain),
        (Shape::Container, "volumeDevices") => (ByKey(&[("devicePath", "")]), Shape::Plain),
        _ => (Default, Shape::Plain),
    }
}
