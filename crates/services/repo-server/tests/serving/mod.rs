//! A repo-server within the test's process.

use boot::flags::Flags;
use evaluator::Program;
use std::collections::BTreeMap;
use std::path::Path;
use tonic::transport::Channel;

/// Serves with flags and variables, its mirrors in a folder; Jsonnet is evaluated by the program where there is one. Its metrics
/// are in that registry.
pub fn channel(
    folder: &Path,
    flags: &[&str],
    environment: &[(&str, &str)],
    evaluator: Option<Program>,
    metrics: &boot::metrics::SharedRegistry,
) -> Channel {
    let mirrors = folder.join("mirrors").to_str().unwrap().to_owned();
    let given = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let environment: BTreeMap<_, _> = given.chain([("ARGOCD_RS_MIRRORS".to_owned(), mirrors)]).collect();
    let flags: Vec<String> = flags.iter().map(|flag| (*flag).to_owned()).collect();
    let flags = Flags::parse(repo_server::COMPONENT, &flags, &environment).unwrap();
    let options = repo_server::Options::from_flags(&flags, &environment);
    let options = match evaluator {
        Some(program) => options.with_evaluator(program),
        None => options,
    };
    let cache = cache::Cache::memory(16 << 20);
    let built = repo_server::build(options, cache, metrics).unwrap();
    transport::in_process(repo_server::router(built).unwrap()).unwrap()
}
