//! Every target over its seeds, over what once broke it, and over changed copies of both.

use fuzz::{Inputs, TARGETS, Target, mutated};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;

/// Changed copies of a target's inputs.
const COPIES: u64 = 300;
/// As the program's own threads have.
const STACK_BYTES: usize = 16 << 20;

fn check(target: &Target) {
    let inputs = Inputs::of(target).expect("read the target's inputs");
    assert!(
        !inputs.seeds.is_empty(),
        "{}: no seed in {}",
        target.name,
        Inputs::folder("seeds", target).display()
    );
    let kept: Vec<_> = inputs.seeds.into_iter().chain(inputs.found).collect();
    for (path, bytes) in &kept {
        run(target, bytes, &path.display().to_string());
    }
    let kept: Vec<Vec<u8>> = kept.into_iter().map(|(_, bytes)| bytes).collect();
    for number in 0..COPIES {
        run(target, &mutated(&kept, number), &format!("copy {number}"));
    }
}

fn run(target: &Target, bytes: &[u8], what: &str) {
    if catch_unwind(AssertUnwindSafe(|| (target.run)(bytes))).is_err() {
        panic!(
            "{}: {what} breaks it; keep it in found/{}: {}",
            target.name,
            target.name,
            bytes.escape_ascii()
        );
    }
}

#[test]
fn no_target_breaks_on_what_is_kept_for_it() {
    let mut broken = Vec::new();
    for target in TARGETS {
        // The thread's name is what a stack overflow tells.
        let thread = thread::Builder::new().name(target.name.to_owned()).stack_size(STACK_BYTES);
        let thread = thread.spawn(|| check(target)).expect("start a thread");
        if thread.join().is_err() {
            broken.push(target.name);
        }
    }
    assert!(broken.is_empty(), "{broken:?}: what broke them is told above");
}

#[test]
fn names_are_told_apart() {
    let mut names: Vec<_> = TARGETS.iter().map(|target| target.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), TARGETS.len());
}
