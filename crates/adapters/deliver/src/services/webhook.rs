//! Webhooks: any method, path and body, with headers, a password, and retries of its own.

use super::{Delivery, connection};
use crate::failure::Failure;
use crate::http::{Answer, Client, Outlet, Request, shown};
use crate::json::short;
use async_trait::async_trait;
use notify::fields::Members;
use notify::{Destination, Notification};
use object::Secret;
use std::time::Duration;
use url::Url;

/// However many retries somebody asks for.
const MOST_RETRIES: i64 = 20;
/// However long somebody wants to wait in between.
const LONGEST_WAIT: Duration = Duration::from_secs(300);
/// What stands for the path that is configured.
const HIDDEN: &str = "/+++++";

struct Webhook {
    client: Client,
    url: Secret<String>,
    headers: Vec<(String, Secret<String>)>,
    basic: Option<(String, Secret<String>)>,
    wait_min: Duration,
    wait_max: Duration,
    retries: u32,
}

pub(super) fn set_up(options: &Members<'_>, outlet: &Outlet) -> Result<Box<dyn Delivery>, String> {
    let url = options.text("url")?;
    let mut headers = Vec::new();
    for header in options.sections("headers")? {
        headers.push((header.text("name")?, Secret::new(header.text("value")?)));
    }
    let basic = match options.section("basicAuth")? {
        Some(basic) => Some((basic.text("username")?, Secret::new(basic.text("password")?))),
        None => None,
    };
    let retries = match options.integer("retryMax")? {
        0 => 3,
        asked => asked.clamp(0, MOST_RETRIES),
    };
    Ok(Box::new(Webhook {
        client: outlet.client(&url, &connection(options)?)?,
        url: Secret::new(url),
        headers,
        basic,
        wait_min: wait(options, "retryWaitMin", 1)?,
        wait_max: wait(options, "retryWaitMax", 5)?,
        retries: u32::try_from(retries).unwrap_or(3),
    }))
}

/// Nanoseconds, or a text like `1s`.
fn wait(options: &Members<'_>, name: &str, default_seconds: u64) -> Result<Duration, String> {
    let default = Duration::from_secs(default_seconds);
    let wait = match options.get(name) {
        None => default,
        Some(serde_json::Value::String(text)) => {
            let read = text.parse::<object::GoDuration>().map_err(|error| format!("{name}: {error}"))?;
            read.to_std()
        }
        Some(_) => match options.integer(name)? {
            0 => default,
            nanoseconds => Duration::from_nanos(u64::try_from(nanoseconds).unwrap_or(0)),
        },
    };
    Ok(wait.min(LONGEST_WAIT))
}

/// Where a request goes.
struct Place {
    url: String,
    /// For messages: what is configured behind the host may be all there is of a password.
    shown: String,
}

impl Place {
    fn new(configured: &str, path: &str) -> Self {
        let below = |base: &str| match path {
            "" => base.to_owned(),
            path => format!("{}/{}", base.trim_end_matches('/'), path.trim_start_matches('/')),
        };
        let shown = match Url::parse(configured) {
            Ok(url) => {
                let hidden = if url.path().len() > 1 || url.query().is_some() { HIDDEN } else { "" };
                shown(&below(&format!("{}{hidden}", url.origin().ascii_serialization())))
            }
            Err(_) => shown(configured),
        };
        Self { url: below(configured), shown }
    }
}

impl Webhook {
    fn request(&self, method: &str, place: &Place, body: &str) -> Request {
        let mut request = Request::new(method, &place.url).called(&place.shown);
        let has_password = self.basic.is_some();
        for (name, value) in &self.headers {
            // The password comes last in the original and takes the header's place.
            if !(has_password && name.eq_ignore_ascii_case("authorization")) {
                request = request.header(name, value.reveal());
            }
        }
        if let Some((username, password)) = &self.basic {
            request = request.basic(username, password.reveal());
        }
        request.body(body)
    }

    /// Sends, and tries again what may work then.
    async fn attempts(&self, method: &str, place: &Place, body: &str) -> Result<Answer, Failure> {
        let mut attempt = 0;
        loop {
            let sent = self.client.send(self.request(method, place, body)).await;
            let again = match &sent {
                Ok(answer) => answer.status == 429 || (answer.status >= 500 && answer.status != 501),
                Err(failure) => failure.retry,
            };
            if !again {
                return sent;
            }
            if attempt >= self.retries {
                let text = format!("{method} {} giving up after {} attempt(s)", place.shown, attempt + 1);
                return Err(match sent {
                    Ok(answer) => answer.failure(text),
                    Err(failure) => Failure { message: format!("{text}: {}", failure.message), ..failure },
                });
            }
            let factor = 2_u32.saturating_pow(attempt);
            // Nobody else waits for this one: the place is free meanwhile.
            tokio::time::sleep(self.wait_min.saturating_mul(factor).min(self.wait_max)).await;
            attempt += 1;
        }
    }
}

#[async_trait]
impl Delivery for Webhook {
    async fn deliver(&self, notification: &Notification, destination: &Destination) -> Result<(), Failure> {
        let (mut method, mut body) = ("GET".to_owned(), notification.message.clone());
        let mut path = String::new();
        let all = notification.section("webhook");
        if let Some(own) = all.as_ref().map(|all| all.section(&destination.service)).transpose()?.flatten() {
            body = own.text("body")?;
            let asked = own.text("method")?;
            path = own.text("path")?;
            if !asked.is_empty() {
                method = asked;
            }
        }
        let place = Place::new(self.url.reveal(), &path);
        let answer = self.attempts(&method, &place, &body).await?;
        if answer.is_good() {
            return Ok(());
        }
        let about = format!("{{{} {method} {} {}}}", short(&body), place.shown, destination.service);
        let (status, said) = (answer.status, short(&answer.body));
        Err(answer.failure(format!("request to {about} has failed with error code {status} : {said}")))
    }
}
