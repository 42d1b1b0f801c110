//! Amazon SQS: the queue's address is asked for, then the message is sent. Amazon's own SDK would
//! be larger than everything else here.

use super::{Delivery, text};
use crate::failure::Failure;
use crate::http::{Client, Outlet, Request, shown};
use crate::json::{plain, short};
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
    key: Secret<String>,
    secret: Secret<String>,
    session: Secret<String>,
}

pub(super) fn set_up(options: &Members<'_>, outlet: &Outlet) -> Result<Box<dyn Delivery>, String> {
    let variable = |name: &str| outlet.world.environment.get(name).cloned().unwrap_or_default();
    let or = |text: String, default: &str| if text.is_empty() { variable(default) } else { text };
    let region = or(or(options.text("region")?, "AWS_REGION"), "AWS_DEFAULT_REGION");
    let endpoint = match options.text("endpointUrl")?.as_str() {
        "" => format!("https://sqs.{region}.amazonaws.com/"),
        url => url.to_owned(),
    };
    let (mut key, mut secret) = (options.text("key")?, options.text("secret")?);
    let mut session = String::new();
    if key.is_empty() || secret.is_empty() {
        key = variable("AWS_ACCESS_KEY_ID");
        secret = variable("AWS_SECRET_ACCESS_KEY");
        session = variable("AWS_SESSION_TOKEN");
    }
    Ok(Box::new(Sqs {
        client: outlet.client(&endpoint, false)?,
        endpoint,
        region,
        account: options.text("account")?,
        queue: options.text("queue")?,
        key: key.into(),
        secret: secret.into(),
        session: session.into(),
    }))
}

impl Sqs {
    async fn call(&self, action: &str, body: &Value) -> Result<Value, Failure> {
        let url = url::Url::parse(&self.endpoint).map_err(|error| format!("awssqs: endpointUrl: {error}"))?;
        let body = plain(body);
        let moment = jiff::Timestamp::now().strftime("%Y%m%dT%H%M%SZ").to_string();
        let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
        let host = format!("{}{port}", url.host_str().unwrap_or_default());
        let mut headers =
            vec![("content-type", TYPE.to_owned()), ("host", host), ("x-amz-date", moment.clone())];
        if !self.session.is_empty() {
            headers.push(("x-amz-security-token", self.session.reveal().clone()));
        }
        headers.push(("x-amz-target", format!("AmazonSQS.{action}")));
        headers.push(("x-amzn-query-mode", "true".to_owned()));
        let scope = Scope { moment: &moment, region: &self.region, service: "sqs" };
        let signer = Signer { key: self.key.reveal(), secret: self.secret.reveal(), session: "" };
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
        if self.key.is_empty() || self.secret.is_empty() {
            return Err(Failure::lasting(
                "awssqs: no credentials: set key and secret, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
            ));
        }
        if self.region.is_empty() {
            return Err(Failure::lasting("awssqs: no region: set region, or AWS_REGION"));
        }
        let queue = if destination.recipient.is_empty() { &self.queue } else { &destination.recipient };
        let mut asked = Map::from_iter([("QueueName".to_owned(), Value::from(queue.as_str()))]);
        if !self.account.is_empty() {
            asked.insert("QueueOwnerAWSAccountId".to_owned(), self.account.clone().into());
        }
        let said = self.call("GetQueueUrl", &Value::Object(asked)).await?;
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
        self.call("SendMessage", &Value::Object(message)).await?;
        Ok(())
    }
}
