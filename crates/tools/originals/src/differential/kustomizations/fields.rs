//! Fields of a kustomization, with what they need.

use crate::differential::chance::Chance;
use crate::files::Files;

/// Adds some fields, each at most once.
pub(crate) fn some(chance: &mut Chance, text: &mut String, files: &mut Files, folder: &str) {
    let each = *chance.pick(&[4, 8, 14]);
    for field in chance.some(&FIELDS, each) {
        let made = field(chance, files, folder);
        text.push_str(&made);
    }
}

type Field = fn(&mut Chance, &mut Files, &str) -> String;

const FIELDS: [Field; 20] = [
    |chance, _, _| format!("namePrefix: {}\n", chance.of(&["p-", "p", "\"\"", "1-"])),
    |chance, _, _| format!("nameSuffix: {}\n", chance.of(&["-s", "s", "\"-1\""])),
    |chance, _, _| format!("namespace: {}\n", chance.of(&["ns", "data", "default", "\"\""])),
    |chance, _, _| {
        format!(
            "commonLabels:\n  {}: {}\n",
            chance.of(&["app", "team", "a.b/c"]),
            chance.of(&["x", "\"1\"", "\"true\"", "\"\""])
        )
    },
    |chance, _, _| {
        format!(
            "commonAnnotations:\n  {}: {}\n",
            chance.of(&["note", "a.b/c"]),
            chance.of(&["x", "\"1\"", "\"on\"", "\"a: b\"", "\"multi\\nline\""])
        )
    },
    labels,
    images,
    |chance, _, _| {
        format!(
            "replicas:\n- name: {}\n  count: {}\n",
            chance.of(&["web", "db", "nope", "custom"]),
            chance.of(&["0", "3", "5"])
        )
    },
    config_maps,
    secrets,
    |chance, _, _| {
        format!(
            "generatorOptions:\n  {}\n",
            chance.of(&[
                "disableNameSuffixHash: true",
                "labels: {g: l}",
                "annotations: {g: a}",
                "immutable: true"
            ])
        )
    },
    patches,
    |chance, files, folder| {
        files.add(&format!("{folder}merge.yaml"), patch(chance));
        "patchesStrategicMerge:\n- merge.yaml\n".to_owned()
    },
    json_patches,
    replacements,
    vars,
    |chance, _, _| {
        chance.of(&["sortOptions:\n  order: fifo\n", "sortOptions:\n  order: legacy\n", "sortOptions:\n  order: legacy\n  legacySortOptions:\n    orderFirst: [Secret, Namespace]\n    orderLast: [Deployment]\n"]).to_owned()
    },
    |chance, _, _| {
        format!(
            "buildMetadata: [{}]\n",
            chance.of(&[
                "managedByLabel",
                "originAnnotations",
                "transformerAnnotations",
                "originAnnotations, transformerAnnotations",
                "managedByLabel, originAnnotations"
            ])
        )
    },
    configurations,
    transformers,
];

fn labels(chance: &mut Chance, _: &mut Files, _: &str) -> String {
    let options = chance.of(&[
        "",
        "  includeSelectors: true\n",
        "  includeTemplates: true\n",
        "  fields:\n  - {path: spec/extra/labels, create: true, kind: Custom}\n",
        "  includeSelectors: false\n",
    ]);
    let value = chance.of(&["x", "\"1\"", "\"no\"", "web", "\"1.0\""]);
    let mut text =
        format!("labels:\n- pairs:\n    {}: {value}\n{options}", chance.of(&["app", "l", "a.b/c"]));
    if chance.percent(30) {
        text.push_str("- pairs: {second: z}\n  includeTemplates: true\n");
    }
    text
}

fn images(chance: &mut Chance, _: &mut Files, _: &str) -> String {
    let mut text = String::from("images:\n");
    for _ in 0..=chance.below(2) {
        let name = chance.of(&[
            "nginx",
            "busybox",
            "postgres",
            "reg.example:5000/team/side",
            "job",
            "nope",
            "\"ngin.\"",
            "team/side",
            "nginx:1.14.2",
        ]);
        let change = chance.of(&[
            "newTag: \"2.0\"",
            "newName: other/nginx",
            "digest: sha256:abc",
            "newName: x\n  newTag: v1",
            "newTag: v2\n  digest: sha256:def",
            "newTag: 1.10",
            "tagSuffix: -alpine",
            "newName: reg:5000/y",
            "newTag: \"\"",
            "newName: z\n  tagSuffix: -s",
        ]);
        text.push_str(&format!("- name: {name}\n  {change}\n"));
    }
    text
}

