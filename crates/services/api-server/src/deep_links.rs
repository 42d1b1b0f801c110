//! Links that `argocd-cm` puts beside applications, projects and resources: templates of addresses, some with a
//! condition. A link that cannot be made is left out and logged; the others stand.

use crate::hub::Hub;
use api::v1alpha1::{AppProject, Application, Cluster};
use gotemplate::{Functions, MissingKey, Nowhere, Templates};
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use tonic::Status;
use wire::application::{LinkInfo, LinksResponse};

/// Longest address.
const LONGEST: usize = 64 << 10;
/// What one template may take.
const STEPS: u64 = 1_000_000;
/// An application that another Argo CD made says where that one is.
const MANAGED_BY: &str = "argocd.argoproj.io/managed-by-url";

/// What templates and conditions know.
#[derive(Default)]
pub(crate) struct Known(Map<String, Value>);

impl Known {
    /// Adds the object the links are beside.
    pub(crate) fn resource(mut self, object: Value) -> Self {
        self.0.insert("resource".into(), object);
        self
    }

    /// Adds an application, under both its names.
    pub(crate) fn application(mut self, application: &Application) -> Self {
        let address = application.metadata.annotations.get(MANAGED_BY);
        if let Some(address) = address.filter(|address| is_external(address)) {
            self.0.insert("managedByURL".into(), address.as_str().into());
        }
        let value = json!(application);
        self.0.insert("app".into(), value.clone());
        self.0.insert("application".into(), value);
        self
    }

    /// Adds the address of this Argo CD, where no other one manages the application.
    pub(crate) fn managed_here(mut self, own: &str) -> Self {
        if !own.is_empty() && !self.0.contains_key("managedByURL") {
            self.0.insert("managedByURL".into(), own.into());
        }
        self
    }

    /// Adds a project, without the records of its tokens.
    pub(crate) fn project(mut self, project: &AppProject) -> Self {
        let mut shown = project.clone();
        shown.status = Default::default();
        for role in &mut shown.spec.roles {
            role.jwt_tokens.clear();
        }
        self.0.insert("project".into(), json!(shown));
        self
    }

    /// Adds a cluster: what names and describes it, and nothing that opens it.
    pub(crate) fn cluster(mut self, cluster: &Cluster) -> Self {
        let mut shown = Map::from_iter([
            ("server".to_owned(), json!(cluster.server)),
            ("name".to_owned(), json!(cluster.name)),
        ]);
        let further = [
            ("namespaces", (!cluster.namespaces.is_empty()).then(|| json!(cluster.namespaces))),
            ("shard", cluster.shard.map(|shard| json!(shard))),
            ("project", (!cluster.project.is_empty()).then(|| json!(cluster.project))),
            ("labels", (!cluster.labels.is_empty()).then(|| json!(cluster.labels))),
            ("annotations", (!cluster.annotations.is_empty()).then(|| json!(cluster.annotations))),
        ];
        shown.extend(further.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
        self.0.insert("cluster".into(), Value::Object(shown));
        self
    }
}

impl Hub {
    /// The links, made with what is known, beside the object called `name`.
    pub(crate) async fn links(
        &self,
        links: Vec<Value>,
        known: Known,
        name: &str,
    ) -> Result<LinksResponse, Status> {
        let name = name.to_owned();
        let items = self
            .scripted(move || {
                let data = Value::Object(known.0);
                let made = links.iter().map(|link| make(link, &data));
                made.filter_map(|made| {
                    made.unwrap_or_else(|problem| {
                        tracing::warn!(beside = %name, "{problem}");
                        None
                    })
                })
                .collect()
            })
            .await?;
        Ok(LinksResponse { items })
    }
}

/// What is wrong with the address of the Argo CD that an application says manages it.
pub(crate) fn managed_by_problem(application: &Application) -> Option<String> {
    let address = application.metadata.annotations.get(MANAGED_BY).filter(|address| !address.is_empty())?;
    let problem = match url::Url::parse(address) {
        Ok(url) if matches!(url.scheme(), "http" | "https") => return None,
        Ok(_) | Err(url::ParseError::RelativeUrlWithoutBase) => {
            "URL must include http or https protocol".to_owned()
        }
        Err(error) => format!("failed to parse URL: {error}"),
    };
    Some(format!("invalid managed-by URL: {problem}"))
}

/// An address of a web page; anything else would run in a user's browser.
fn is_external(address: &str) -> bool {
    url::Url::parse(address)
        .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.host_str().is_some())
}

/// An address that runs in the page that shows it: what a link is made of may be anybody's.
fn is_script(address: &str) -> bool {
    url::Url::parse(address).is_ok_and(|url| {
        matches!(url.scheme(), "javascript" | "data" | "vbscript" | "blob" | "file" | "view-source")
    })
}

