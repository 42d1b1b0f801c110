//! Random templates: calls of all functions with arguments that mostly fit, inside of random control flow.

mod literals;

use super::chance::Chance;
use super::tools::Tools;
use super::{Corpora, Input, trees};
use crate::files::Files;
use crate::ours as renderers;
use anyhow::Result;
use literals::LITERALS;
use serde_json::{Value, json};

/// Functions, with what each takes and gives: s text, i whole number, n number, l list, d map, a anything, b truth,
/// r regular expression, f format, t time, y layout of a time, v version, c constraint, u address, p path, e Base64, j JSON, Y YAML,
/// S the same as the value before. Many at the end: `*`.
const FUNCTIONS: &[&str] = &[
    "upper s s",
    "lower s s",
    "title s s",
    "untitle s s",
    "trim s s",
    "trimAll s s s",
    "trimPrefix s s s",
    "trimSuffix s s s",
    "repeat i s s",
    "substr i i s s",
    "trunc i s s",
    "abbrev i s s",
    "abbrevboth i i s s",
    "initials s s",
    "nospace s s",
    "contains s s b",
    "hasPrefix s s b",
    "hasSuffix s s b",
    "quote a* s",
    "squote a* s",
    "cat a* s",
    "indent i s s",
    "nindent i s s",
    "replace s s s s",
    "plural s s i s",
    "snakecase s s",
    "camelcase s s",
    "kebabcase s s",
    "swapcase s s",
    "wrap i s s",
    "wrapWith i s s s",
    "splitList s s l",
    "split s s d",
    "splitn s i s d",
    "join s l s",
    "sortAlpha l l",
    "toString a s",
    "toStrings l l",
    "int a i",
    "int64 a i",
    "float64 a n",
    "toDecimal a i",
    "add a* i",
    "add1 a i",
    "sub a a i",
    "div a i i",
    "mod a i i",
    "mul a* i",
    "max a* i",
    "min a* i",
    "addf a* n",
    "subf n n n",
    "mulf a* n",
    "divf n n n",
    "maxf n n* n",
    "minf n n* n",
    "floor a n",
    "ceil a n",
    "round a i n",
    "round a i n n",
    "biggest a* i",
    "len l i",
    "first l a",
    "rest l l",
    "last l a",
    "initial l l",
    "append l a l",
    "prepend l a l",
    "concat l* l",
    "reverse l l",
    "uniq l l",
    "without l a* l",
    "has a l b",
    "compact l l",
    "index l i a",
    "slice l i l",
    "slice l i i l",
    "until i l",
    "untilStep i i i l",
    "seq i i l",
    "seq i i i l",
    "chunk i l l",
    "list a* l",
    "tuple a* l",
    "get d s a",
    "set d s a d",
    "unset d s d",
    "hasKey d s b",
    "pluck s d d* l",
    "merge d d* d",
    "mergeOverwrite d d* d",
    "dict s a d",
    "pick d s* d",
    "omit d s* d",
    "deepCopy a a",
    "deepEqual a a b",
    "dig s s a d a",
    "default a a a",
    "empty a b",
    "coalesce a* a",
    "all a* b",
    "any a* b",
    "ternary a a b a",
    "fail s a",
    "kindOf a s",
    "kindIs s a b",
    "typeOf a s",
    "typeIs s a b",
    "typeIsLike s a b",
    "b64enc s s",
    "b64dec e s",
    "b32enc s s",
    "b32dec s s",
    "sha1sum s s",
    "sha256sum s s",
    "sha512sum s s",
    "adler32sum s s",
    "regexMatch r s b",
    "mustRegexMatch r s b",
    "regexFind r s s",
    "regexFindAll r s i l",
    "regexReplaceAll r s s s",
    "regexReplaceAllLiteral r s s s",
    "regexSplit r s i l",
    "regexQuoteMeta s s",
    "mustRegexReplaceAll r s s s",
    "semver v a",
    "semverCompare c v b",
    "urlParse u d",
    "urlquery s s",
    "html s s",
    "js s s",
    "base p s",
    "dir p s",
    "clean p s",
    "ext p s",
    "isAbs p b",
    "osBase p s",
    "osDir p s",
    "osExt p s",
    "date y t s",
    "dateInZone y t s s",
    "toDate y s t",
    "unixEpoch t s",
    "dateModify s t t",
    "duration a s",
    "durationRound a s",
    "date_modify s t t",
    "mustToDate y s t",
    "htmlDate t s",
    "toJson a s",
    "toPrettyJson a s",
    "toRawJson a s",
    "mustToJson a s",
    "fromJson j d",
    "fromJsonArray j l",
    "toYaml a s",
    "toYamlPretty a s",
    "fromYaml Y d",
    "fromYamlArray Y l",
    "toToml d s",
    "mustFromJson j a",
    "printf f a* s",
    "print a* s",
    "println a* s",
    "eq a a b",
    "ne a a b",
    "lt S S b",
    "le S S b",
    "gt S S b",
    "ge S S b",
    "and a a* a",
    "or a a* a",
    "not a b",
    "eq a a a* b",
    "required s a a",
    "tpl s R s",
    "atoi s i",
    "int s i",
    "float64 s n",
    "toDecimal s i",
    "mustFirst l a",
    "mustLast l a",
    "mustUniq l l",
    "mustHas a l b",
    "mustSlice l i l",
    "mustAppend l a l",
    "mustMerge d d d",
    "mustMergeOverwrite d d d",
    "values d l",
    "keys d* l",
    "lookup s s s s d",
    "hello s",
    "trimall s s s",
    "shuffle E s",
    "randInt E i",
    "bcrypt E s",
    "lower S s",
    "quote s s",
    "join s a s",
    "index d s a",
    "index a a a",
    "len a i",
    "first a a",
    "uniq a l",
    "has a a b",
    "sortAlpha a l",
    "float64 a n",
];