fn generator(chance: &mut Chance, files: &mut Files, folder: &str, name: &str) -> String {
    let mut text = format!("- name: {name}\n");
    files.add(&format!("{folder}file.txt"), "content\nof two lines\n");
    files.add(&format!("{folder}env.properties"), "A=1\n# comment\nB=two words\n\nC=\n  D = x\nHOME\n");
    files.add(&format!("{folder}binary"), [0xff, 0x00, 0x80]);
    for _ in 0..=chance.below(2) {
        let option = chance.of(&[
            "  literals: [k=v, x=1]\n",
            "  literals: ['a=b=c', 'q=\"quoted\"', \"s='x'\"]\n",
            "  files: [file.txt]\n",
            "  files: [named=file.txt]\n",
            "  envs: [env.properties]\n",
            "  behavior: merge\n",
            "  behavior: replace\n",
            "  behavior: create\n",
            "  namespace: data\n",
            "  options: {labels: {o: l}, annotations: {o: a}}\n",
            "  options: {disableNameSuffixHash: true}\n",
            "  options: {immutable: true}\n",
            "  files: [binary]\n",
            "  env: env.properties\n",
            "  literals: [\"multi=a\\nb\"]\n",
            "  literals: [k=]\n",
        ]);
        let key = option.trim_start().split(':').next().unwrap_or_default();
        if !text.contains(&format!("  {key}:")) {
            text.push_str(option);
        }
    }
    text
}

fn config_maps(chance: &mut Chance, files: &mut Files, folder: &str) -> String {
    let name = chance.of(&["generated", "config", "generated", "more"]);
    let mut text = format!("configMapGenerator:\n{}", generator(chance, files, folder, name));
    if chance.percent(25) {
        text.push_str(&generator(chance, files, folder, "second"));
    }
    text
}

fn secrets(chance: &mut Chance, files: &mut Files, folder: &str) -> String {
    let name = chance.of(&["hidden", "secret", "hidden"]);
    let kind = chance.of(&["", "  type: kubernetes.io/tls\n", "  type: Opaque\n"]);
    format!("secretGenerator:\n{}{kind}", generator(chance, files, folder, name))
}

