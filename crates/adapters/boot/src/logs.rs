//! Logs: one JSON object or one line of text per event, on standard error, with the keys that log pipelines of the
//! original look for: `level`, `msg`, `time`, then the event's own.

use serde_json::{Map, Value};
use std::fmt::{self, Write as _};
use std::sync::OnceLock;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Registry, reload};

/// What the first start leaves for those who learn later how to log.
struct Handles {
    filter: reload::Handle<EnvFilter, Registry>,
    lines: std::sync::Arc<std::sync::atomic::AtomicBool>,
}

static HANDLES: OnceLock<Handles> = OnceLock::new();

/// Starts logging, or logs differently from now on. `format` is `json` or `text`; `level` is one of panic, fatal,
/// error, warn, warning, info, debug and trace; anything else is `info`.
pub fn start(format: &str, level: &str) {
    let text = format == "text";
    if let Some(handles) = HANDLES.get() {
        handles.lines.store(text, std::sync::atomic::Ordering::Relaxed);
        // The subscriber lives as long as the process.
        let _reloaded = handles.filter.reload(filter(level));
        return;
    }
    let lines = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(text));
    let (layer, handle) = reload::Layer::new(filter(level));
    let printed = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .event_format(Lines { text: lines.clone() });
    if tracing_subscriber::registry().with(layer).with(printed).try_init().is_ok() {
        let _first = HANDLES.set(Handles { filter: handle, lines });
    }
}

fn filter(level: &str) -> EnvFilter {
    let level = match level {
        "panic" | "fatal" | "error" => "error",
        "warn" | "warning" => "warn",
        "debug" => "debug",
        "trace" => "trace",
        _ => "info",
    };
    // Libraries say at `info` what only their authors want to know; the Kubernetes client says `error` of what we
    // tell ourselves, with what it means.
    let quiet = match level {
        "debug" | "trace" => "kube_client=info,kube_runtime=info",
        _ => "kube_client=off,kube_runtime=off",
    };
    EnvFilter::new(format!("{level},hyper=warn,h2=warn,tower=warn,rustls=warn,gix=warn,{quiet}"))
}

struct Lines {
    text: std::sync::Arc<std::sync::atomic::AtomicBool>,
}

impl<S, N> FormatEvent<S, N> for Lines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        _: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let level = match *event.metadata().level() {
            Level::ERROR => "error",
            Level::WARN => "warning",
            Level::INFO => "info",
            Level::DEBUG => "debug",
            Level::TRACE => "trace",
        };
        let mut said = Said::default();
        event.record(&mut said);
        let seconds = jiff::Timestamp::now().as_second();
        let time = jiff::Timestamp::from_second(seconds).map(|time| time.to_string()).unwrap_or_default();
        let text = self.text.load(std::sync::atomic::Ordering::Relaxed);
        writer.write_str(&if text { line(level, &time, said) } else { object(level, &time, said) })?;
        writer.write_char('\n')
    }
}

/// What an event says.
#[derive(Default)]
struct Said {
    message: String,
    fields: Vec<(&'static str, Value)>,
}

impl Said {
    fn put(&mut self, field: &Field, value: Value) {
        match (field.name(), value) {
            ("message", Value::String(text)) => self.message = text,
            (name, value) => self.fields.push((name, value)),
        }
    }
}

impl Visit for Said {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value.into());
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, value.into());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field, format!("{value:?}").into());
    }
}

fn object(level: &str, time: &str, said: Said) -> String {
    let mut object = Map::new();
    for (name, value) in said.fields {
        // As the original's logger does where a field has the name of one of its own.
        let taken = matches!(name, "level" | "msg" | "time");
        object.insert(if taken { format!("fields.{name}") } else { name.to_owned() }, value);
    }
    object.insert("level".into(), level.into());
    object.insert("msg".into(), said.message.into());
    object.insert("time".into(), time.into());
    Value::Object(object).to_string()
}

fn line(level: &str, time: &str, said: Said) -> String {
    let mut line = format!("time=\"{time}\" level={level} msg={:?}", said.message);
    for (name, value) in said.fields {
        let text = match value {
            Value::String(text) => text,
            other => other.to_string(),
        };
        let plain = !text.is_empty()
            && text.chars().all(|each| each.is_ascii_alphanumeric() || "-._/@^+:".contains(each));
        let text = if plain { text } else { format!("{text:?}") };
        // Writing into a string does not fail.
        let _written = write!(line, " {name}={text}");
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said() -> Said {
        let fields =
            vec![("application", "argocd/a".into()), ("error", "no \"x\"".into()), ("count", 2.into())];
        Said { message: "write status".into(), fields }
    }

    #[test]
    fn lines_have_the_originals_keys() {
        let text = object("warning", "2026-01-01T00:00:00Z", said());
        let value: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(
            value,
            serde_json::json!({
                "application": "argocd/a", "error": "no \"x\"", "count": 2,
                "level": "warning", "msg": "write status", "time": "2026-01-01T00:00:00Z",
            })
        );
        assert_eq!(
            line("info", "2026-01-01T00:00:00Z", said()),
            r#"time="2026-01-01T00:00:00Z" level=info msg="write status" application=argocd/a error="no \"x\"" count=2"#
        );
    }

    #[test]
    fn every_level_of_the_original_is_known() {
        for (level, kept) in
            [("fatal", "error"), ("warning", "warn"), ("perhaps", "info"), ("trace", "trace")]
        {
            assert!(
                filter(level).to_string().split(',').any(|part| part == kept),
                "{level}: {}",
                filter(level)
            );
        }
        assert!(filter("info").to_string().contains("kube_client=off"));
    }
}
