//! Random Jsonnet: objects, comprehensions, functions, formats, and the standard library with what mostly fits.

use super::chance::Chance;
use super::tools::Tools;
use super::{Corpora, Input};
use crate::files::Files;
use ::jsonnet::{Parameters, Variable, evaluate};
use anyhow::Result;
use source_tree::{MemoryTree, TreePath};

/// Functions of `std`: what each takes and gives. s text, n number, a list, o object, b truth, v anything, f function of one,
/// g function of two, c number of a letter.
const FUNCTIONS: &[&str] = &[
    "length v n",
    "type v s",
    "toString v s",
    "abs n n",
    "sign n n",
    "max n n n",
    "min n n n",
    "pow n n n",
    "floor n n",
    "ceil n n",
    "round n n",
    "clamp n n n n",
    "substr s i i s",
    "codepoint c n",
    "char i s",
    "split s s a",
    "splitLimit s s i a",
    "splitLimitR s s i a",
    "isEmpty s b",
    "trim s s",
    "asciiUpper s s",
    "asciiLower s s",
    "stringChars s a",
    "findSubstr s s a",
    "startsWith s s b",
    "endsWith s s b",
    "stripChars s s s",
    "lstripChars s s s",
    "rstripChars s s s",
    "equalsIgnoreCase s s b",
    "parseInt d n",
    "parseOctal d n",
    "parseHex d n",
    "format s v s",
    "escapeStringJson s s",
    "escapeStringPython s s",
    "escapeStringBash s s",
    "escapeStringDollars s s",
    "escapeStringXML s s",
    "manifestJson v s",
    "manifestJsonEx v w s",
    "manifestJsonMinified v s",
    "manifestYamlDoc v s",
    "manifestYamlStream a s",
    "manifestPython v s",
    "manifestToml o s",
    "manifestTomlEx o w s",
    "manifestIni I s",
    "makeArray i f a",
    "member a v b",
    "count a v n",
    "find v a a",
    "map f a a",
    "mapWithIndex g a a",
    "filterMap F f a a",
    "flatMap h a a",
    "filter F a a",
    "range i i a",
    "repeat a i a",
    "slice a i i i a",
    "join s S s",
    "lines S s",
    "flattenArrays A a",
    "reverse a a",
    "sort N a",
    "uniq N a",
    "all B b",
    "any B b",
    "sum N n",
    "minArray N n",
    "maxArray N n",
    "set N a",
    "setInter T T a",
    "setUnion T T a",
    "setDiff T T a",
    "setMember n T b",
    "objectHas o s b",
    "objectFields o a",
    "objectValues o a",
    "objectKeysValues o a",
    "objectHasAll o s b",
    "objectFieldsAll o a",
    "prune v v",
    "mapWithKey g o o",
    "get o s v",
    "mergePatch o o v",
    "base64 s s",
    "base64Decode e s",
    "md5 s s",
    "sha1 s s",
    "sha256 s s",
    "isString v b",
    "isNumber v b",
    "isArray v b",
    "isObject v b",
    "isBoolean v b",
    "isFunction v b",
    "isInteger n b",
    "isEven n b",
    "isOdd n b",
    "isDecimal n b",
    "mod v v v",
    "equals v v b",
    "primitiveEquals v v b",
    "assertEqual v v b",
    "remove a v a",
    "removeAt a i a",
    "objectRemoveKey o s o",
    "deepJoin S s",
    "encodeUTF8 s a",
    "decodeUTF8 U s",
    "parseJson j v",
    "parseYaml Y v",
    "exponent n n",
    "mantissa n n",
    "contains a v b",
    "trace s v v",
    "flattenDeepArray v a",
    "objectRemoveKey o s o",
    "sha512 s s",
];

