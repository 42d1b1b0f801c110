//! Amazon SQS: the queue's address is asked for, then the message is sent. Amazon's own SDK would
//! be larger than everything else here.

use super::amazon::{Amazon, domain};
use super::{Delivery, text};
use crate::failure::Failure;
use crate::http::{Client, Connection, Outlet, Request, shown};
use crate::json::{plain, short};
use crate::reach::Reach;
use async_trait::async_trait;
use aws_signature::{Request as Signed, Scope, Signer};
use notify::fields::Members;
use notify::{Destination, Notification};
use object::Secret;
use serde_json::{Map, Value};

const TYPE: &str = "application/x-amz-json-1.0";
const DELAY_SECONDS: i64 = 10;

struct Sqs {
    client: Client,
    endpoint: String,
    region: String,
    account: String,
    queue: String,
    keys: Keys,
}

/// What requests are signed with.
enum Keys {
    /// As configured.
    Own { key: Secret<String>, secret: Secret<String> },
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
    async fn now(&self) -> Result<Signing, Failure> {
        match self {
            Self::Own { key, secret } => {
                Ok(Signing { key: key.clone(), secret: secret.clone(), session: Secret::new(String::new()) })
            }
            Self::Ours(amazon) => {
                let (key, secret, session) = amazon.keys().await?;
                Ok(Signing { key, secret, session })
            }
            Self::Nobody => Err(Failure::lasting("awssqs: no credentials: set key and secret")),
        }
    }
}

pub(super) fn set_up(options: &Members<'_>, outlet: &Outlet) -> Result<Box<dyn Delivery>, String> {
    let variable = |name: &str| outlet.world.environment.get(name).cloned().unwrap_or_default();
    let or = |text: String, default: &str| if text.is_empty() { variable(default) } else { text };
    let region = or(or(options.text("region")?, "AWS_REGION"), "AWS_DEFAULT_REGION");
    let endpoint = match options.text("endpointUrl")?.as_str() {
        "" => format!("https://sqs.{region}.{}/", domain(&region)),
        url => url.to_owned(),
    };
    let (key, secret) = (options.text("key")?, options.text("secret")?);
    let keys = match outlet.reach {
        _ if !key.is_empty() && !secret.is_empty() => Keys::Own { key: key.into(), secret: secret.into() },
        Reach::Ours => Keys::Ours(Amazon::new(&outlet.world, &region)?),
        Reach::Users => Keys::Nobody,
    };
    Ok(Box::new(Sqs {
        client: outlet.client(&endpoint, Connection::default())?,
        endpoint,
        region,
        account: options.text("account")?,
        queue: options.text("queue")?,
        keys,
    }))
}

impl Sqs {
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
        if self.region.is_empty() {
            return Err(Failure::lasting("awssqs: no region: set region, or AWS_REGION"));
        }
        let signing = self.keys.now().await?;
        let queue = if destination.recipient.is_empty() { &self.queue } else { &destination.recipient };
        let mut asked = Map::from_iter([("QueueName".to_owned(), Value::from(queue.as_str()))]);
        if !self.account.is_empty() {
            asked.insert("QueueOwnerAWSAccountId".to_owned(), self.account.clone().into());
        }
        let said = self.call(&signing, "GetQueueUrl", &Value::Object(asked)).await?;
        let url = said.get("QueueUrl").and_then(Value::as_str);
        let url = url.ok_or_else(|| Failure::lasting("SQS GetQueueUrl: the answer holds no address"))?;
        let mut message = Map::from_iter([
            ("DelaySeconds".to_owned(), Value::from(DELAY_SECONDS)),
            ("MessageBody".to_owned(), notification.message.clone().into()),
            ("QueueUrl".to_owned(), url.into()),
        ]);
        let group = text(notification.section("awssqs").as_ref(), "messageGroupId")?;
        if !group.is_empty() {
            message.insert("MessageGroupId".to_owned(), group.into());
        }
        self.call(&signing, "SendMessage", &Value::Object(message)).await?;
        Ok(())
    }
}
