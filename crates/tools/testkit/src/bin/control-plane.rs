//! Starts a control plane for a person: prints where it is and lives until Ctrl-C or the end of
//! standard input.

use std::io::{self, Read, Write};
use std::process::ExitCode;

use testkit::Error;
use testkit::control_plane::{ControlPlane, Options};

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "control-plane: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Error> {
    let plane = ControlPlane::start(&Options::default())?;
    let _ = writeln!(io::stdout(), "export KUBECONFIG={}", plane.kubeconfig_path.display());
    // Nothing is read; only the end matters. Ctrl-C ends us, and our end is the end of the plane.
    let _ = io::copy(&mut io::stdin().take(u64::MAX), &mut io::sink());
    Ok(())
}
