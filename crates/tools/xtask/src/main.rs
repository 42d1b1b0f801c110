//! `cargo xtask`: the project's own commands, so that a machine with Rust, Go, Node and git needs nothing else.
#![expect(clippy::print_stderr, clippy::print_stdout, reason = "a command line tool talks to its user")]

mod bench;
mod codegen;
mod corpora;
mod demo;
mod fuzz;
mod originals;
mod prerequisites;
mod run;
mod test;
mod tidy;

use anyhow::Result;

const HELP: &str = "\
The project's own commands.

Usage: cargo xtask <command>

Commands:
  demo      Start a cluster and everything else, with an application in it, and stay until Ctrl-C
            [--context NAME] [--kubeconfig FILE] [--port N] [--once]
  test      Run everything that CI runs: format, lints, tidy, tests
  tidy      Check the house: direction of dependencies, purity of the core shelf, sizes, docs, licences
  bench     Show how fast and how small it is on this machine, beside the budgets
            [--quick] [--binary PATH] [push] [answers] [webhook] [many] [clusters] [api] [render] [unmanaged]
  fuzz      Look for inputs that break a reader: libFuzzer over one target, or the list of them
            [TARGET] [--seconds N]
  differential  Compare the original tools with ours over random input
            [templates] [helm] [published] [kustomize] [jsonnet] [--seed N] [--count N] [--found FOLDER]
  codegen   Write the files that are made from the Rust types and from proto/ (the CRDs, docs/rights.md)
  corpora   Compare with the recorded answers of the original tools, and hold the recorded conversations
            with our own servers
            [helm] [gotemplate] [kustomize] [jsonnet] [health] [actions] [diff] [transcripts] [--corpora FOLDER] [--binary FILE] [--client FILE|published] [--phase 02] [--filter TEXT] [--until 02-068] [--bless] [--keep] [-v]
";

fn main() {
    if let Err(error) = dispatch(std::env::args().skip(1).collect()) {
        eprintln!("error: {error:#}");
        std::process::exit(1);
    }
}

fn dispatch(mut arguments: Vec<String>) -> Result<()> {
    if arguments.is_empty() {
        print!("{HELP}");
        return Ok(());
    }
    let command = arguments.remove(0);
    match command.as_str() {
        "demo" => demo::run(&arguments),
        "test" => test::run(&arguments),
        "tidy" => tidy::run(),
        "bench" => bench::run(&arguments),
        "fuzz" => fuzz::run(&arguments),
        "differential" => originals::differential(&arguments),
        "codegen" => codegen::run(),
        "corpora" => originals::corpora(&arguments),
        "help" | "--help" | "-h" => {
            print!("{HELP}");
            Ok(())
        }
        other => anyhow::bail!("there is no command {other:?}; `cargo xtask help` lists them"),
    }
}