/// Literals, by the letters above; the last ones fit any other letter.
const LITERALS: &[(char, &[&str])] = &[
    (
        'n',
        &[
            "0",
            "1",
            "2",
            "-3",
            "1.5",
            "10",
            "1e3",
            "255",
            "0.1",
            "1e21",
            "123456789012",
            "-0",
            "3.5",
            "100",
            "-2.75",
            "n",
            "0.125",
            "4294967296",
            "7",
        ],
    ),
    (
        's',
        &[
            "''",
            "'abc'",
            "'Hello World'",
            "'a,b,,c'",
            "'ünï☃'",
            "'x\\ny'",
            "' pad '",
            "'a'",
            "','",
            "\"it's\"",
            "'\"q\"'",
            "s",
            "'\\u0001'",
            "'<&>$'",
            "'😀b'",
            "@'raw \\n'",
            "'12'",
            "'true'",
            "'- x'",
            "'k: v'",
            "|||\n    block\n      more\n  |||",
        ],
    ),
    (
        'a',
        &[
            "[]",
            "[1, 2, 3]",
            "['b', 'a', 'c']",
            "[1, 'a', null, true]",
            "[[1], [2, [3]]]",
            "l",
            "std.range(1, 4)",
            "[{ a: 1 }, {}]",
            "[null, '', [], {}]",
            "[1, 1, 2]",
            "[0.5, -1, 1e10]",
        ],
    ),
    (
        'o',
        &[
            "{}",
            "{ a: 1 }",
            "{ a: 'x', b: [1, null], c: { d: true } }",
            "{ b: 2, a: 1, h:: 3 }",
            "o",
            "{ 'k-1': null, z: {} }",
            "{ a: self.b, b: 2 }",
            "{ x+: 1 }",
            "{ assert true, a: 0.5 }",
            "{ a::: 1 }",
            "{ '': 1 }",
        ],
    ),
    ('b', &["true", "false"]),
    ('z', &["null"]),
    ('i', &["0", "1", "2", "3", "5", "-1", "10", "65", "9731", "1.5"]),
    ('c', &["'a'", "'ü'", "'☃'", "'ab'", "''"]),
    ('d', &["'12'", "'-7'", "'0'", "'ff'", "'FF'", "'17'", "'x'", "''", "'0x1'", "'1.5'"]),
    ('w', &["'  '", "''", "'\\t'", "'    '"]),
    ('e', &["'aGVsbG8='", "'AAE='", "'bad!'", "''", "'aGVsbG8'"]),
    (
        'f',
        &[
            "function(x) x",
            "function(x) [x]",
            "function(x) std.toString(x)",
            "function(x) x + 1",
            "std.length",
            "std.type",
        ],
    ),
    (
        'g',
        &[
            "function(a, b) a",
            "function(a, b) [a, b]",
            "function(a, b) '%s-%s' % [a, b]",
            "function(a, b) b",
            "function(a, b) a + b",
        ],
    ),
    ('F', &["function(x) true", "function(x) x != null", "function(x) std.isNumber(x)", "function(x) x"]),
    ('h', &["function(x) [x, x]", "function(x) []", "function(x) x"]),
    ('S', &["['a', 'b']", "['x']", "[]", "['a', null, 'c']", "['a', ['b', ['c']]]"]),
    (
        'N',
        &[
            "[3, 1, 2]",
            "[1, 1, 2]",
            "[]",
            "[0.5, -1, 1e10]",
            "['b', 'a', 'b']",
            "[[2], [1]]",
            "[true, false]",
        ],
    ),
    ('A', &["[[1], [2, 3]]", "[]", "[[]]", "[['a'], [null]]"]),
    ('B', &["[true, false]", "[]", "[true]", "[1]"]),
    ('T', &["[1, 2, 3]", "[2, 4]", "[]", "['a', 'b']"]),
    ('U', &["[104, 105]", "[195, 188]", "[255]", "[]"]),
    (
        'I',
        &[
            "{ main: { a: 1 }, sections: { s: { b: 'x', c: [1, 2] } } }",
            "{ sections: {} }",
            "{ sections: { e: {} } }",
        ],
    ),
    ('j', &["'{\"a\": [1, 2.50, null]}'", "'[1e3, \"\\\\u00e9\"]'", "'bad'", "'\"x\"'", "''", "'1'"]),
    (
        'Y',
        &[
            "'a: 1\\nb: [x, yes]'",
            "'- 1\\n- a: b'",
            "'---\\na: 1\\n---\\nb: 2'",
            "'a: 0x1F\\nb: 0o7\\nc: 1e3'",
            "'x'",
            "''",
            "'a: &x 1\\nb: *x'",
            "'a: |\\n  t\\n'",
            "'a: 2020-01-01'",
            "'a: ~'",
            "'{a: 1.0}'",
            "'\"1\": true'",
        ],
    ),
    ('*', &["null", "1", "'x'", "[]", "{}"]),
];

