//! Amazon SQS: the queue's address is asked for, then the message is sent. Amazon's own SDK would
//! be larger than everything else here.

use super::amazon::Amazon;
use super::{Delivery, text};
use crate::failure::Failure;
use crate::http::{Client, Connection, Outlet, Request, shown};
use crate::json::{plain, short};
use crate::reach::Reach;
use async_trait::async_trait;
use aws_signature::{Request as Signed, Scope, Signer};
use cloud_reach::amazon::domain;
use notify::fields::Members;
use notify::{Destination, Notification};
use object::Secret;
use serde_json::{Map, Value};
use tokio::sync::OnceCell;

const TYPE: &str = "application/x-amz-json-1.0";
const DELAY_SECONDS: i64 = 10;

struct Sqs {
    outlet: Outlet,
    /// As configured or in a variable; empty where the profile may say.
    region: String,
    /// As configured.
    endpoint: String,
    /// Known from the first delivery on.
    place: OnceCell<Place>,
    account: String,
    queue: String,
    keys: Keys,
}

/// Where requests go.
struct Place {
    client: Client,
    endpoint: String,
    region: String,
}

/// What requests are signed with.
enum Keys {
    /// As configured.
    Own { key: Secret<String>, secret: Secret<String>, region: Option<Amazon> },
    /// This process' own, from wherever Amazon gives them.
    Ours(Amazon),
    /// A configuration of users' own does not act as this process.
    Nobody,
}

/// The keys of one request.
struct Signing {
    key: Secret<String>,
    secret: Secret<String>,
    session: Secret<String>,
}

impl Keys {
    /// What says the region where neither the configuration nor a variable does.
    fn amazon(&self) -> Option<&Amazon> {
        match self {
            Self::Own { region, .. } => region.as_ref(),
            Self::Ours(amazon) => Some(amazon),
            Self::Nobody => None,
        }
    }

    async fn now(&self, region: &str) -> Result<Signing, Failure> {
        match self {
            Self::Own { key, secret, .. } => {
                Ok(Signing { key: key.clone(), secret: secret.clone(), session: Secret::new(String::new()) })
            }
            Self::Ours(amazon) => {
                let (key, secret, session) = amazon.keys(region).await?;
                Ok(Signing { key, secret, session })
            }
            Self::Nobody => Err(Failure::lasting("awssqs: no credentials: set key and secret")),
        }
    }
}

pub(super) fn set_up(options: &Members<'_>, outlet: &Outlet) -> Result<Box<dyn Delivery>, String> {
    let variable = |name: &str| outlet.world.environment.get(name).cloned().unwrap_or_default();
    let or = |text: String, default: &str| if text.is_empty() { variable(default) } else { text };
    // In this order for the queue, as in the original; Amazon's own order is the other one.
    let region = or(or(options.text("region")?, "AWS_DEFAULT_REGION"), "AWS_REGION");
    let (key, secret) = (options.text("key")?, options.text("secret")?);
    let amazon = match outlet.reach {
        Reach::Ours => Some(Amazon::new(&outlet.world)?),
        Reach::Users => None,
    };
    let keys = match amazon {
        region if !key.is_empty() && !secret.is_empty() => {
            Keys::Own { key: key.into(), secret: secret.into(), region }
        }
        Some(amazon) => Keys::Ours(amazon),
        None => Keys::Nobody,
    };
    Ok(Box::new(Sqs {
        outlet: outlet.clone(),
        region,
        endpoint: options.text("endpointUrl")?,
        place: OnceCell::new(),
        account: options.text("account")?,
        queue: options.text("queue")?,
        keys,
    }))
}

impl Sqs {
    async fn place(&self) -> Result<Place, Failure> {
        let region = match self.keys.amazon() {
            Some(amazon) if self.region.is_empty() => amazon.region().await?,
            _ => self.region.clone(),
        };
        if region.is_empty() {
            return Err(Failure::lasting(
                "awssqs: no region: set region, or AWS_REGION, or region in the profile",
            ));
        }
        let endpoint = match self.endpoint.as_str() {
            "" => format!("https://sqs.{region}.{}/", domain(&region)),
            url => url.to_owned(),
        };
        Ok(Place { client: self.outlet.client(&endpoint, &Connection::default())?, endpoint, region })
    }
}

impl Place {
    async fn call(&self, signing: &Signing, action: &str, body: &Value) -> Result<Value, Failure> {
        let url = url::Url::parse(&self.endpoint).map_err(|error| format!("awssqs: endpointUrl: {error}"))?;
        let body = plain(body);
        let moment = jiff::Timestamp::now().strftime("%Y%m%dT%H%M%SZ").to_string();
        let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
        let host = format!("{}{port}", url.host_str().unwrap_or_default());
        let mut headers =
            vec![("content-type", TYPE.to_owned()), ("host", host), ("x-amz-date", moment.clone())];
        if !signing.session.is_empty() {
            headers.push(("x-amz-security-token", signing.session.reveal().clone()));
        }
        headers.push(("x-amz-target", format!("AmazonSQS.{action}")));
        headers.push(("x-amzn-query-mode", "true".to_owned()));
        let scope = Scope { moment: &moment, region: &self.region, service: "sqs" };
        let signer = Signer { key: signing.key.reveal(), secret: signing.secret.reveal(), session: "" };
        let (path, query) = (url.path(), url.query().unwrap_or_default());
        let asked = Signed { method: "POST", path, query, headers: &headers, body: body.as_bytes() };
        let signed = scope.authorization(&signer, &asked);
        let mut request = Request::new("POST", &self.endpoint).header("Authorization", signed);
        for (name, value) in headers.iter().filter(|(name, _)| *name != "host") {
            request = request.header(name, value);
        }
        let answer = self.client.send(request.body(body)).await?;
        if answer.is_good() {
            return answer.json(&format!("SQS {action}"));
        }
        let (status, said) = (answer.status, short(&answer.body));
        let text =
            format!("operation error SQS: {action}, {}: StatusCode: {status}, {said}", shown(&self.endpoint));
        Err(answer.failure(text))
    }
}

#[async_trait]
impl Delivery for Sqs {
    async fn deliver(&self, notification: &Notification, destination: &Destination) -> Result<(), Failure> {
        let place = self.place.get_or_try_init(|| self.place()).await?;
        let signing = self.keys.now(&place.region).await?;
        let queue = if destination.recipient.is_empty() { &self.queue } else { &destination.recipient };
        let mut asked = Map::from_iter([("QueueName".to_owned(), Value::from(queue.as_str()))]);
        if !self.account.is_empty() {
            asked.insert("QueueOwnerAWSAccountId".to_owned(), self.account.clone().into());
        }
        let said = place.call(&signing, "GetQueueUrl", &Value::Object(asked)).await?;
        let url = said.get("QueueUrl").and_then(Value::as_str);
        let url = url.ok_or_else(|| Failure::lasting("SQS GetQueueUrl: the answer holds no address"))?;
        let mut message = Map::from_iter([
            ("DelaySeconds".to_owned(), Value::from(DELAY_SECONDS)),
            ("MessageBody".to_owned(), notification.message.clone().into()),
            ("QueueUrl".to_owned(), url.into()),
        ]);
        // Its attributes are rendered only, as in the original.
        let group = text(notification.section("awssqs").as_ref(), "messageGroupId")?;
        if !group.is_empty() {
            message.insert("MessageGroupId".to_owned(), group.into());
        }
        place.call(&signing, "SendMessage", &Value::Object(message)).await?;
        Ok(())
    }
}