pub(crate) fn make(chance: &mut Chance, _: &Corpora) -> Result<Input> {
    let mut values = trees::map(chance, 2);
    for (name, value) in [
        ("s", json!(["Hello World", "a,b", "fooBar", "", "ünï", "x y z"][chance.below(6)])),
        ("n", trees::scalar(chance)),
        ("l", json!([trees::scalar(chance), trees::scalar(chance), "b", "a"])),
        ("m", Value::Object(trees::map(chance, 1))),
        ("z", Value::Null),
    ] {
        values.insert(name.to_owned(), value);
    }
    let mut text = String::new();
    for _ in 0..=chance.below(2) {
        text.push_str(&statement(chance, 2));
        text.push('\n');
    }
    let mut files = Files::default();
    files.add("templates/case.yaml", text);
    files.add("values.yaml", serde_json::to_string(&values)?);
    Ok(Input { files, arguments: Vec::new() })
}

fn statement(chance: &mut Chance, depth: usize) -> String {
    let mut kind = || *chance.pick(&['a', 's', 'n', 'l', 'd', 'b']);
    let (one, other) = (kind(), kind());
    let trim = |text: String, chance: &mut Chance| {
        if chance.percent(15) { text.replacen("{{", "{{-", 1) } else { text }
    };
    let text = match chance.below(if depth == 0 { 5 } else { 14 }) {
        0..=4 => format!("{{{{ {} }}}}", expression(chance, one, 2)),
        5 => format!(
            "{{{{ if {} }}}}{}{{{{ else if {} }}}}{}{{{{ else }}}}E{{{{ end }}}}",
            expression(chance, one, 1),
            statement(chance, depth - 1),
            expression(chance, other, 1),
            statement(chance, depth - 1)
        ),
        6 => format!(
            "{{{{ with {} }}}}{}|{{{{ . }}}}{{{{ else }}}}none{{{{ end }}}}",
            expression(chance, one, 1),
            statement(chance, depth - 1)
        ),
        7 => format!(
            "{{{{ range $k, $v := {} }}}}{{{{ $k }}}}={{{{ $v }}}};{}{{{{ else }}}}none{{{{ end }}}}",
            expression(chance, *chance_of(other, &['l', 'd', 'i']), 1),
            statement(chance, depth - 1)
        ),
        8 => format!("{{{{ $x := {} }}}}{{{{ $x | {} }}}}", expression(chance, one, 1), piped(chance)),
        9 => format!(
            "{{{{ define \"t\" }}}}[{}{{{{ . }}}}]{{{{ end }}}}{{{{ include \"t\" ({}) }}}}",
            statement(chance, 0),
            expression(chance, one, 1)
        ),
        10 => format!("{{{{ {} | {} }}}}", expression(chance, one, 1), piped(chance)),
        11 => format!("{{{{ {} | {} | {} }}}}", expression(chance, one, 1), piped(chance), piped(chance)),
        12 => format!(
            "{{{{ range {} }}}}{{{{ if eq (toString .) \"a\" }}}}{{{{ continue }}}}{{{{ end }}}}{{{{ . }}}},{{{{ end }}}}",
            expression(chance, 'l', 1)
        ),
        _ => format!("k: {{{{ {} | toYaml | nindent 2 }}}}", expression(chance, one, 1)),
    };
    trim(text, chance)
}

