//! Reading and comparing.

use transcripts::{Answer, Record, Replacements, compare};

const RECORD: &str = "# why\n$ argocd app patch x --patch '{\"a\": \"b c\"}' --repo <repo>/r.git\nenv: ARGOCD_OPTS=--core\n\
                      --- stdin\ny\nexit: 20\n--- stdout\nProceed (y/n)? <no-newline>\n--- stderr\nfailed\n";

fn answer(output: &str) -> Answer {
    Answer { exit: Some(0), output: output.into(), errors: String::new() }
}

fn same(recorded: &str, answered: &str) -> bool {
    let replacements = Replacements::new(&[("<server>", "localhost:4711")]);
    compare(&answer(recorded), &answer(answered), &replacements).is_ok()
}

#[test]
fn a_record_has_its_parts() {
    let record = Record::parse(RECORD).expect("a record");
    assert_eq!(record.note, "why");
    assert_eq!(
        record.call.words,
        ["app", "patch", "x", "--patch", "{\"a\": \"b c\"}", "--repo", "<repo>/r.git"]
    );
    assert_eq!(record.call.variables, [("ARGOCD_OPTS".to_owned(), "--core".to_owned())]);
    assert_eq!(record.call.input, "y\n");
    assert_eq!(record.answer.exit, Some(20));
    assert_eq!(record.answer.output, "Proceed (y/n)? ");
    assert_eq!(record.answer.errors, "failed\n");
    assert!(Record::parse("exit: 0\n").is_err(), "a file without a command");
    assert!(Record::parse("$ argocd 'x\n").is_err(), "an open quote");
}

#[test]
fn what_differs_from_run_to_run_is_the_same() {
    assert!(same("at <server> <time>", "at localhost:4711   2026-01-02T03:04:05Z"));
    assert!(same("Sync Status: Synced to (<sha7:apps-1>)", "Sync Status: Synced to (0123abc)"));
    assert!(same("{\"a\": 1, \"b\": null}", "{\n  \"b\": null,\n  \"a\": 1\n}"));
}

#[test]
fn what_matters_is_not() {
    assert!(!same("STATUS Synced", "STATUS OutOfSync"));
    assert!(!same("{\"a\": null}", "{}"));
    assert!(!same("{\"a\": \"1\"}", "{\"a\": 1}"));
    assert!(!same("a\n\nb", "a\nb"));
    assert!(!same(" indented", "indented"));
}

#[test]
fn lines_shown_while_waiting_are_not_compared_but_the_block_after_them_is() {
    let recorded = "TIMESTAMP  KIND\n<time>  Service\n<time>  Deployment\n\nName: x\n";
    assert!(same(recorded, "TIMESTAMP  KIND\n2026-01-02T03:04:05Z  Service\n\nName: x\n"));
    assert!(!same(recorded, "TIMESTAMP  KIND\n2026-01-02T03:04:05Z  Service\n\nName: y\n"));
}

#[test]
fn help_is_compared_by_its_command() {
    let recorded = "<help text of \"argocd app get\">\n";
    assert!(same(recorded, "Get details\n\nUsage:\n  argocd app get APPNAME [flags]\n"));
    assert!(!same(recorded, "Get details\n\nUsage:\n  argocd app set APPNAME [flags]\n"));
    assert!(!same(recorded, "nothing"));
}
