//! What each service lets a template say: its fields by the names of the documentation, which of them are templates, and
//! how several templates of one trigger come together. One table instead of a structure per service. A service needs none:
//! every text of its section is a template then.

/// How a field is read and rendered.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    /// A template.
    Template,
    /// A template whose value is always given over, even when it is empty.
    Set,
    /// A text as it stands.
    Text,
    /// A truth.
    Flag,
    /// Texts as they stand.
    Texts,
    /// A list of templates.
    Templates,
    /// Templates by name; one that renders to nothing stays as it was written.
    Map,
    /// Templates by name, whatever they render to.
    Filled,
    /// A structure inside.
    Section(&'static [Field]),
    /// A list of structures.
    Sections(&'static [Field]),
    /// The same structure by the names of services.
    ByName(&'static [Field]),
}

/// A field.
#[derive(Clone, Copy)]
pub(crate) struct Field {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    /// Whether it is shown when it is empty.
    pub(crate) always: bool,
    /// What it is when nothing is written.
    pub(crate) default: &'static str,
}

const fn field(name: &'static str, kind: Kind) -> Field {
    Field { name, kind, always: false, default: "" }
}

impl Field {
    const fn shown(self) -> Self {
        Self { always: true, ..self }
    }

    const fn or(self, default: &'static str) -> Self {
        Self { default, ..self }
    }
}

/// Where an application's repository is, as the original has it and people are shown it.
pub(crate) const REPOSITORY: &str = "{{.app.spec.source.repoURL}}";
/// What was synced last.
pub(crate) const REVISION: &str = "{{.app.status.operationState.syncResult.revision}}";

use Kind::{ByName, Filled, Flag, Map, Section, Sections, Set, Template, Templates, Text, Texts};

const TEAMS: &[Field] = &[
    field("template", Template),
    field("title", Template),
    field("summary", Template),
    field("text", Template),
    field("themeColor", Template),
    field("facts", Template),
    field("sections", Template),
    field("potentialAction", Template),
];

const TEAMS_WORKFLOWS: &[Field] = &[
    field("template", Template),
    field("title", Template),
    field("summary", Template),
    field("text", Template),
    field("themeColor", Template),
    field("facts", Template),
    field("sections", Template),
    field("potentialAction", Template),
    field("adaptiveCard", Template),
];

const STATUS: &[Field] = &[field("state", Set), field("label", Set), field("targetURL", Set)];

const GITHUB: &[Field] = &[
    field("status", Section(STATUS)),
    field(
        "deployment",
        Section(&[
            field("state", Set),
            field("environment", Set),
            field("environmentURL", Set),
            field("logURL", Set),
            field("requiredContexts", Texts).shown(),
            field("autoMerge", Flag).or("true"),
            field("transientEnvironment", Flag).or("false"),
            field("reference", Set),
        ]),
    ),
    field("pullRequestComment", Section(&[field("content", Set), field("commentTag", Text)])),
    field("repoURLPath", Text).or(REPOSITORY),
    field("revisionPath", Text).or(REVISION),
    field(
        "checkRun",
        Section(&[
            field("name", Set),
            field("details_url", Set),
            field("status", Set),
            field("conclusion", Set),
            field("started_at", Set),
            field("completed_at", Set),
            field("output", Section(&[field("title", Set), field("summary", Set), field("text", Set)])),
        ]),
    ),
    field("repositoryDispatch", Section(&[field("event_type", Set), field("client_payload", Set)])),
];

const GITLAB: &[Field] = &[
    field("status", Section(STATUS)),
    field(
        "deployment",
        Section(&[
            field("state", Set),
            field("environment", Set),
            field("reference", Set),
            field("tag", Flag),
        ]),
    ),
    field("mergeRequestComment", Section(&[field("content", Set)])),
    field("repoURLPath", Text).or(REPOSITORY),
    field("revisionPath", Text).or(REVISION),
];

const OPSGENIE: &[Field] = &[
    field("description", Set).shown(),
    field("priority", Set),
    field("alias", Set),
    field("note", Set),
    field("actions", Templates),
    field("tags", Templates),
    field("details", Filled),
    field("entity", Set),
    field(
        "visibleTo",
        Sections(&[
            field("type", Set).shown(),
            field("name", Set),
            field("id", Set),
            field("username", Set).shown(),
        ]),
    ),
    field("user", Set),
];

/// A service's section.
pub(crate) struct Service {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    /// Whether a template that does not parse is told with the field's name before it.
    pub(crate) named_errors: bool,
}

const fn service(name: &'static str, fields: &'static [Field]) -> Service {
    Service { name, kind: Section(fields), named_errors: false }
}

/// All sections, in the order they are shown in.
pub(crate) const SERVICES: &[Service] = &[
    service("awssqs", &[field("messageAttributes", Map).shown(), field("messageGroupId", Template)]),
    service("email", &[field("subject", Template), field("body", Template)]),
    service(
        "slack",
        &[
            field("username", Set),
            field("icon", Set),
            field("attachments", Set),
            field("blocks", Set),
            field("groupingKey", Set).shown(),
            field("notifyBroadcast", Flag).or("false").shown(),
            field("deliveryPolicy", Text).or("Post").shown(),
        ],
    ),
    service("mattermost", &[field("attachments", Set)]),
    service("rocketchat", &[field("attachments", Set)]),
    Service { name: "teams", kind: Section(TEAMS), named_errors: true },
    Service { name: "teams-workflows", kind: Section(TEAMS_WORKFLOWS), named_errors: true },
    Service {
        name: "webhook",
        kind: ByName(&[
            field("method", Text).shown(),
            field("body", Set).shown(),
            field("path", Set).shown(),
        ]),
        named_errors: false,
    },
    service("opsgenie", OPSGENIE),
    service("github", GITHUB),
    service("gitlab", GITLAB),
    service(
        "alertmanager",
        &[
            field("labels", Map).shown(),
            field("annotations", Map).shown(),
            field("generatorURL", Template).or(REPOSITORY).shown(),
            field("startsAt", Text).or("0001-01-01T00:00:00Z").shown(),
        ],
    ),
    Service {
        name: "googlechat",
        kind: Section(&[
            field("cards", Template).shown(),
            field("cardsV2", Template).shown(),
            field("threadKey", Template),
        ]),
        named_errors: true,
    },
    service(
        "pagerduty",
        &[field("title", Set).shown(), field("body", Set), field("urgency", Set), field("priorityId", Set)],
    ),
    service(
        "pagerdutyv2",
        &[
            field("summary", Set).shown(),
            field("severity", Set).shown(),
            field("source", Set).shown(),
            field("component", Set),
            field("group", Set),
            field("class", Set),
            field("url", Set).shown(),
            field("dedupKey", Set),
        ],
    ),
    service(
        "newrelic",
        &[
            field("revision", Set).or(REVISION).shown(),
            field("changelog", Set)
                .or("{{(call .repo.GetCommitMetadata .app.status.sync.revision).Message}}"),
            field("description", Set),
            field("user", Set).or("{{(call .repo.GetCommitMetadata .app.status.sync.revision).Author}}"),
        ],
    ),
    service("grafana", &[field("tags", Set)]),
];

/// Services that take nothing but the message: what templates say under their names is left aside, as in the original.
pub(crate) const MESSAGE_ONLY: &[&str] = &["nats", "pushover", "telegram", "webex"];

/// Whether a service's section is as it is written, with a template in every text: that of a service without a table.
pub(crate) fn is_open(service: &str) -> bool {
    !MESSAGE_ONLY.contains(&service) && !SERVICES.iter().any(|known| known.name == service)
}

/// Whether the default stands in the configuration that people are shown. Defaults of templates do not: they only
/// take effect when something is sent.
pub(crate) fn default_is_shown(field: &Field) -> bool {
    !field.default.contains("{{") && !matches!(field.kind, Flag if !field.always)
}
