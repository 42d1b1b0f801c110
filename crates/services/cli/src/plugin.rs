//! Commands the CLI does not know are looked for as `argocd-<name>` on the PATH.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::environment::Environment;

/// Runs the plugin for the first word. The exit code is the plugin's; an error says why there is none.
pub(crate) fn run(words: &[String], environment: &Environment) -> Result<i32, String> {
    let name = format!("argocd-{}", words.first().map_or("", String::as_str));
    let Some(program) = find(&name, environment) else {
        return Err(format!(
            "error looking for plugin '{name}': exec: {name:?}: executable file not found in $PATH"
        ));
    };
    let status = Command::new(program).args(&words[1..]).envs(&environment.variables).status();
    match status {
        Ok(status) => Ok(status.code().unwrap_or(1)),
        Err(error) => Err(format!("unable to execute plugin '{name}': {error}")),
    }
}

fn find(name: &str, environment: &Environment) -> Option<PathBuf> {
    if name.contains('/') {
        return None;
    }
    let folders = environment.variable("PATH")?;
    std::env::split_paths(folders).map(|folder| folder.join(name)).find(|file| executable(file))
}

fn executable(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    file.metadata().is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}