pub(crate) fn make(chance: &mut Chance, _: &Corpora) -> Result<Input> {
    let mut text = String::new();
    for (name, kind) in [("n", 'n'), ("s", 's'), ("l", 'a'), ("o", 'o')] {
        text.push_str(&format!("local {name} = {};\n", literal(chance, kind)));
    }
    text.push_str("{\n");
    for number in 0..=chance.below(3) {
        let kind = *chance.pick(&['v', 'n', 's', 'a', 'o', 'b']);
        text.push_str(&format!("  f{number}: {},\n", expression(chance, kind, 3)));
    }
    text.push_str("}\n");
    let mut files = Files::default();
    files.add("main.jsonnet", text);
    Ok(Input { files, arguments: Vec::new() })
}

fn expression(chance: &mut Chance, kind: char, depth: usize) -> String {
    let kind = if chance.percent(4) { *chance.pick(&['n', 's', 'a', 'o', 'b', 'v']) } else { kind };
    let kind = if kind == 'v' { *chance.pick(&['n', 's', 'a', 'o', 'b', 'z']) } else { kind };
    if depth == 0 || !"nsaob".contains(kind) {
        return literal(chance, kind);
    }
    let mut sub = |kind: char| expression(chance, kind, depth - 1);
    let (one, other) = (sub(kind), sub(kind));
    let (number, list, text, truth, object) = (sub('n'), sub('a'), sub('s'), sub('b'), sub('o'));
    match (chance.below(9), kind) {
        (0..=2, _) => call(chance, kind, depth - 1),
        (3, 'n') => {
            format!("({one} {} {other})", chance.of(&["+", "-", "*", "/", "%", "&", "|", "^", "<<", ">>"]))
        }
        (3, 's') => format!("({one} + {other})"),
        (3, 'a') => format!("[x for x in {one} if {truth}]"),
        (3, 'o') => format!("({one} + {other})"),
        (3, _) => format!("({one} {} {other})", chance.of(&["&&", "||", "==", "!="])),
        (4, 'n') => format!("std.length({list})"),
        (4, 's') => format!("({} % {})", format_text(chance), format_value(chance, depth)),
        (4, 'a') => format!("({one} + {other})"),
        (4, 'o') => {
            format!("{{ a: 1, b: self.a + {number}, ['k' + {text}]: {list}, h:: {truth}, n+: {object} }}")
        }
        (4, _) => {
            format!("({number} {} {})", chance.of(&["<", "<=", ">", ">=", "==", "!="]), literal(chance, 'n'))
        }
        (5, 'n') => format!("{list}[0]"),
        (5, 's') => format!(
            "{one}[{}:{}]",
            chance.of(&["", "0", "1", "2", "-1"]),
            chance.of(&["", "1", "3", "-1", "10"])
        ),
        (5, 'a') => format!(
            "{one}[{}:{}:{}]",
            chance.of(&["", "0", "1", "-2"]),
            chance.of(&["", "2", "-1", "9"]),
            chance.of(&["", "1", "2"])
        ),
        (5, 'o') => format!("{{ [k]: {number} for k in ['a', 'b', {text}] }}"),
        (5, _) => format!("('a' in {object})"),
        (6, _) => format!("(local f(x, y={one}) = y; f({number}))"),
        (7, 'n') => format!("({}{one})", chance.of(&["-", "~", "+"])),
        (7, 's') => format!("('' + {})", sub_any(chance, depth)),
        (7, 'o') => format!("({one} {{ a+: {number}, c: super.a, d:: $.b, e: std.objectFields(self) }})"),
        _ => format!("(if {truth} then {one} else {other})"),
    }
}