fn chance_of(seed: char, list: &[char]) -> &char {
    &list[seed as usize % list.len()]
}

/// A function that takes its last argument from a pipe.
fn piped(chance: &mut Chance) -> String {
    let call = call(chance, None, 1);
    match call.rsplit_once(' ') {
        // The last argument comes from the pipe.
        Some((head, last)) if !last.ends_with(')') && !last.ends_with('"') && !last.ends_with('`') => {
            head.to_owned()
        }
        _ => [
            "quote",
            "toYaml",
            "toJson",
            "toString",
            "default \"d\"",
            "printf \"%v\"",
            "int",
            "kindOf",
            "upper",
            "trunc 3",
            "nindent 2",
        ][chance.below(11)]
        .to_owned(),
    }
}

fn expression(chance: &mut Chance, kind: char, depth: usize) -> String {
    // Now and then something that does not fit.
    let kind = if chance.percent(8) { *chance.pick(&['a', 's', 'i', 'l', 'd', 'n']) } else { kind };
    if depth > 0 && chance.percent(65) {
        return call(chance, Some(kind), depth - 1);
    }
    literal(chance, kind)
}

/// A call of a function that gives this kind.
fn call(chance: &mut Chance, kind: Option<char>, depth: usize) -> String {
    let fits = |signature: &&&str| match kind {
        None | Some('a') => true,
        Some('n') => signature.ends_with(" n") || signature.ends_with(" i"),
        Some(kind) => signature.ends_with(kind),
    };
    let fitting: Vec<&&str> = FUNCTIONS.iter().filter(fits).collect();
    if fitting.is_empty() {
        return literal(chance, kind.unwrap_or('a'));
    }
    let signature = **chance.pick(&fitting);
    let mut words: Vec<&str> = signature.split(' ').collect();
    words.pop();
    let name = words.remove(0);
    if words.contains(&"E") || matches!(name, "hello" | "fail") {
        return literal(chance, kind.unwrap_or('a'));
    }
    let same = *chance.pick(&['i', 's', 'n']);
    let mut text = name.to_owned();
    for word in words {
        let kind = word.chars().next().unwrap_or('a');
        let kind = if kind == 'S' { same } else { kind };
        let count = if word.ends_with('*') { chance.below(4) } else { 1 };
        for _ in 0..count {
            text.push(' ');
            text.push_str(&argument(chance, kind, depth));
        }
    }
    // Go leaves their order to chance.
    match name {
        "values" | "keys" => format!("sortAlpha ({text})"),
        _ => text,
    }
}

fn argument(chance: &mut Chance, kind: char, depth: usize) -> String {
    let text = expression(chance, kind, depth);
    let simple = !text.contains(' ')
        || (text.starts_with('"') && text.ends_with('"') && text.matches('"').count() == 2)
        || text.starts_with('`');
    if simple { text } else { format!("({text})") }
}

fn literal(chance: &mut Chance, kind: char) -> String {
    let fits = |of: char| LITERALS.iter().find(|(known, _)| *known == of);
    let (_, list) = fits(kind).or_else(|| fits('*')).expect("the list ends in what fits all");
    (*chance.pick(list)).to_owned()
}

pub(crate) fn ours(input: &Input) -> Result<String, String> {
    let mut files = input.files.clone();
    files.add("Chart.yaml", "apiVersion: v2\nname: x\nversion: 1.2.3\nappVersion: \"4.5\"\ndescription: d\n");
    renderers::template(&files)
}

pub(crate) fn theirs(tools: &mut Tools, input: &Input) -> Result<Result<String, String>> {
    let text = |path: &str| {
        String::from_utf8_lossy(input.files.0.get(path).map(Vec::as_slice).unwrap_or_default()).into_owned()
    };
    if !input.files.0.contains_key("templates/case.yaml") {
        return Ok(Err("there is no template".to_owned()));
    }
    let values: Value = serde_json::from_str(&text("values.yaml")).unwrap_or_else(|_| json!({}));
    tools.ask(&json!({"template": text("templates/case.yaml"), "values": values}))
}
