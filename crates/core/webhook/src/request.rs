//! What comes in and what goes back, as values.

use std::fmt;

/// A request to the webhook endpoint.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// The method, in capitals.
    pub method: &'a str,
    /// What follows `?`, undecoded; empty when there is none.
    pub query: &'a str,
    /// Names in any case; the first of a name counts.
    pub headers: &'a [(&'a str, &'a str)],
    /// The body; nothing when it was larger than [`Request::limit_megabytes`] or could not be read to its end.
    pub body: Option<&'a [u8]>,
    /// `webhook.maxPayloadSizeMB`, for the answer's text.
    pub limit_megabytes: u64,
}

impl fmt::Debug for Request<'_> {
    /// Headers and query may carry secrets, the body may carry anything.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let size = self.body.map(<[u8]>::len);
        formatter
            .debug_struct("Request")
            .field("method", &self.method)
            .field("size", &size)
            .finish_non_exhaustive()
    }
}

impl<'a> Request<'a> {
    /// The first header of that name, empty when there is none.
    pub fn header(&self, name: &str) -> &'a str {
        self.headers.iter().find(|(it, _)| it.eq_ignore_ascii_case(name)).map_or("", |(_, value)| value)
    }

    /// The first value of a query parameter, decoded; empty when there is none.
    pub(crate) fn parameter(&self, name: &str) -> String {
        self.query
            .split('&')
            .filter(|pair| !pair.contains(';'))
            .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
            .find(|(key, _)| decoded(key).as_deref() == Some(name))
            .and_then(|(_, value)| decoded(value))
            .unwrap_or_default()
    }
}

fn decoded(text: &str) -> Option<String> {
    crate::web_url::unescaped(&text.replace('+', " ")).and_then(|bytes| String::from_utf8(bytes).ok())
}

/// Which component asks: they take different events and answer in different words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// The api-server, for applications.
    Applications,
    /// The api-server where pull requests are answered.
    ApplicationsAndPullRequests,
    /// The application-set controller, which wants pull requests too.
    ApplicationSets,
}

impl Audience {
    /// Whether pull requests are heard.
    pub(crate) fn takes_pull_requests(self) -> bool {
        self != Self::Applications
    }
}

/// What to send back: `text/plain; charset=utf-8`, with `X-Content-Type-Options: nosniff` when there is a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body with its line end; empty for none.
    pub body: String,
}

impl Answer {
    fn error(status: u16, text: &str) -> Self {
        Self { status, body: format!("{text}\n") }
    }

    /// The event was taken in, or is none of ours to act on.
    pub fn accepted() -> Self {
        Self { status: 200, body: String::new() }
    }

    /// The queue has no room; the sender may try again.
    pub fn queue_full() -> Self {
        Self::error(503, "Queue is full, discarding webhook payload")
    }
}

/// Why a request is not believed or not understood. The text is for the log; it never repeats what was sent as proof.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No provider knows the request as its own.
    #[error("no provider recognises the request")]
    Unknown,
    /// Anything but POST.
    #[error("invalid HTTP Method")]
    Method,
    /// An event that is not asked for.
    #[error("event not defined to be parsed")]
    Event,
    /// A header that must be there.
    #[error("missing {0} Header")]
    MissingHeader(&'static str),
    /// The proof is wrong.
    #[error("{0}")]
    Unproven(&'static str),
    /// A registry's proof is wrong or missing.
    #[error("{0}")]
    UnprovenRegistry(&'static str),
    /// No body, too much of it, or (from Azure DevOps) no JSON.
    #[error("error parsing payload")]
    Body,
    /// Not the JSON it should be.
    #[error("{0}")]
    Malformed(String),
}

impl Refusal {
    /// Whether the sender failed to prove who it is: worth a line in the security log.
    pub fn is_security_event(&self) -> bool {
        matches!(self, Self::Unproven(_) | Self::UnprovenRegistry(_) | Self::Body)
    }

    /// What to send back.
    pub fn answer(&self, request: &Request<'_>, audience: Audience) -> Answer {
        let status = if request.method == "POST" { 400 } else { 405 };
        match (self, audience) {
            (Self::Unknown, _) => Answer::error(400, "Unknown webhook event"),
            (_, Audience::ApplicationSets) => {
                Answer::error(status, &format!("Webhook processing failed: {}", escaped(&self.to_string())))
            }
            (Self::UnprovenRegistry(_), _) => Answer::error(401, "Unauthorized"),
            (Self::Body, _) => {
                let limit = request.limit_megabytes;
                Answer::error(
                    400,
                    &format!("Webhook processing failed: payload must be valid JSON under {limit} MB"),
                )
            }
            _ => Answer::error(status, "Webhook processing failed"),
        }
    }
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&#34;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}
