//! Reading and comparing.

use transcripts::{
    Answer, Exchange, Record, Replacements, Response, compare, compare_objects, compare_responses,
};

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

const EXCHANGE: &str = "# stale\n# as: ADMIN\nPUT /api/v1/x?a=b HTTP/1.1\nContent-Type: application/json\n\n{\"a\":1}\n\n>>>\n\
                        HTTP/1.1 409\nContent-Type: application/json\nSet-Cookie: t=; Path=/\n\n{\"code\":10,\"at\":<epoch>}\n";

fn answered(body: &str) -> Response {
    let headers = [("content-type", "application/json"), ("set-cookie", "t=; path=/; httpOnly")];
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    Response { status: 409, headers, body: body.into(), ..Response::default() }
}

#[test]
fn an_exchange_has_its_parts() {
    let exchange = Exchange::parse(EXCHANGE).expect("an exchange");
    assert_eq!((exchange.note.as_str(), exchange.caller.as_str()), ("stale", "ADMIN"));
    assert_eq!(
        (exchange.request.method.as_str(), exchange.request.target.as_str()),
        ("PUT", "/api/v1/x?a=b")
    );
    assert_eq!(exchange.request.body, "{\"a\":1}");
    assert_eq!(exchange.response.status, 409);
    assert!(Exchange::parse("GET / HTTP/1.1\n").is_err(), "a request without an answer");
}

#[test]
fn answers_are_compared_by_status_headers_and_body() {
    let recorded = Exchange::parse(EXCHANGE).expect("an exchange").response;
    let replacements = Replacements::new(&[]);
    let same = |response: &Response| compare_responses(&recorded, response, &replacements).is_ok();
    assert!(same(&answered("{\"at\":1767225600,\"code\":10}")), "epochs are normal, cookies may say more");
    assert!(!same(&answered("{\"at\":\"1767225600\",\"code\":10}")), "a number is no text");
    assert!(!same(&answered("{\"at\":1767225600,\"code\":\"10\"}")));
    assert!(!same(&Response { status: 400, ..answered("{\"at\":1767225600,\"code\":10}") }));
    assert!(!same(&Response { headers: Vec::new(), ..answered("{\"at\":1767225600,\"code\":10}") }));
}

#[test]
fn rows_of_results_are_a_set_and_ages_pass() {
    let recorded = "GROUP  KIND  NAMESPACE  NAME  AGE\n  Service  x  a  6s\napps  Deployment  x  a  6s\n";
    assert!(same(
        recorded,
        "GROUP  KIND  NAMESPACE  NAME  AGE\napps  Deployment  x  a  1m2s\n  Service  x  a  10s\n"
    ));
    assert!(!same(recorded, "GROUP  KIND  NAMESPACE  NAME  AGE\napps  Deployment  x  a  6s\n"));
}

#[test]
fn objects_are_compared_by_what_they_say() {
    let object = |generation: u32, name: &str, status: &str| {
        serde_json::json!({
            "metadata": {"generation": generation, "resourceVersion": "12", "managedFields": [{"manager": name}]},
            "data": {"job": name}, "status": {"sync": status},
        })
    };
    let replacements = Replacements::new(&[]);
    let same = |one: &_, other: &_| compare_objects(one, other, &replacements).is_ok();
    assert!(same(&object(1, "nightly-2601011200", "Synced"), &object(2, "nightly-<n>", "Synced")));
    assert!(!same(&object(1, "nightly-<n>", "Synced"), &object(1, "nightly-<n>", "OutOfSync")));
}

#[test]
fn who_wrote_which_field_is_not_compared() {
    let recorded = "metadata:\n  managedFields:\n  - manager: one\n    time: x\n  name: a\n";
    assert!(same(recorded, "metadata:\n  name: a\n"));
    assert!(same(
        "{\"metadata\":{\"generation\":3,\"managedFields\":[]}}",
        "{\"metadata\":{\"generation\":4}}"
    ));
    assert!(!same(recorded, "metadata:\n  name: b\n"));
}
