//! Whatever a template says, it is read and executed without a panic and within its limits.

use gotemplate::{Error, Functions, Limits, Map, MissingKey, Nowhere, Templates, Value};
use proptest::prelude::*;
use std::collections::BTreeMap;

fn limits() -> Limits {
    Limits { output: 1 << 20, steps: 200_000, depth: 50, stack: 700 << 10 }
}

fn run(text: &str) -> Result<String, Error> {
    let mut templates = Templates::new(Functions::helm());
    templates.parse("t", text)?;
    let values = serde_json::json!({"a": 1, "b": "two", "l": [1, "x", null, [2]], "m": {"k": {"y": "é"}}});
    let data = Map::any(BTreeMap::from([("Values".into(), Value::from_json(&values))]));
    templates.execute("t", &data, &mut Nowhere, MissingKey::Zero, limits())
}

fn fragment() -> impl Strategy<Value = String> {
    let words = [
        "{{",
        "}}",
        "{{-",
        "-}}",
        "(",
        ")",
        "|",
        " ",
        ".",
        "$",
        "$x",
        ":=",
        "=",
        ",",
        "if",
        "else",
        "end",
        "range",
        "with",
        "define",
        "template",
        "block",
        "break",
        "continue",
        "\"s\"",
        "`r`",
        "'c'",
        "1",
        "-2.5",
        "0x",
        "1e9",
        "nil",
        "true",
        ".Values",
        ".Values.l",
        ".Values.m.k",
        ".x",
        "/*",
        "*/",
        "é",
        "\n",
        "\\",
        "\"",
    ];
    prop_oneof![
        3 => proptest::sample::select(words.to_vec()).prop_map(str::to_owned),
        2 => proptest::sample::select(Functions::helm().names().iter().map(|name| (*name).to_owned()).collect::<Vec<_>>())
            .prop_filter("slow by design", |name| !matches!(name.as_str(), "derivePassword" | "bcrypt" | "htpasswd")),
        1 => any::<char>().prop_map(String::from),
    ]
}

fn argument() -> impl Strategy<Value = &'static str> {
    proptest::sample::select(vec![
        "1",
        "-1",
        "0",
        "9223372036854775807",
        "1000000000000",
        "2.5",
        "1e300",
        "\"\"",
        "\"é\"",
        "\"%[9]*.*d%\"",
        "\"(a|b)*\\\\\"",
        "\"_2 2006 .000\"",
        "nil",
        "true",
        ".Values",
        ".Values.l",
        ".Values.m",
        ".Values.b",
        "(list)",
        "(dict)",
        "(dict \"a\" (list 1))",
        "(until 3)",
        "(b64dec \"/w==\")",
        "(now)",
        "(trunc 1 \"é\")",
    ])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_answered(parts in proptest::collection::vec(fragment(), 0..40)) {
        let _ = run(&parts.concat());
        let _ = run(&format!("{{{{ {} }}}}", parts.join(" ")));
    }

    #[test]
    fn any_call_is_answered(
        name in proptest::sample::select(Functions::helm().names().iter().map(|name| (*name).to_owned()).collect::<Vec<_>>())
            .prop_filter("slow by design", |name| !matches!(name.as_str(), "derivePassword" | "bcrypt" | "htpasswd")),
        arguments in proptest::collection::vec(argument(), 0..5),
    ) {
        let _ = run(&format!("{{{{ {name} {} }}}}", arguments.join(" ")));
        let _ = run(&format!("{{{{ {name} {} | toYaml }}}}", arguments.join(" ")));
    }
}

#[test]
fn what_never_ends_is_ended() {
    let limited = [
        "{{ define \"a\" }}{{ template \"a\" . }}{{ end }}{{ template \"a\" . }}".to_owned(),
        "{{ define \"a\" }}{{ include \"a\" . }}{{ end }}{{ include \"a\" . }}".to_owned(),
        "{{ range until 2000 }}{{ range until 2000 }}x{{ end }}{{ end }}".to_owned(),
        "{{ repeat 1000000000 \"x\" }}".to_owned(),
        "{{ until 1000000000 }}".to_owned(),
        "{{ $x := \"x\" }}{{ range until 40 }}{{ $x = print $x $x }}{{ end }}".to_owned(),
        "{{ range 9223372036854775807 }}{{ end }}".to_owned(),
    ];
    for text in &limited {
        let answer = run(text);
        assert!(answer.is_err(), "{text}");
    }
}

#[test]
fn nesting_ends_in_an_error_and_not_with_the_stack() {
    for depth in [1000, 100_000] {
        let _ = run(&format!("{{{{ {}1{} }}}}", "(".repeat(depth), ")".repeat(depth)));
        let _ = run(&format!("{}{}", "{{ if 1 }}".repeat(depth), "{{ end }}".repeat(depth)));
        let _ = run(&format!("{{{{ if 0 }}}}{}{{{{ end }}}}", "{{ else if 0 }}".repeat(depth)));
    }
    let deep = "{{ $x := list }}{{ range until 20000 }}{{ $x = list $x }}{{ end }}{{ len $x }}";
    assert!(run(deep).is_ok());
    let printed = "{{ $x := list }}{{ range until 5000 }}{{ $x = list $x }}{{ end }}{{ $x | toJson }}{{ $x }}{{ deepEqual $x $x }}";
    assert!(run(printed).is_ok());
    let own = "{{ $d := dict }}{{ $_ := set $d \"d\" $d }}{{ $d | toYaml }}{{ $d | toJson }}{{ len (print $d) }}{{ deepCopy $d }}";
    assert!(run(own).is_err());
}

#[test]
fn a_function_pays_for_what_it_reads() {
    for function in ["sha256sum", "contains \"y\"", "regexMatch \"y+$\"", "adler32sum"] {
        let text = format!(
            "{{{{ $long := repeat 500000 \"x\" }}}}{{{{ range until 100 }}}}{{{{ $x := $long | {function} }}}}{{{{ end }}}}"
        );
        let error = run(&text).unwrap_err();
        assert!(matches!(&error, Error::Limit(told) if told.contains("steps")), "{function}: {error}");
        assert_eq!(run(&text.replace("until 100", "until 2")).unwrap(), "", "{function}");
    }
}
