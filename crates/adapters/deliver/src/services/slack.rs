//! Slack: messages with attachments and blocks, in threads by a key, posted or brought up to date.

use super::slack_mentions::Mentions;
use super::{Delivery, connection, text};
use crate::failure::Failure;
use crate::http::{Client, Outlet, Request};
use crate::json::{marshal, read};
use crate::progress::Progress;
use async_trait::async_trait;
use notify::fields::Members;
use notify::{Destination, Notification};
use object::Secret;
use serde_json::{Map, Value};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Bytes of an answer: a page of channels has a thousand.
const LARGEST_ANSWER: usize = 16 << 20;
/// Threads that are remembered.
const MOST_THREADS: usize = 10_000;

/// What Slack said of channels and threads, as long as the process lives.
#[derive(Default)]
pub(crate) struct Threads {
    inner: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    /// The first message's time by address of the API, recipient and key.
    threads: HashMap<(String, String, String), String>,
    /// Ids of channels by what they were called.
    channels: HashMap<(String, String), String>,
}

impl Threads {
    fn with<T>(&self, look: impl FnOnce(&mut Known) -> T) -> T {
        look(&mut self.inner.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

struct Slack {
    client: Client,
    api: String,
    token: Secret<String>,
    username: String,
    icon: String,
    no_unfurl: bool,
    outlet: Outlet,
    mentions: Mentions,
}

pub(super) fn set_up(options: &Members<'_>, outlet: &Outlet) -> Result<Box<dyn Delivery>, String> {
    let api = match options.text("apiURL")?.as_str() {
        "" => "https://slack.com/api/".to_owned(),
        // Slack's library puts the method's name right behind.
        url if url.ends_with('/') => url.to_owned(),
        url => format!("{url}/"),
    };
    Ok(Box::new(Slack {
        client: outlet.client(&api, &connection(options)?)?,
        api,
        token: Secret::new(options.text("token")?),
        username: options.text("username")?,
        icon: options.text("icon")?,
        no_unfurl: options.flag("disableUnfurl")?.unwrap_or_default(),
        outlet: outlet.clone(),
        mentions: Mentions::default(),
    }))
}

/// What a message says, without where it goes.
type Fields = Vec<(&'static str, String)>;

impl Slack {
    /// The message as Slack's form has it.
    async fn message(&self, notification: &Notification) -> Result<Fields, Failure> {
        let section = notification.section("slack");
        let mut fields = vec![("text", self.mentioned(&notification.message).await)];
        let own = |name: &str, default: &str| {
            let own = text(section.as_ref(), name)?;
            Ok::<_, Failure>(if own.is_empty() { default.to_owned() } else { own })
        };
        let username = own("username", &self.username)?;
        if !username.is_empty() {
            fields.push(("username", username));
        }
        let icon = own("icon", &self.icon)?;
        if icon.len() > 2 && icon.starts_with(':') && icon.ends_with(':') {
            fields.push(("icon_emoji", icon));
        } else if icon.starts_with("http://") || icon.starts_with("https://") {
            fields.push(("icon_url", icon));
        } else if !icon.is_empty() {
            tracing::warn!("Icon reference '{icon}' is not a valid emoji or url");
        }
        if section.is_some() {
            let attachments = self.mentioned(&text(section.as_ref(), "attachments")?).await;
            fields.push(("attachments", self::attachments(&attachments)?));
            let blocks = self.mentioned(&text(section.as_ref(), "blocks")?).await;
            fields.push(("blocks", self::blocks(&blocks)?));
        }
        if self.no_unfurl {
            fields.push(("unfurl_links", "false".to_owned()));
            fields.push(("unfurl_media", "false".to_owned()));
        }
        Ok(fields)
    }

    async fn mentioned(&self, text: &str) -> String {
        self.mentions.replaced(text, |method, fields| self.call(method, fields)).await
    }

    /// Calls a method; an answer that is not `ok` is an error.
    async fn call(&self, method: &'static str, fields: Fields) -> Result<Value, Failure> {
        let mut form: Vec<(&str, &str)> =
            fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        form.push(("token", self.token.reveal()));
        let request = Request::new("POST", format!("{}{method}", self.api)).form(&form);
        let answer = self.client.send(request.up_to(LARGEST_ANSWER)).await?;
        if !answer.is_good() {
            let text = format!("slack {method}: slack server error: status {}", answer.status);
            return Err(answer.failure(text));
        }
        let said = answer.json("slack")?;
        if said.get("ok").and_then(Value::as_bool) == Some(true) {
            return Ok(said);
        }
        let error = said.get("error").and_then(Value::as_str).unwrap_or("the answer is not ok");
        let passing = matches!(
            error,
            "ratelimited"
                | "rate_limited"
                | "internal_error"
                | "fatal_error"
                | "service_unavailable"
                | "request_timeout"
        );
        let after = (passing && error.contains("limited")).then(|| Duration::from_secs(30));
        Err(Failure { message: error.to_owned(), retry: passing, after })
    }

    fn key(&self, recipient: &str, grouping: &str) -> (String, String, String) {
        (self.api.clone(), recipient.to_owned(), grouping.to_owned())
    }

    fn remember(&self, recipient: &str, grouping: &str, said: &Value, first: bool) {
        let text = |name: &str| said.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let (time, channel) = (text("ts"), text("channel"));
        self.outlet.world.threads.with(|known| {
            if known.threads.len() >= MOST_THREADS || known.channels.len() >= MOST_THREADS {
                *known = Known::default();
            }
            if first && !grouping.is_empty() && !time.is_empty() {
                known.threads.insert(self.key(recipient, grouping), time);
            }
            if !channel.is_empty() {
                known.channels.insert((self.api.clone(), recipient.to_owned()), channel);
            }
        });
    }
}

#[async_trait]
impl Delivery for Slack {
    async fn deliver(&self, notification: &Notification, destination: &Destination) -> Result<(), Failure> {
        self.go_on(notification, destination, &Progress::default()).await
    }

    async fn go_on(
        &self,
        notification: &Notification,
        destination: &Destination,
        progress: &Progress,
    ) -> Result<(), Failure> {
        let section = notification.section("slack");
        let grouping = text(section.as_ref(), "groupingKey")?;
        let policy = text(section.as_ref(), "deliveryPolicy")?;
        let broadcast = match &section {
            Some(section) => section.flag("notifyBroadcast")?.unwrap_or_default(),
            None => false,
        };
        let mut message = self.message(notification).await?;
        let recipient = &destination.recipient;
        let key = self.key(recipient, &grouping);
        let thread = match grouping.as_str() {
            "" => None,
            _ => self.outlet.world.threads.with(|known| known.threads.get(&key).cloned()),
        };
        if let Some(thread) = &thread {
            message.push(("thread_ts", thread.clone()));
        }
        let updates = matches!(policy.as_str(), "Update" | "PostAndUpdate");
        if (thread.is_none() || policy != "Update") && !progress.is_done("post") {
            let mut post = message.clone();
            post.push(("channel", recipient.clone()));
            if broadcast {
                post.push(("reply_broadcast", "true".to_owned()));
            }
            let said = self.call("chat.postMessage", post).await?;
            self.remember(recipient, &grouping, &said, thread.is_none());
            progress.done("post");
        }
        if let (Some(thread), true) = (thread, updates) {
            let channel = self
                .outlet
                .world
                .threads
                .with(|known| known.channels.get(&(self.api.clone(), recipient.clone())).cloned());
            message.push(("channel", channel.unwrap_or_else(|| recipient.clone())));
            message.push(("ts", thread));
            message.push(("as_user", "true".to_owned()));
            self.call("chat.update", message).await?;
        }
        Ok(())
    }
}

/// The order Slack's own library writes an attachment's members in.
const ATTACHMENT: [&str; 24] = [
    "color",
    "fallback",
    "callback_id",
    "id",
    "author_id",
    "author_name",
    "author_subname",
    "author_link",
    "author_icon",
    "title",
    "title_link",
    "pretext",
    "text",
    "image_url",
    "thumb_url",
    "service_name",
    "service_icon",
    "from_url",
    "original_url",
    "fields",
    "actions",
    "mrkdwn_in",
    "blocks",
    "footer",
];

fn attachments(text: &str) -> Result<String, Failure> {
    if text.is_empty() {
        return Ok("[]".to_owned());
    }
    let value = read("failed to unmarshal attachments", text)?;
    let Value::Array(items) = value else {
        return Err(Failure::lasting("failed to unmarshal attachments: not a list"));
    };
    let each = |item: &Value| match item {
        Value::Object(members) => Ok(attachment(members)),
        _ => Err(Failure::lasting("failed to unmarshal attachments: not a list of objects")),
    };
    Ok(format!("[{}]", items.iter().map(each).collect::<Result<Vec<_>, _>>()?.join(",")))
}

fn attachment(members: &Map<String, Value>) -> String {
    let known = ATTACHMENT.iter().filter_map(|name| Some((*name, members.get(*name)?)));
    let others = members.iter().filter(|(name, _)| !ATTACHMENT.contains(&name.as_str()));
    let mut written = Vec::new();
    for (name, value) in known.chain(others.map(|(name, value)| (name.as_str(), value))) {
        if name == "blocks" {
            continue;
        }
        let value = if name == "fields" { self::fields(value) } else { marshal(value) };
        written.push(format!("{}:{value}", marshal(&name)));
    }
    written.push(format!("\"blocks\":{}", members.get("blocks").map_or("null".to_owned(), marshal)));
    format!("{{{}}}", written.join(","))
}

/// Title, value, short, as the library has it.
fn fields(value: &Value) -> String {
    let Value::Array(items) = value else { return marshal(value) };
    let each = |item: &Value| {
        let member = |name: &str, default: Value| marshal(item.get(name).unwrap_or(&default));
        format!(
            "{{\"title\":{},\"value\":{},\"short\":{}}}",
            member("title", "".into()),
            member("value", "".into()),
            member("short", false.into())
        )
    };
    format!("[{}]", items.iter().map(each).collect::<Vec<_>>().join(","))
}

fn blocks(text: &str) -> Result<String, Failure> {
    if text.is_empty() {
        return Ok("[]".to_owned());
    }
    match read("failed to unmarshal blocks", text)? {
        value @ Value::Array(_) => Ok(marshal(&value)),
        _ => Err(Failure::lasting("failed to unmarshal blocks: not a list")),
    }
}