/// A strategic merge patch.
fn patch(chance: &mut Chance) -> String {
    chance
        .of(&[
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {replicas: 4, template: {spec: {containers: [{name: main, env: [{name: A, value: b}, {name: N, value: \"1\"}]}]}}}\n",
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {template: {spec: {containers: [{name: side, $patch: delete}], volumes: [{name: v, emptyDir: {}, configMap: null}]}}}\n",
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, annotations: {n: \"1\"}}\nspec: {replicas: null, template: {spec: {initContainers: [{name: new, image: x}], containers: [{name: third, image: \"t:1\"}, {name: main, ports: [{containerPort: 80, name: http}, {containerPort: 443, $patch: delete}]}]}}}\n",
            "apiVersion: v1\nkind: Service\nmetadata: {name: svc}\nspec: {ports: [{port: 80, name: web}, {port: 9000}], selector: {extra: x}}\n",
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: config}\ndata: {k: patched, new: \"2\", number: null}\n",
            "apiVersion: v1\nkind: Secret\nmetadata: {name: secret}\n$patch: delete\n",
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {template: {spec: {$setElementOrder/containers: [{name: side}, {name: main}], containers: [{name: main, image: y}]}}}\n",
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {strategy: {$retainKeys: [type], type: Recreate}, template: {spec: {$patch: replace, containers: [{name: only, image: o}]}}}\n",
            "apiVersion: example.com/v1\nkind: Custom\nmetadata: {name: custom}\nspec: {list: [{name: c, v: 3}], text: 0, empty: null, more: {a: [1, 2]}}\n",
            "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: db, namespace: data}\nspec: {volumeClaimTemplates: [{metadata: {name: claim}, spec: {storageClassName: fast}}], template: {spec: {containers: [{name: main, command: [c]}]}}}\n",
            "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: web}\nspec: {rules: [{host: other}], tls: []}\n",
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: nope}\nspec: {replicas: 2}\n",
            "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: robot}\nimagePullSecrets: [{name: extra}]\nsecrets: [{name: secret, $patch: delete}]\n",
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, labels: {tier: null, n: \"0\"}}\nspec: {template: {metadata: {annotations: {$patch: replace, only: x}}, spec: {containers: [{name: main, args: [z], $deleteFromPrimitiveList/args: [$(HOST)-x]}]}}}\n",
            "apiVersion: v1\nkind: Service\nmetadata: {name: svc}\nspec: {ports: [{port: 80, protocol: UDP}, {port: 443, $patch: delete}]}\n",
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {template: {spec: {tolerations: [{key: a}], topologySpreadConstraints: [{maxSkew: 1, topologyKey: z, whenUnsatisfiable: DoNotSchedule}], hostAliases: [{ip: \"1.2.3.4\", hostnames: [a]}]}}}\n",
        ])
        .to_owned()
}

/// Operations on paths.
fn operations(chance: &mut Chance) -> String {
    let mut list = Vec::new();
    for _ in 0..=chance.below(2) {
        list.push(chance.of(&[
            "{op: replace, path: /metadata/name, value: renamed}",
            "{op: add, path: /metadata/labels/new, value: \"1\"}",
            "{op: remove, path: /metadata/labels}",
            "{op: add, path: /spec/template/spec/containers/-, value: {name: z, image: z}}",
            "{op: replace, path: /spec/template/spec/containers/0/image, value: \"patched:1\"}",
            "{op: remove, path: /spec/template/spec/containers/1}",
            "{op: add, path: /metadata/annotations/a~1b, value: x}",
            "{op: test, path: /metadata/name, value: web}",
            "{op: copy, from: /metadata/name, path: /metadata/labels/copy}",
            "{op: move, from: /metadata/labels/app, path: /metadata/labels/moved}",
            "{op: add, path: /spec/new, value: {deep: [1, null, true, 1.5]}}",
            "{op: replace, path: /spec/replicas, value: 7}",
            "{op: add, path: /spec/list/0, value: {name: first}}",
            "{op: add, path: /data/x, value: \"0x1\"}",
            "{op: replace, path: /nope, value: 1}",
            "{op: add, path: /spec/ports/1, value: {port: 1}}",
            "{op: add, path: /metadata/annotations, value: {only: y}}",
        ]));
    }
    list.iter().map(|operation| format!("- {operation}\n")).collect()
}

fn target(chance: &mut Chance) -> &'static str {
    chance.of(&[
        "{kind: Deployment}",
        "{kind: ConfigMap, name: config}",
        "{name: web}",
        "{labelSelector: \"app=web\"}",
        "{annotationSelector: \"note\"}",
        "{kind: \"Deploy.*|Service\"}",
        "{group: apps}",
        "{version: v1, kind: Service}",
        "{kind: Custom}",
        "{namespace: data}",
        "{name: \"w.b\"}",
        "{labelSelector: \"app in (web, db), tier!=2\"}",
        "{name: nope}",
        "{kind: StatefulSet, name: db}",
        "{}",
    ])
}

fn indented(text: &str, by: &str) -> String {
    text.lines().map(|line| format!("{by}{line}\n")).collect()
}

fn patches(chance: &mut Chance, files: &mut Files, folder: &str) -> String {
    let mut text = String::from("patches:\n");
    for _ in 0..=chance.below(2) {
        match chance.below(5) {
            0 => text.push_str(&format!("- patch: |-\n{}", indented(&patch(chance), "    "))),
            1 => {
                files.add(&format!("{folder}patch.yaml"), patch(chance));
                text.push_str("- path: patch.yaml\n");
            }
            2 => text.push_str(&format!(
                "- patch: |-\n{}  target: {}\n",
                indented(&operations(chance), "    "),
                target(chance)
            )),
            3 => {
                let options = chance.of(&[
                    "",
                    "  options: {allowNameChange: true}\n",
                    "  options: {allowKindChange: true}\n",
                    "  options: {allowNameChange: true, allowKindChange: true}\n",
                ]);
                text.push_str(&format!(
                    "- patch: |-\n{}  target: {}\n{options}",
                    indented(&patch(chance), "    "),
                    target(chance)
                ));
            }
            _ => {
                files.add(&format!("{folder}operations.yaml"), operations(chance));
                text.push_str(&format!("- path: operations.yaml\n  target: {}\n", target(chance)));
            }
        }
    }
    text
}

fn json_patches(chance: &mut Chance, _: &mut Files, _: &str) -> String {
    let target = chance.of(&[
        "{version: v1, kind: Service, name: svc}",
        "{group: apps, version: v1, kind: Deployment, name: web}",
        "{version: v1, kind: ConfigMap, name: config}",
    ]);
    format!("patchesJson6902:\n- target: {target}\n  patch: |-\n{}", indented(&operations(chance), "    "))
}

fn replacements(chance: &mut Chance, files: &mut Files, folder: &str) -> String {
    let one = |chance: &mut Chance| {
        let source = chance.of(&[
            "{kind: ConfigMap, name: config, fieldPath: data.k}", "{kind: ConfigMap, name: config, fieldPath: data.host, options: {delimiter: ., index: 1}}", "{kind: Deployment, name: web}", "{kind: Service, name: svc, fieldPath: spec.ports.0.port}",
            "{kind: Deployment, name: web, fieldPath: \"spec.template.spec.containers.[name=main].image\"}", "{kind: Custom, fieldPath: spec.list}", "{kind: ConfigMap, name: generated}", "{kind: Secret, name: secret, fieldPath: metadata}",
            "{kind: Deployment, fieldPath: spec.replicas}", "{kind: Custom, fieldPath: spec.ref}", "{kind: ConfigMap, name: config, fieldPath: data.number}", "{kind: Service, name: svc, fieldPath: metadata.annotations.a/b}", "{kind: Deployment, name: web, fieldPath: \"spec.template.spec.containers.0.image\", options: {delimiter: \":\", index: 0}}",
        ]);
        let select = chance.of(&[
            "{kind: Deployment}",
            "{kind: ConfigMap}",
            "{name: web}",
            "{kind: Custom}",
            "{kind: Service, name: svc}",
            "{group: apps}",
            "{namespace: data}",
            "{kind: \".*Map\"}",
        ]);
        let path = chance.of(&[
            "metadata.labels.new",
            "\"spec.template.spec.containers.*.image\"",
            "\"spec.template.spec.containers.[name=main].env.[name=A].value\"",
            "data.k",
            "spec.replicas",
            "metadata.annotations.x",
            "\"metadata.annotations.[config.kubernetes.io/x]\"",
            "spec.list.0.v",
            "\"spec.list.[name=b].v\"",
            "spec.deep.new.field",
            "\"spec.ports.[port=80].name\"",
            "data.host",
            "metadata.name",
            "spec.selector",
            "\"spec.template.spec.containers.[name=new].image\"",
            "spec.text",
            "\"spec.list.-.v\"",
            "data.yaml",
            "\"spec.template.spec.containers.[image=nginx:1.14.2].name\"",
            "spec.template.metadata.labels.app",
            "metadata.namespace",
        ]);
        let options = chance.of(&[
            "",
            "",
            "    options: {create: true}\n",
            "    options: {delimiter: ., index: 0}\n",
            "    options: {delimiter: \":\", index: 1}\n",
            "    options: {delimiter: /, index: -1, create: true}\n",
            "    options: {delimiter: \"-\", index: 5}\n",
        ]);
        let reject = chance.of(&[
            "",
            "",
            "",
            "    reject: [{name: web}]\n",
            "    reject: [{kind: ConfigMap, name: config}, {labelSelector: app=web}]\n",
        ]);
        format!(
            "- source: {source}\n  targets:\n  - select: {select}\n    fieldPaths: [{path}]\n{options}{reject}"
        )
    };
    let mut text = String::from("replacements:\n");
    text.push_str(&one(chance));
    if chance.percent(25) {
        let beside = one(chance);
        files.add(&format!("{folder}replacement.yaml"), beside);
        text.push_str("- path: replacement.yaml\n");
    }
    text
}

fn vars(chance: &mut Chance, _: &mut Files, _: &str) -> String {
    let field = chance.of(&[
        "",
        "  fieldref: {fieldpath: metadata.name}\n",
        "  fieldref: {fieldpath: \"spec.ports[0].port\"}\n",
        "  fieldref: {fieldpath: metadata.namespace}\n",
        "  fieldref: {fieldpath: data.k}\n",
    ]);
    let object = chance.of(&[
        "{kind: Service, name: svc, apiVersion: v1}",
        "{kind: ConfigMap, name: config, apiVersion: v1}",
        "{kind: Deployment, name: web, apiVersion: apps/v1}",
    ]);
    format!("vars:\n- name: HOST\n  objref: {object}\n{field}")
}

fn configurations(chance: &mut Chance, files: &mut Files, folder: &str) -> String {
    let text = chance.of(&[
        "images:\n- {path: spec/image, kind: Custom}\n",
        "nameReference:\n- kind: ConfigMap\n  fieldSpecs:\n  - {path: spec/ref/name, kind: Custom}\n",
        "namePrefix:\n- {path: spec/text, kind: Custom}\n",
        "commonLabels:\n- {path: spec/labels, create: true, kind: Custom}\n",
        "varReference:\n- {path: data, kind: ConfigMap}\n",
        "replicas:\n- {path: spec/replicas, kind: Custom, create: true}\n",
        "namespace:\n- {path: spec/ns, create: true, kind: Custom}\n",
        "commonAnnotations:\n- {path: spec/notes, create: true}\n",
    ]);
    files.add(&format!("{folder}configuration.yaml"), text);
    "configurations: [configuration.yaml]\n".to_owned()
}

fn transformers(chance: &mut Chance, files: &mut Files, folder: &str) -> String {
    let (field, text) = *chance.pick(&[
        ("transformers", "apiVersion: builtin\nkind: PrefixTransformer\nmetadata: {name: t}\nprefix: t-\nfieldSpecs: [{path: metadata/name, kind: Deployment}]\n"),
        ("transformers", "apiVersion: builtin\nkind: NamespaceTransformer\nmetadata: {name: t, namespace: tns}\nsetRoleBindingSubjects: allServiceAccounts\nunsetOnly: true\nfieldSpecs: [{path: metadata/namespace, create: true}]\n"),
        ("transformers", "apiVersion: builtin\nkind: LabelTransformer\nmetadata: {name: t}\nlabels: {t: \"1\"}\nfieldSpecs: [{path: metadata/labels, create: true}, {path: spec/template/metadata/labels, create: true, kind: Deployment}]\n"),
        ("transformers", "apiVersion: builtin\nkind: AnnotationsTransformer\nmetadata: {name: t}\nannotations: {t: x}\nfieldSpecs: [{path: metadata/annotations, create: true}]\n"),
        ("transformers", "apiVersion: builtin\nkind: PatchTransformer\nmetadata: {name: t}\npatch: '[{\"op\": \"add\", \"path\": \"/metadata/labels/pt\", \"value\": \"1\"}]'\ntarget: {kind: Service}\n"),
        ("transformers", "apiVersion: builtin\nkind: ValueAddTransformer\nmetadata: {name: t}\nvalue: added\ntargets: [{selector: {kind: Service}, fieldPath: metadata/extra}]\n"),
        ("transformers", "apiVersion: builtin\nkind: ReplacementTransformer\nmetadata: {name: t}\nreplacements:\n- source: {kind: ConfigMap, name: config, fieldPath: data.k}\n  targets: [{select: {kind: Service}, fieldPaths: [metadata.labels.r], options: {create: true}}]\n"),
        ("transformers", "apiVersion: builtin\nkind: HashTransformer\nmetadata: {name: t}\n"),
        ("generators", "apiVersion: builtin\nkind: ConfigMapGenerator\nmetadata: {name: made}\nliterals: [a=b]\n"),
        ("generators", "apiVersion: builtin\nkind: SecretGenerator\nmetadata: {name: made, namespace: data}\nliterals: [a=b]\ntype: Opaque\n"),
        ("validators", "apiVersion: builtin\nkind: LabelTransformer\nmetadata: {name: t}\nlabels: {app: web}\nfieldSpecs: [{path: metadata/labels, create: true}]\n"),
        ("transformers", "apiVersion: builtin\nkind: ImageTagTransformer\nmetadata: {name: t}\nimageTag: {name: nginx, newTag: tt}\nfieldSpecs: [{path: spec/image}]\n"),
        ("transformers", "apiVersion: builtin\nkind: ReplicaCountTransformer\nmetadata: {name: t}\nreplica: {name: web, count: 9}\nfieldSpecs: [{path: spec/replicas, create: true, kind: Deployment}]\n"),
        ("transformers", "apiVersion: builtin\nkind: SortOrderTransformer\nmetadata: {name: t}\nsortOptions: {order: legacy}\n"),
        ("transformers", "apiVersion: builtin\nkind: PatchStrategicMergeTransformer\nmetadata: {name: t}\npatches: |-\n  apiVersion: v1\n  kind: Service\n  metadata: {name: svc}\n  spec: {type: NodePort}\n"),
        ("transformers", "apiVersion: builtin\nkind: PatchJson6902Transformer\nmetadata: {name: t}\ntarget: {kind: Service, name: svc, version: v1}\njsonOp: '[{\"op\": \"remove\", \"path\": \"/spec/ports/0\"}]'\n"),
        ("transformers", "apiVersion: builtin\nkind: IAMPolicyGenerator\nmetadata: {name: t}\n"),
    ]);
    files.add(&format!("{folder}plugin.yaml"), text);
    format!("{field}: [plugin.yaml]\n")
}
