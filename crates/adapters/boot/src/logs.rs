//! Logs: one JSON object or one line of text per event, on standard error.

use tracing_subscriber::{EnvFilter, fmt};

/// Starts logging. `format` is `json` or `text`, `level` is debug, info, warn or error.
pub fn start(format: &str, level: &str) {
    // Libraries say at `info` what only their authors want to know.
    let directives = format!("{level},hyper=warn,h2=warn,tower=warn,kube=warn,rustls=warn,gix=warn");
    let filter = EnvFilter::try_new(&directives).unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(true);
    // A second start, as in one process with several components, keeps the first.
    let _started = if format == "text" {
        builder.with_ansi(false).try_init()
    } else {
        builder.json().flatten_event(true).with_current_span(false).with_span_list(false).try_init()
    };
}
