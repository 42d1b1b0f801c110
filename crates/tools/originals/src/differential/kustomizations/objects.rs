//! Objects to kustomize: those that refer to each other, and those that only look as if they did.

use crate::differential::chance::Chance;

const OBJECTS: [&str; 20] = [
    "apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  labels: {app: web, tier: \"1\"}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}, annotations: {note: \"yes\"}}
    spec:
      serviceAccountName: robot
      initContainers:
      - {name: init, image: \"busybox:1.0\"}
      containers:
      - name: main
        image: nginx:1.14.2
        args: [\"--host=$(HOST)\", $(HOST)-x]
        ports: [{containerPort: 80}, {containerPort: 443, name: tls, protocol: TCP}]
        env:
        - {name: A, value: a}
        - {name: FROM, valueFrom: {configMapKeyRef: {name: config, key: k}}}
        - {name: SECRET, valueFrom: {secretKeyRef: {name: secret, key: k}}}
        envFrom: [{configMapRef: {name: generated}}, {secretRef: {name: hidden}}]
        volumeMounts: [{name: v, mountPath: /v}]
      - name: side
        image: reg.example:5000/team/side@sha256:24a0c4b4a4c0eb97a1aabb8e29f18e917d05abfe1b7a7c07857230879ce7d3d3
      volumes:
      - {name: v, configMap: {name: config}}
      - {name: p, projected: {sources: [{configMap: {name: generated}}, {secret: {name: secret}}]}}
",
    "apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db, namespace: data}
spec:
  serviceName: svc
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec: {containers: [{name: main, image: postgres, command: [a, b]}]}
  volumeClaimTemplates:
  - metadata: {name: claim}
    spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
",
    "apiVersion: v1
kind: Service
metadata: {name: svc, annotations: {a/b: \"1\"}}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: http}, {port: 443, name: tls}], clusterIP: None}
",
    "apiVersion: v1
kind: ConfigMap
metadata: {name: config}
data:
  k: v
  host: svc.default.example
  yaml: |
    a: 1
    b: {c: [x, y]}
  json: '{\"a\": {\"b\": 2}}'
  number: \"12\"
",
    "apiVersion: v1
kind: Secret
metadata: {name: secret, labels: {}}
type: Opaque
data: {k: dg==}
stringData: {plain: text}
",
    "apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web}
spec:
  tls: [{hosts: [h], secretName: secret}]
  rules:
  - host: h
    http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: svc, port: {number: 80}}}}]}
",
    "apiVersion: batch/v1
kind: CronJob
metadata: {name: job}
spec:
  schedule: \"*/5 * * * *\"
  jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: main, image: \"job:v1\", envFrom: [{configMapRef: {name: config}}]}]}}}}
",
    "apiVersion: v1
kind: ServiceAccount
metadata: {name: robot}
secrets: [{name: secret}]
imagePullSecrets: [{name: hidden}]
",
    "apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: bind}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: role}
subjects: [{kind: ServiceAccount, name: robot, namespace: default}, {kind: ServiceAccount, name: default}, {kind: User, name: u}]
",
    "apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: role}
rules: [{apiGroups: [\"\"], resources: [configmaps], resourceNames: [config], verbs: [get]}]
",
    "apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: bind}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: role}
subjects: [{kind: ServiceAccount, name: robot, namespace: data}]
",
    "apiVersion: v1
kind: Namespace
metadata: {name: data}
",
    "apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: web}
spec: {scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}, minReplicas: 1, maxReplicas: 3, metrics: []}
",
    "apiVersion: example.com/v1
kind: Custom
metadata: {name: custom, labels: {app: web}}
spec:
  image: nginx:1
  replicas: 2
  ref: {name: config, kind: ConfigMap}
  list: [{name: a, v: 1}, {name: b, v: 2}]
  text: \"0\"
  empty: {}
  nothing: null
",
    "apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: customs.example.com}
spec: {group: example.com, scope: Namespaced, names: {kind: Custom, plural: customs}, versions: [{name: v1, served: true, storage: true}]}
",
    "apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: hook, annotations: {cert-manager.io/inject-ca-from: ns/cert}}
webhooks:
- name: a.example.com
  clientConfig: {service: {name: svc, namespace: system, path: /a}}
",
    "apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: claim, generateName: c-}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 010}}}
",
    "apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: web}
spec: {minAvailable: 1, selector: {matchLabels: {app: web}}}
",
    "apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: net}
spec:
  podSelector: {matchExpressions: [{key: app, operator: In, values: [web]}]}
  ingress: [{from: [{podSelector: {matchLabels: {app: web}}}, {namespaceSelector: {}}]}]
",
    "apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: ConfigMap, metadata: {name: listed}, data: {a: \"on\", b: \"1e3\"}}
- {apiVersion: apps/v1, kind: DaemonSet, metadata: {name: agent}, spec: {selector: {matchLabels: {app: agent}}, template: {metadata: {labels: {app: agent}}, spec: {containers: [{name: main, image: \"nginx\"}]}}}}
",
];

/// A text with some of them.
pub(crate) fn some(chance: &mut Chance) -> String {
    // Most fields mean the deployment, the service or a config map.
    let core = [0, 2, 3];
    let chosen = OBJECTS
        .iter()
        .enumerate()
        .filter(|(index, _)| chance.percent(if core.contains(index) { 92 } else { 25 }));
    let chosen: Vec<&str> = chosen.map(|(_, object)| *object).collect();
    chosen.join("---\n")
}
