//! Log lines on standard error, in the two shapes of logrus.

use std::io::Write;

use crate::environment::Environment;

/// The shape of log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// One JSON object a line.
    Json,
    /// `key=value` pairs.
    Text,
}

/// How important a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    Fatal,
    Error,
    Warning,
    Info,
    Debug,
}

impl Level {
    /// The level that `--loglevel` names.
    pub(crate) fn named(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
            "panic" | "fatal" => Some(Self::Fatal),
            "error" => Some(Self::Error),
            "warn" | "warning" => Some(Self::Warning),
            "info" => Some(Self::Info),
            "debug" | "trace" => Some(Self::Debug),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Fatal => "fatal",
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Info => "info",
            Self::Debug => "debug",
        }
    }
}

/// Writes one line. A closed standard error is no reason to stop.
pub(crate) fn line(environment: &mut Environment, format: Format, level: Level, message: &str) {
    let time = environment.now().strftime("%Y-%m-%dT%H:%M:%S%:z").to_string();
    let time = time.strip_suffix("+00:00").map(|utc| format!("{utc}Z")).unwrap_or(time);
    let line = match format {
        Format::Json => format!(
            "{{\"level\":\"{}\",\"msg\":{},\"time\":\"{time}\"}}",
            level.name(),
            object::to_go_json(&serde_json::Value::from(message)),
        ),
        Format::Text => format!("time=\"{time}\" level={} msg={}", level.name(), quoted(message)),
    };
    let _ = writeln!(environment.errors, "{line}");
}

/// The text as logrus writes it: quoted when it holds anything but plain characters.
fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._/@^+".contains(c);
    if !text.is_empty() && text.chars().all(plain) { text.to_owned() } else { format!("{text:?}") }
}
