//! A service that sends to a sink.

use crate::common::Application;
use deliver::{Failure, Services, World};
use notify::{Config, Destination, Origin};
use object::Secret;
use std::collections::BTreeMap;
use testkit::sink::HttpSink;

/// A configuration with services that send to a sink.
pub struct Setup {
    /// Where they send.
    pub sink: HttpSink,
    /// The configuration.
    pub config: Config,
    /// Its services.
    pub services: Services,
    /// What drives them.
    pub runtime: tokio::runtime::Runtime,
}

impl Setup {
    /// `<sink>` in the options is the sink's address; what goes to services with one address for everybody comes there, too,
    /// below `/@HOST`.
    pub fn new(service: &str, options: &str, template: &str, self_service: bool) -> Self {
        let sink = HttpSink::start().expect("a sink");
        Self::within(sink, BTreeMap::new(), service, options, template, self_service)
    }

    /// The same with these variables.
    pub fn within(
        sink: HttpSink,
        environment: BTreeMap<String, String>,
        service: &str,
        options: &str,
        template: &str,
        self_service: bool,
    ) -> Self {
        boot::crypto();
        let options = options.replace("<sink>", &sink.url());
        let data: BTreeMap<String, String> =
            [(format!("service.{service}"), options), ("template.t".to_owned(), template.to_owned())].into();
        let secrets = [("token".to_owned(), Secret::new(b"canary-token".to_vec()))].into();
        let origin = Origin { namespace: "argocd".into(), self_service, hides_secrets: false };
        let config = Config::parse(&data, secrets, origin).expect("a configuration");
        let mut world = World::new(environment);
        world.instead = [
            "api.telegram.org",
            "events.pagerduty.com",
            "sts.eu-north-1.amazonaws.com",
            "sqs.cn-north-1.amazonaws.com.cn",
        ]
        .map(|host| (format!("https://{host}"), format!("{}/@{host}", sink.url())))
        .into();
        let services = Services::new(&config, &world).expect("services");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        Self { sink, config, services, runtime }
    }

    /// Sends the template `t`; no failure names the secret.
    pub fn send(&self, service: &str, recipient: &str) -> Result<(), Failure> {
        self.send_at_once(1, service, recipient)
    }

    /// The same several times at once.
    pub fn send_at_once(&self, times: usize, service: &str, recipient: &str) -> Result<(), Failure> {
        let destination = Destination { service: service.into(), recipient: recipient.into() };
        let notification =
            Application::recorded().notification(&self.config, "t", &destination).expect("a text");
        let sends = (0..times).map(|_| self.services.send(&notification, &destination));
        let sent = self.runtime.block_on(futures::future::try_join_all(sends)).map(|_| ());
        if let Err(failure) = &sent {
            assert!(!failure.message.contains("canary"), "{failure}");
        }
        sent
    }
}
