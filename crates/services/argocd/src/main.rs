//! `argocd`: one binary for everything. What it is called decides what it is: a component by its component's
//! name, the command line by any other.
#![expect(clippy::print_stderr, clippy::print_stdout, reason = "the process' own first and last words")]

mod controller;
mod dex;
mod hub;
mod notifications;
mod standalone;

use boot::flags::Flags;
use boot::stop::Stop;
use std::collections::BTreeMap;
use std::path::Path;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Overrides the name the process was started by.
const NAME_VARIABLE: &str = "ARGOCD_BINARY_NAME";

/// Git's question for credentials, asked in a plugin.
const ASK_PASS: &str = "argocd-git-ask-pass";

/// Address space, not memory: only what is used is there.
const STACK_BYTES: usize = 16 << 20;

fn main() {
    boot::crypto();
    let mut arguments = std::env::args();
    let started_as = arguments.next().unwrap_or_default();
    let arguments: Vec<String> = arguments.collect();
    let environment: BTreeMap<String, String> = std::env::vars().collect();
    let given = environment.get(NAME_VARIABLE).filter(|name| !name.is_empty());
    let file = Path::new(&started_as).file_name().map(|name| name.to_string_lossy().into_owned());
    let name = given.cloned().or(file).unwrap_or_default();
    let code = match name.as_str() {
        repo_server::COMPONENT => {
            component(repo_server::COMPONENT, &arguments, &environment, Kind::RepoServer)
        }
        application_controller::COMPONENT => {
            component(application_controller::COMPONENT, &arguments, &environment, Kind::Controller)
        }
        api_server::COMPONENT => component(api_server::COMPONENT, &arguments, &environment, Kind::ApiServer),
        ::notifications::COMPONENT => {
            component(::notifications::COMPONENT, &arguments, &environment, Kind::Notifications)
        }
        cmp_server::COMPONENT => component(cmp_server::COMPONENT, &arguments, &environment, Kind::CmpServer),
        evaluator::NAME => match evaluator::serve() {
            Ok(()) => 0,
            Err(error) => {
                eprintln!("Error: {error}");
                1
            }
        },
        ASK_PASS => ask_pass(&arguments, &environment),
        dex::NAME => tool(&arguments, &environment),
        // All of them in one process; flags are the api-server's.
        standalone::NAME => component(api_server::COMPONENT, &arguments, &environment, Kind::Standalone),
        k8s_auth::COMPONENT => print_or_tell(k8s_auth::run(&arguments, &environment)),
        "argocd-applicationset-controller" | "argocd-commit-server" => {
            eprintln!("{name}: this version has no such component; remove it from the installation for now");
            1
        }
        _ => cli::run(&arguments, &mut cli::Environment::of_process()),
    };
    std::process::exit(code);
}

/// What evaluates Jsonnet: this program, as a child.
fn evaluator() -> evaluator::Program {
    evaluator::Program::ourselves(NAME_VARIABLE)
}

/// What git runs to ask for a name or a password: the question is the argument, the answer goes to standard output.
fn ask_pass(arguments: &[String], environment: &BTreeMap<String, String>) -> i32 {
    let [question] = arguments else {
        eprintln!("Error: expected 1 argument, got {}", arguments.len());
        return 1;
    };
    print_or_tell(async { repo_server::ask_pass(question, environment).await.map(|answer| answer + "\n") })
}

/// Runs a small tool: its answer goes to standard output.
fn print_or_tell(tool: impl Future<Output = Result<String, String>>) -> i32 {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let answer = runtime
        .map_err(|error| format!("start the runtime: {error}"))
        .and_then(|runtime| runtime.block_on(tool));
    match answer {
        Ok(answer) => {
            print!("{answer}");
            0
        }
        Err(error) => {
            eprintln!("Error: {error}");
            1
        }
    }
}

/// `argocd-dex`, whose first word says which of its tools is meant.
fn tool(arguments: &[String], environment: &BTreeMap<String, String>) -> i32 {
    match arguments.split_first() {
        Some((word, rest)) if word == "rundex" => component(dex::RUN, rest, environment, Kind::RunDex),
        Some((word, rest)) if word == "gendexcfg" => {
            component(dex::GENERATE, rest, environment, Kind::GenerateDexConfiguration)
        }
        Some((word, _)) if !word.starts_with('-') => {
            eprintln!("Error: unknown command {word:?} for \"{}\"", dex::NAME);
            1
        }
        _ => {
            print!("{}", dex::HELP);
            0
        }
    }
}

#[derive(Clone, Copy)]
enum Kind {
    RepoServer,
    Controller,
    ApiServer,
    CmpServer,
    Notifications,
    Standalone,
    RunDex,
    GenerateDexConfiguration,
}

/// Runs a component until it is told to stop; the process' exit code comes back.
fn component(
    name: &'static str,
    arguments: &[String],
    environment: &BTreeMap<String, String>,
    kind: Kind,
) -> i32 {
    let flags = match Flags::parse(name, arguments, environment) {
        Ok(flags) => flags,
        Err(error) => {
            eprintln!("Error: {error}\nRun '{name} --help' for its flags.");
            return 1;
        }
    };
    if flags.help_asked() {
        print!("{}", flags.help());
        return 0;
    }
    let serves = matches!(kind, Kind::RepoServer | Kind::ApiServer | Kind::Standalone);
    if serves && flags.text("tlsciphers") == "list" {
        println!("Supported TLS ciphers:\n* {}", transport::cipher_names().join("\n* "));
        return 0;
    }
    boot::logs::start(&flags.text("logformat"), &flags.text("loglevel"));
    // Futures that hold whole applications are large, above all without optimisation.
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    let runtime = match builder.enable_all().thread_stack_size(STACK_BYTES).build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("Error: start the runtime: {error}");
            return 1;
        }
    };
    let outcome = runtime.block_on(async {
        let stop = Stop::new();
        stop.on_signals()?;
        match kind {
            Kind::RepoServer => {
                repo_server::run(&flags, environment, evaluator(), stop).await?;
            }
            Kind::Controller => controller::run(flags, environment, stop).await?,
            Kind::Notifications => notifications::run(flags, environment, stop).await?,
            Kind::ApiServer => {
                let cluster = hub::connect(&flags, environment).await?;
                let namespace = hub::namespace(&flags, &cluster);
                let (flags, environment) =
                    hub::with_parameters(flags, environment, &cluster, &namespace).await?;
                let store = hub::store(cluster, &namespace, &flags, true);
                api_server::run(&flags, &environment, store, stop).await?;
            }
            Kind::CmpServer => cmp_server::run(&flags, environment, stop).await?,
            Kind::Standalone => standalone::run(flags, environment, stop).await?,
            Kind::RunDex => dex::run(&flags, environment, stop).await?,
            Kind::GenerateDexConfiguration => {
                if let Some(text) = dex::generate(&flags, environment).await? {
                    print!("{text}");
                }
            }
        }
        Ok::<(), anyhow::Error>(())
    });
    runtime.shutdown_timeout(std::time::Duration::from_secs(5));
    match outcome {
        Ok(()) => 0,
        Err(error) => {
            tracing::error!("{error:#}");
            1
        }
    }
}
