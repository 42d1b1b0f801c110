//! `argocd admin export`: a backup of an installation.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;

use super::backup::{Installation, Kind, NAMESPACES, bare};
use crate::command::{Command, Running, text};
use crate::failure::{Failure, Outcome, io_error};
use crate::options::KUBERNETES;
use crate::output::documents::yaml;
use crate::session::Session;

pub(crate) static COMMAND: Command = Command {
    inherited: &[KUBERNETES],
    flags: &[
        NAMESPACES,
        &[text("out", "File the backup is written to; - is standard output").short('o').or("-")],
    ],
    run: Some(start),
    ..Command::new("export", "", "Export all Argo CD data to stdout (default) or a file")
};

fn start<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move { run(session).await })
}

async fn run(session: &mut Session<'_>) -> Outcome {
    let installation = Installation::connect(session).await.map_err(Failure::fatal)?;
    let mut backup = String::new();
    for kind in Kind::ALL {
        for object in installation.objects(kind).await.map_err(Failure::fatal)? {
            backup.push_str(&yaml(&bare(&object, &installation.hub.namespace)));
            backup.push_str("---\n");
        }
    }
    match session.text("out").as_str() {
        "-" => session.print(&backup),
        file => {
            // It holds every credential of the installation.
            let opened = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(file);
            opened
                .and_then(|mut out| out.write_all(backup.as_bytes()))
                .map_err(|error| Failure::fatal(format!("open {file}: {}", io_error(&error))))?;
        }
    }
    Ok(())
}
