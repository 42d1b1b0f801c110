//! Clusters, clouds, policies, operators.

use super::{IS_READY, NOT_READY, READY};
use crate::custom::{crossplane, generations, policies, provisioning};
use crate::rules::{Rule, Step, When, degraded, healthy, kinds, native, on, progressing, suspended};
use api::codes::HealthStatusCode::{Degraded, Healthy, Progressing, Suspended};

const PHASE: &str = "status.phase";
const JOB: &str = "status.ansibleJobResult.status";
const JOB_TOLD: &str = "{.status.ansibleJobResult.status} job - {.status.ansibleJobResult.url}";

/// Kinds of Apigee differ in a word.
const fn apigee(kind: &'static [&'static str], done: &'static [Step], pending: &'static str) -> Rule {
    kinds("apigee.cloud.google.com", kind, done, progressing(pending))
}

const fn running(says: &'static str) -> Step {
    Step::If(When::Text("status.state", &["running"]), healthy(says))
}

const fn available(group: &'static str, kind: &'static [&'static str]) -> Rule {
    native(group, kind, crossplane::ready_and_synced)
}

/// What is told of a generation is told of the present one.
const GENERATION_OBSERVED: When = When::Any(&[
    When::Absent("status.observedGeneration"),
    When::Same("status.observedGeneration", "metadata.generation"),
]);
/// Kinds of the connector itself, which have no conditions; some of them never observe a generation.
const CONNECTOR_TOLD: When = When::All(&[
    When::Present("status.healthy"),
    When::Any(&[
        When::All(&[When::Kind(&["ConfigConnector", "ConfigConnectorContext"]), GENERATION_OBSERVED]),
        When::All(&[
            When::Starts("apiVersion", &["customize.core.cnrm.cloud.google.com/"]),
            When::Any(&[GENERATION_OBSERVED, When::Number("status.observedGeneration", 0)]),
        ]),
    ]),
]);

pub(super) const RULES: &[Rule] = &[
    native("cluster.x-k8s.io", &["Cluster"], provisioning::cluster),
    native("cluster.x-k8s.io", &["Machine"], provisioning::machine),
    kinds(
        "cluster.x-k8s.io",
        &["MachineDeployment"],
        &[
            Step::If(When::Truthy("spec.paused"), suspended("MachineDeployment is paused")),
            Step::If(When::Text(PHASE, &["Running"]), healthy("Machines are running under this deployment")),
            Step::If(When::Text(PHASE, &["ScalingUp"]), progressing("Cluster is spawning machines")),
            Step::If(When::Text(PHASE, &["ScalingDown"]), progressing("Cluster is stopping machines")),
            Step::If(When::Text(PHASE, &["Failed"]), degraded("MachineDeployment is failed")),
        ],
        progressing("Waiting for machines"),
    ),
    kinds(
        "cluster.x-k8s.io",
        &["MachineHealthCheck"],
        &[
            Step::If(When::Absent("status.currentHealthy"), progressing("")),
            Step::If(When::Same("status.expectedMachines", "status.currentHealthy"), healthy("")),
        ],
        degraded(""),
    ),
    native("cluster.x-k8s.io", &["MachinePool"], provisioning::machine_pool),
    native("controlplane.cluster.x-k8s.io", &["AWSManagedControlPlane"], provisioning::managed_control_plane),
    kinds(
        "addons.cluster.x-k8s.io",
        &["ClusterResourceSet"],
        &[Step::First(&[
            on(&["ResourcesApplied"], &["True"], Healthy).says("cluster resource set is applied"),
            on(&["ResourcesApplied"], &["False"], Degraded),
        ])],
        progressing("Initializing cluster resource set"),
    ),
    kinds(
        "karpenter.k8s.aws",
        &["EC2NodeClass"],
        &[Step::First(&[NOT_READY, IS_READY.says("EC2NodeClass is ready")])],
        progressing("Waiting for EC2NodeClass to be ready"),
    ),
    kinds(
        "karpenter.sh",
        &["NodeClaim"],
        &[
            Step::If(When::Stale, progressing("Waiting for NodeClaim spec to be reconciled")),
            Step::First(&[on(&["Disrupting"], &["True"], Suspended)]),
            Step::First(&[IS_READY, NOT_READY]),
            Step::If(
                When::Condition("Initialized", "True"),
                progressing("Node initialized, waiting for Ready"),
            ),
            Step::If(
                When::Condition("Registered", "True"),
                progressing("Node registered, waiting for initialization"),
            ),
            Step::If(
                When::Condition("Launched", "True"),
                progressing("Node launched, waiting for registration"),
            ),
        ],
        progressing("Waiting for NodeClaim to be launched"),
    ),
    kinds("karpenter.sh", &["NodePool"], READY, progressing("Waiting for NodePool to be ready")),
    native("core.gardener.cloud", &["Shoot"], provisioning::shoot),
    native("work.karmada.io", &["ClusterResourceBinding"], provisioning::karmada_cluster_binding),
    native("work.karmada.io", &["ResourceBinding"], provisioning::karmada_binding),
    native("*.crossplane.io", &[], crossplane::managed),
    native("*.upbound.io", &[], crossplane::managed_by_upbound),
    available("cloudfront.aws.crossplane.io", &["Distribution"]),
    available("iam.aws.crossplane.io", &["Policy", "Role", "RolePolicyAttachment"]),
    available("rds.aws.crossplane.io", &["DBCluster", "DBInstance"]),
    available("route53.aws.crossplane.io", &["ResourceRecordSet"]),
    available("s3.aws.crossplane.io", &["Bucket"]),
    native("pkg.crossplane.io", &["Provider"], crossplane::provider),
    native("stacks.crossplane.io", &["ClusterStackInstall"], crossplane::cluster_stack_install),
    kinds(
        "*.services.k8s.aws",
        &[],
        &[Step::First(&[
            on(&["ACK.Terminal"], &["True"], Degraded),
            on(&["Ready"], &["False"], Progressing),
            IS_READY.says(""),
        ])],
        progressing("Waiting for resource to be ready"),
    ),
    kinds(
        "*.cnrm.cloud.google.com",
        &[],
        &[
            Step::If(
                When::All(&[CONNECTOR_TOLD, When::Flag("status.healthy", true)]),
                healthy("{kind} is healthy"),
            ),
            Step::If(CONNECTOR_TOLD, degraded("{kind} is not healthy")),
            Step::If(When::Not(&GENERATION_OBSERVED), progressing("Update in progress")),
            Step::First(&[
                on(&[], &["True"], Healthy).reason(&["UpToDate"]),
                on(&[], &[], Degraded).other_status(&[]).reason(&["UpdateFailed", "DependencyNotFound"]),
                on(&[], &[], Suspended).other_status(&[]).reason(&["DependencyNotReady"]),
            ]),
        ],
        progressing("Update in progress"),
    ),
    apigee(
        &["ApigeeDatastore"],
        &[running("Install of Apigee Datastore is done")],
        "An install plan for an Apigee Datastore is pending installation",
    ),
    apigee(
        &["ApigeeDeployment"],
        &[running("Install of Apigee Deployment is done")],
        "An install plan for an Apigee Deployment is pending installation",
    ),
    apigee(
        &["ApigeeEnvironment"],
        &[running("Install of Apigee Environment is done")],
        "An install plan for an Apigee Environment is pending installation",
    ),
    apigee(
        &["ApigeeOrganization"],
        &[running("Install of Apigee Organization is done")],
        "An install plan for an Apigee Organization is pending installation",
    ),
    apigee(
        &["ApigeeRedis"],
        &[running("Install of Apigee Redis is done")],
        "An install plan for an Apigee Redis is pending installation",
    ),
    apigee(
        &["ApigeeTelemetry"],
        &[running("Install of Apigee Telemetry is done")],
        "An install plan for an Apigee Telemetry is pending installation",
    ),
    native("services.cloud.sap.com", &["ServiceBinding", "ServiceInstance"], policies::sap_service),
    native("k8s.keycloak.org", &["Keycloak"], policies::keycloak),
    native("iammanager.keikoproj.io", &["Iamrole"], policies::iam_role),
    kinds(
        "kyverno.io",
        &["Policy"],
        &[Step::First(&[IS_READY.reason(&["Succeeded"]).message(&["Ready"]).says("Policy is ready")])],
        progressing("Waiting for Policy to be ready"),
    ),
    kinds(
        "kyverno.io",
        &["ClusterPolicy"],
        &[Step::First(&[IS_READY, on(&["Ready"], &[], Degraded).other_status(&["True"])])],
        progressing("Waiting for ClusterPolicy to become ready"),
    ),
    native(
        "policies.kyverno.io",
        &[
            "DeletingPolicy",
            "GeneratingPolicy",
            "ImageValidatingPolicy",
            "MutatingPolicy",
            "NamespacedDeletingPolicy",
            "NamespacedGeneratingPolicy",
            "NamespacedImageValidatingPolicy",
            "NamespacedMutatingPolicy",
            "NamespacedValidatingPolicy",
            "ValidatingPolicy",
        ],
        generations::kyverno_policy,
    ),
    native("kro.run", &["ResourceGraphDefinition"], generations::resource_graph),
    native("kro.run", &[], generations::graph_instance),
    kinds(
        "policy.open-cluster-management.io",
        &["CertificatePolicy"],
        &[
            Step::If(When::Absent("status.compliant"), progressing("Waiting for the status to be reported")),
            Step::If(
                When::Text("status.compliant", &["Compliant"]),
                healthy("All certificates found comply with the policy"),
            ),
        ],
        degraded("At least once certificate does not comply with the policy"),
    ),
    kinds(
        "policy.open-cluster-management.io",
        &["OperatorPolicy"],
        &[
            Step::If(When::Absent("status.conditions"), progressing("Waiting for the status to be reported")),
            Step::If(When::Not(&GENERATION_OBSERVED), progressing("Waiting for the status to be updated")),
            Step::First(&[
                on(&["Compliant"], &["True"], Healthy),
                on(&["Compliant"], &[], Degraded).other_status(&["True"]),
            ]),
        ],
        progressing("Waiting for the compliance condition"),
    ),
    native("policy.open-cluster-management.io", &["ConfigurationPolicy"], policies::configuration_policy),
    native("policy.open-cluster-management.io", &["Policy"], policies::policy),
    native("operators.coreos.com", &["Subscription"], policies::subscription),
    kinds(
        "pulumi.com",
        &["Stack"],
        &[
            Step::If(
                When::Any(&[
                    When::Absent("status"),
                    When::Not(&When::Same("status.observedGeneration", "metadata.generation")),
                ]),
                progressing("Waiting for the operator to observe the latest spec change"),
            ),
            Step::First(&[
                on(&["Stalled"], &["True"], Degraded),
                on(&["Reconciling"], &["True"], Progressing),
                IS_READY,
            ]),
        ],
        progressing("Waiting for the stack to be reconciled"),
    ),
    kinds(
        "apps.3scale.net",
        &["APIManager"],
        &[
            Step::If(
                When::All(&[
                    When::Present("status.deployments.ready"),
                    When::Absent("status.deployments.starting"),
                    When::Absent("status.deployments.stopped"),
                ]),
                healthy("3scale APIManager is available"),
            ),
            Step::First(&[
                on(&["Available"], &["True"], Healthy).says("3scale APIManager is available"),
                on(&["Available"], &[], Degraded)
                    .other_status(&["True"])
                    .other_reason(&[""])
                    .says("3scale APIManager is degraded: {reason}"),
            ]),
        ],
        progressing("Waiting for 3scale APIManager status..."),
    ),
    native("capabilities.3scale.net", &["Tenant"], policies::threescale_tenant),
    native("capabilities.3scale.net", &["Application"], policies::threescale_application),
    kinds(
        "capabilities.3scale.net",
        &["ActiveDoc"],
        &[Step::First(&[
            IS_READY.says("3scale {kind} is ready"),
            on(&["Invalid"], &["True"], Degraded).says("{message|3scale ActiveDoc configuration is invalid}"),
            on(&["Orphan"], &["True"], Degraded)
                .says("{message|3scale ActiveDoc references non-existing resources}"),
            on(&["Failed"], &["True"], Degraded).says("{message|3scale ActiveDoc synchronization failed}"),
        ])],
        progressing("Waiting for 3scale {kind} status..."),
    ),
    kinds(
        "capabilities.3scale.net",
        &["ApplicationAuth"],
        &[Step::First(&[
            IS_READY.says("3scale {kind} is ready"),
            on(&["Failed"], &["True"], Degraded).says("{message|3scale ApplicationAuth failed}"),
        ])],
        progressing("Waiting for 3scale {kind} status..."),
    ),
    kinds(
        "capabilities.3scale.net",
        &["Backend"],
        &[Step::First(&[
            on(&["Synced"], &["True"], Healthy).says("3scale {kind} is synced"),
            on(&["Invalid"], &["True"], Degraded).says("{message|3scale Backend configuration is invalid}"),
            on(&["Failed"], &["True"], Degraded).says("{message|3scale Backend synchronization failed}"),
        ])],
        progressing("Waiting for 3scale {kind} status..."),
    ),
    kinds(
        "capabilities.3scale.net",
        &["Product"],
        &[Step::First(&[
            on(&["Synced"], &["True"], Healthy).says("3scale {kind} is synced"),
            on(&["Invalid"], &["True"], Degraded).says("{message|3scale Product configuration is invalid}"),
            on(&["Orphan"], &["True"], Degraded)
                .says("{message|3scale Product references non-existing resources}"),
            on(&["Failed"], &["True"], Degraded).says("{message|3scale Product synchronization failed}"),
        ])],
        progressing("Waiting for 3scale {kind} status..."),
    ),
    kinds(
        "capabilities.3scale.net",
        &["CustomPolicyDefinition"],
        &[Step::First(&[
            IS_READY.says("3scale {kind} is ready"),
            on(&["Invalid"], &["True"], Degraded)
                .says("{message|3scale CustomPolicyDefinition configuration is invalid}"),
            on(&["Failed"], &["True"], Degraded)
                .says("{message|3scale CustomPolicyDefinition synchronization failed}"),
        ])],
        progressing("Waiting for 3scale {kind} status..."),
    ),
    kinds(
        "capabilities.3scale.net",
        &["DeveloperAccount"],
        &[Step::First(&[
            IS_READY.says("3scale {kind} is ready"),
            on(&["Invalid"], &["True"], Degraded)
                .says("{message|3scale DeveloperAccount configuration is invalid}"),
            on(&["Failed"], &["True"], Degraded)
                .says("{message|3scale DeveloperAccount synchronization failed}"),
            on(&["Waiting"], &["True"], Suspended)
                .says("{message|3scale DeveloperAccount is waiting for approval}"),
        ])],
        progressing("Waiting for 3scale {kind} status..."),
    ),
    kinds(
        "capabilities.3scale.net",
        &["DeveloperUser"],
        &[
            Step::If(
                When::Text("status.developerUserState", &["suspended"]),
                suspended("3scale Developer user is waiting for admin approval"),
            ),
            Step::First(&[
                IS_READY.says("3scale {kind} is ready"),
                on(&["Invalid"], &["True"], Degraded)
                    .says("{message|3scale DeveloperUser configuration is invalid}"),
                on(&["Orphan"], &["True"], Degraded)
                    .says("{message|3scale DeveloperUser references non-existing resources}"),
                on(&["Failed"], &["True"], Degraded)
                    .says("{message|3scale DeveloperUser synchronization failed}"),
            ]),
        ],
        progressing("Waiting for 3scale {kind} status..."),
    ),
    kinds(
        "capabilities.3scale.net",
        &["OpenAPI"],
        &[Step::First(&[
            IS_READY.says("3scale {kind} is ready"),
            on(&["Invalid"], &["True"], Degraded).says("{message|3scale OpenAPI configuration is invalid}"),
            on(&["Failed"], &["True"], Degraded).says("{message|3scale OpenAPI reconciliation failed}"),
        ])],
        progressing("Waiting for 3scale {kind} status..."),
    ),
    kinds(
        "capabilities.3scale.net",
        &["ProxyConfigPromote"],
        &[Step::First(&[
            IS_READY.says("3scale {kind} is ready"),
            on(&["In-progress"], &["True"], Progressing)
                .says("{message|3scale ProxyConfigPromote is in progress}"),
            on(&["Failed"], &["True"], Degraded).says("{message|3cale ProxyConfigPromote failed}"),
        ])],
        progressing("Waiting for 3scale {kind} status..."),
    ),
    kinds(
        "tower.ansible.com",
        &["AnsibleJob"],
        &[
            Step::If(When::Text(JOB, &["successful"]), healthy(JOB_TOLD)),
            Step::If(When::Text(JOB, &["failed", "error", "canceled"]), degraded(JOB_TOLD)),
            Step::If(When::Text(JOB, &["new", "pending", "waiting", "running"]), progressing(JOB_TOLD)),
        ],
        progressing("Waiting for AnsibleJob"),
    ),
];
