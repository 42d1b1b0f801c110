//! What there is to be notified by: the names in `argocd-notifications-cm`. Everybody with a session may read them;
//! what they stand for holds addresses and templates and is not told.

use crate::hub::Hub;
use std::collections::BTreeSet;
use std::sync::Arc;
use tonic::{Request, Response, Status};
use wire::notification::notification_service_server::NotificationService;
use wire::notification::{
    Service, ServiceList, ServicesListRequest, Template, TemplateList, TemplatesListRequest, Trigger,
    TriggerList, TriggersListRequest,
};

const CONFIG_MAP: &str = "argocd-notifications-cm";

/// Names of notifications.
pub(crate) struct Notifications(pub(crate) Arc<Hub>);

impl Notifications {
    fn names(&self, of: &str) -> BTreeSet<String> {
        let data = self.0.store.config_map(CONFIG_MAP);
        data.keys().filter_map(|key| name(key, of)).map(str::to_owned).collect()
    }
}

/// The name a key is of: `trigger.NAME`, `template.NAME`, `service.TYPE.NAME` or `service.TYPE`.
fn name<'k>(key: &'k str, of: &str) -> Option<&'k str> {
    let rest = key.strip_prefix(of)?.strip_prefix('.')?;
    let name = if of == "service" { rest.split_once('.').map_or(rest, |(_, name)| name) } else { rest };
    (!name.is_empty()).then_some(name)
}

#[tonic::async_trait]
impl NotificationService for Notifications {
    async fn list_triggers(
        &self,
        request: Request<TriggersListRequest>,
    ) -> Result<Response<TriggerList>, Status> {
        self.0.enter(request)?;
        let items = self.names("trigger").into_iter().map(|name| Trigger { name }).collect();
        Ok(Response::new(TriggerList { items }))
    }

    async fn list_services(
        &self,
        request: Request<ServicesListRequest>,
    ) -> Result<Response<ServiceList>, Status> {
        self.0.enter(request)?;
        let items = self.names("service").into_iter().map(|name| Service { name }).collect();
        Ok(Response::new(ServiceList { items }))
    }

    async fn list_templates(
        &self,
        request: Request<TemplatesListRequest>,
    ) -> Result<Response<TemplateList>, Status> {
        self.0.enter(request)?;
        let items = self.names("template").into_iter().map(|name| Template { name }).collect();
        Ok(Response::new(TemplateList { items }))
    }
}

#[cfg(test)]
mod tests {
    use super::name;

    #[test]
    fn names_are_what_follows_the_kind() {
        assert_eq!(name("trigger.on-hello", "trigger"), Some("on-hello"));
        assert_eq!(name("service.webhook.first", "service"), Some("first"));
        assert_eq!(name("service.slack", "service"), Some("slack"));
        assert_eq!(name("template.a.b", "template"), Some("a.b"));
        for other in ["templates.x", "template", "template.", "context", "defaultTriggers"] {
            assert_eq!(name(other, "template"), None);
        }
    }
}