/// A link, unless its condition does not hold.
fn make(link: &Value, data: &Value) -> Result<Option<LinkInfo>, String> {
    let text = |member: &str| link.get(member).and_then(Value::as_str).map(str::to_owned);
    let template = text("url").unwrap_or_default();
    if let Some(condition) = text("if")
        && !holds(&condition, data)?
    {
        return Ok(None);
    }
    let mut templates = Templates::new(functions());
    templates
        .parse("deep-link", &template)
        .map_err(|error| format!("the link's template {template:?} cannot be read: {error}"))?;
    let limits = gotemplate::Limits { output: LONGEST, steps: STEPS, ..gotemplate::Limits::default() };
    let value = gotemplate::Value::from_json(data);
    let address = templates
        .execute("deep-link", &value, &mut Nowhere, MissingKey::Default, limits)
        .map_err(|error| format!("the link's template {template:?} cannot be filled in: {error}"))?;
    if is_script(&address) {
        return Err(format!("the link's template {template:?} gives an address that a browser would run"));
    }
    Ok(Some(LinkInfo {
        title: text("title").unwrap_or_default(),
        url: address,
        description: text("description"),
        icon_class: text("icon.class"),
    }))
}

/// Sprig's functions without those that look at the server.
fn functions() -> Functions {
    Functions::sprig().without("env").without("expandenv").without("getHostByName")
}

fn holds(condition: &str, data: &Value) -> Result<bool, String> {
    let failed = |error: expr::ExprError| format!("the link's condition {condition:?} fails: {error}");
    let program = expr::Program::compile(condition).map_err(failed)?;
    let variables: BTreeMap<String, expr::Value> = data
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, value)| (name.clone(), expr::Value::from_json(value)))
        .collect();
    let limits = expr::Limits { steps: 100_000, memory: 100_000 };
    match program.run(&variables, Timestamp::now(), limits).map_err(failed)? {
        expr::Value::Bool(holds) => Ok(holds),
        _ => Err(format!("the link's condition {condition:?} is neither true nor false")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn application() -> Value {
        let mut application = Application::default();
        application.metadata.name = "guestbook".into();
        let cluster = Cluster { server: "https://c".into(), ..Cluster::default() };
        Value::Object(Known::default().application(&application).cluster(&cluster).0)
    }

    #[test]
    fn a_link_is_made_where_its_condition_holds() {
        let link = json!({
            "url": "https://x/{{.app.metadata.name | upper}}", "title": "t", "icon.class": "fa-x",
            "if": "application.metadata.name == \"guestbook\""
        });
        let made = make(&link, &application()).unwrap().unwrap();
        assert_eq!((made.url.as_str(), made.title.as_str()), ("https://x/GUESTBOOK", "t"));
        assert_eq!((made.icon_class.as_deref(), made.description), (Some("fa-x"), None));
        let other = json!({"url": "https://x", "title": "t", "if": "app.metadata.name == \"x\""});
        assert_eq!(make(&other, &application()), Ok(None));
        let wrong = json!({"url": "https://x", "title": "t", "if": "app.metadata.name"});
        assert!(make(&wrong, &application()).unwrap_err().contains("neither true nor false"));
    }

    #[test]
    fn cve_2022_31035_cve_2024_28175_cve_2026_45738_no_link_runs_in_a_browser() {
        let mut known = application();
        let made =
            |known: &Value| make(&json!({"url": "{{.app.metadata.annotations.link}}", "title": "t"}), known);
        for address in [
            "javascript:alert(1)",
            " java\nscript:alert(1)",
            "JAVASCRIPT:x",
            "data:text/html,x",
            "vbscript:x",
        ] {
            known["app"]["metadata"]["annotations"] = json!({"link": address});
            assert!(made(&known).unwrap_err().contains("a browser would run"), "{address}");
        }
        for address in ["https://x.example/javascript:y", "/relative", "ssh://git@x.example"] {
            known["app"]["metadata"]["annotations"] = json!({"link": address});
            assert_eq!(made(&known).unwrap().unwrap().url, address);
        }
    }

    #[test]
    fn nothing_of_the_server_is_told() {
        for template in ["{{env \"PATH\"}}", "{{expandenv \"$PATH\"}}", "{{getHostByName \"x\"}}"] {
            let link = json!({"url": template, "title": "t"});
            assert!(make(&link, &application()).unwrap_err().contains("cannot be read"), "{template}");
        }
        let known = application();
        assert_eq!(known["cluster"], json!({"server": "https://c", "name": ""}));
    }

    #[test]
    fn only_addresses_of_pages_lead_out() {
        assert!(is_external("https://other.example/argo"));
        assert!(!is_external("javascript:alert(1)") && !is_external("other"));
    }
}
