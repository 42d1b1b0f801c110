//! Amazon SQS: the queue's address is asked for, then the message is sent. Requests are signed by hand (Signature
//! Version 4): the SDK would be larger than everything else here.

use super::{Delivery, text};
use crate::failure::Failure;
use crate::http::{Client, Outlet, Request, shown};
use crate::json::{plain, short};
use async_trait::async_trait;
use hmac::{Hmac, KeyInit as _, Mac as _};
use notify::fields::Members;
use notify::{Destination, Notification};
use object::Secret;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

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

fn hmac(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What is signed with.
struct Credentials<'c> {
    key: &'c str,
    secret: &'c str,
    region: &'c str,
}

/// The value of `Authorization`. Headers are given in lower case and in order.
fn authorization(
    credentials: &Credentials<'_>,
    url: &url::Url,
    headers: &[(&str, String)],
    body: &str,
    moment: &str,
) -> String {
    let date = &moment[..8];
    let names: Vec<&str> = headers.iter().map(|(name, _)| *name).collect();
    let names = names.join(";");
    let listed: String = headers.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
    let digest = hex(&Sha256::digest(body.as_bytes()));
    let query = url.query().unwrap_or_default();
    let canonical = format!("POST\n{}\n{query}\n{listed}\n{names}\n{digest}", url.path());
    let scope = format!("{date}/{}/sqs/aws4_request", credentials.region);
    let signed = hex(&Sha256::digest(canonical.as_bytes()));
    let text = format!("AWS4-HMAC-SHA256\n{moment}\n{scope}\n{signed}");
    let first = hmac(format!("AWS4{}", credentials.secret).as_bytes(), date);
    let key =
        ["sqs", "aws4_request"].iter().fold(hmac(&first, credentials.region), |key, part| hmac(&key, part));
    let signature = hex(&hmac(&key, &text));
    let key = credentials.key;
    format!("AWS4-HMAC-SHA256 Credential={key}/{scope}, SignedHeaders={names}, Signature={signature}")
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
        let credentials =
            Credentials { key: self.key.reveal(), secret: self.secret.reveal(), region: &self.region };
        let signed = authorization(&credentials, &url, &headers, &body, &moment);
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Computed with another implementation (Python's hmac and hashlib) from the same parts.
    #[test]
    fn a_signature_is_that_of_others() {
        let credentials = Credentials { key: "AK", secret: "SK", region: "us-east-1" };
        let url = url::Url::parse("http://sink.example/sqs").expect("an address");
        let headers = [
            ("content-type", TYPE.to_owned()),
            ("host", "sink.example".to_owned()),
            ("x-amz-date", "20260102T030405Z".to_owned()),
            ("x-amz-target", "AmazonSQS.GetQueueUrl".to_owned()),
        ];
        let signed =
            authorization(&credentials, &url, &headers, "{\"QueueName\":\"argo\"}", "20260102T030405Z");
        let expected = "d1aacfb7fb34c4929576ab1684101f43f9066956fa9a27d80cc59824af2c8be4";
        assert!(signed.ends_with(expected), "{signed}");
    }
}
