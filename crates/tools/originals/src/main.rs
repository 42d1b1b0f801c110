//! Ours against the original tools: their recorded answers, the tools themselves over random input, and both timed.
//! `cargo xtask corpora`, `differential` and `bench render` call it.

mod answer;
mod bench;
mod corpora;
mod differential;
mod files;
mod ours;

use anyhow::{Result, bail};

/// The allocator of the real program: renderers are timed here.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const STACK_BYTES: usize = 16 << 20;

fn main() {
    // As much stack as the program's own threads have.
    let work = std::thread::Builder::new().stack_size(STACK_BYTES).spawn(|| {
        let mut arguments = std::env::args().skip(1);
        let command = arguments.next().unwrap_or_default();
        dispatch(&command, &arguments.collect::<Vec<_>>())
    });
    match work.map(std::thread::JoinHandle::join) {
        Ok(Ok(Ok(()))) => {}
        Ok(Ok(Err(error))) => {
            say(&format!("error: {error:#}"));
            std::process::exit(1);
        }
        Ok(Err(_)) | Err(_) => std::process::exit(101),
    }
}

fn dispatch(command: &str, arguments: &[String]) -> Result<()> {
    match command {
        "corpora" => corpora::run(arguments),
        "bench" => bench::run(arguments),
        "differential" => differential::run(arguments),
        other => bail!("there is no command {other:?}: corpora, differential and bench are what there is"),
    }
}

/// What is told on the way.
#[expect(clippy::print_stderr, reason = "a command talks to who started it")]
fn say(text: &str) {
    eprintln!("{text}");
}

/// What was asked for.
#[expect(clippy::print_stdout, reason = "a command answers who started it")]
fn print(text: &str) {
    print!("{text}");
}
