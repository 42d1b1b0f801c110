//! libFuzzer over the target that `FUZZ_TARGET` names. `cargo xtask fuzz` builds and runs it.
#![no_main]

use fuzz::Target;
use libfuzzer_sys::fuzz_target;
use std::panic;
use std::sync::OnceLock;

static TARGET: OnceLock<&'static Target> = OnceLock::new();

fuzz_target!(
    init: {
        let name = std::env::var("FUZZ_TARGET").unwrap_or_default();
        TARGET.get_or_init(|| fuzz::find(&name).expect("FUZZ_TARGET names a target"));
    },
    |data: &[u8]| {
        run(data);
    }
);

/// A panic that the reader catches itself is no finding: only one that comes this far ends the process.
fn run(data: &[u8]) {
    static QUIET: OnceLock<()> = OnceLock::new();
    QUIET.get_or_init(|| {
        panic::set_hook(Box::new(|panicked| {
            LAST.with_borrow_mut(|last| *last = panicked.to_string());
        }));
    });
    let target = TARGET.get().expect("the target is chosen before the first input");
    if panic::catch_unwind(|| (target.run)(data)).is_err() {
        LAST.with_borrow(|last| report(last));
        std::process::abort();
    }
}

thread_local! {
    static LAST: std::cell::RefCell<String> = const { std::cell::RefCell::new(String::new()) };
}

#[expect(clippy::print_stderr, reason = "whoever fuzzes reads it there")]
fn report(text: &str) {
    eprintln!("{text}");
}