fn sub_any(chance: &mut Chance, depth: usize) -> String {
    expression(chance, 'v', depth - 1)
}

fn format_text(chance: &mut Chance) -> &'static str {
    chance.of(&[
        "'%d'",
        "'%s'",
        "'%05d|'",
        "'%-5d|'",
        "'%+d'",
        "'% d'",
        "'%x'",
        "'%#x'",
        "'%X'",
        "'%o'",
        "'%#o'",
        "'%e'",
        "'%.2e'",
        "'%f'",
        "'%.3f'",
        "'%g'",
        "'%.3g'",
        "'%G'",
        "'%c'",
        "'%%'",
        "'%5s|'",
        "'%-5s|'",
        "'%08.3f'",
        "'%.0f'",
        "'%#.0f'",
        "'%i'",
        "'%u'",
        "'%10.4f|'",
        "'%+.1e'",
        "'%#g'",
        "'%03d'",
        "'%s %s'",
        "'%(a)s'",
        "'%*d'",
        "'%.10g'",
        "'%-08d|'",
    ])
}

fn format_value(chance: &mut Chance, depth: usize) -> String {
    let one = expression(chance, *chance_kind(depth), depth - 1);
    match chance.below(4) {
        0 => format!("[{one}]"),
        1 => format!("[{one}, {}]", literal(chance, 'n')),
        2 => format!("{{ a: {one} }}"),
        _ => literal(chance, 'n'),
    }
}

fn chance_kind(depth: usize) -> &'static char {
    ['n', 's', 'v', 'n'].get(depth).unwrap_or(&'n')
}

fn call(chance: &mut Chance, kind: char, depth: usize) -> String {
    let fitting: Vec<&&str> =
        FUNCTIONS.iter().filter(|signature| signature.ends_with(kind) || signature.ends_with('v')).collect();
    let signature = **chance.pick(&fitting);
    let mut words: Vec<&str> = signature.split(' ').collect();
    words.pop();
    let name = words.remove(0);
    let arguments: Vec<String> = words
        .iter()
        .map(|word| {
            let kind = word.chars().next().unwrap_or('v');
            // A letter that no expression has names a literal.
            expression(chance, kind, depth)
        })
        .collect();
    format!("std.{name}({})", arguments.join(", "))
}

fn literal(chance: &mut Chance, kind: char) -> String {
    let fits = |of: char| LITERALS.iter().find(|(known, _)| *known == of);
    let (_, list) = fits(kind).or_else(|| fits('*')).expect("the list ends in what fits all");
    (*chance.pick(list)).to_owned()
}

pub(crate) fn ours(input: &Input) -> Result<String, String> {
    let files = input.files.0.iter().map(|(name, content)| {
        TreePath::parse(name).map(|path| (path, content.clone())).map_err(|error| error.to_string())
    });
    let tree =
        MemoryTree::from_files(files.collect::<Result<Vec<_>, _>>()?).map_err(|error| error.to_string())?;
    let main = TreePath::parse("main.jsonnet").map_err(|error| error.to_string())?;
    let external = [("e".to_owned(), Variable::Text("x".to_owned()))].into();
    let parameters = Parameters { external, ..Parameters::default() };
    evaluate(&tree, &main, &parameters).map_err(|error| error.to_string())
}

pub(crate) fn theirs(tools: &mut Tools, input: &Input) -> Result<Result<String, String>> {
    tools.run(&input.files, &["--ext-str", "e=x", "main.jsonnet"])
}
