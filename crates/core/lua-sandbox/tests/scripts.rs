//! What scripts can do, what they cannot, and how they end.

use lua_sandbox::{Input, Limits, Returned, Script, ScriptError, ScriptFault};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

fn run_with(text: &str, object: &Value, open: bool, limits: &Limits) -> Result<Returned, ScriptError> {
    let parameters = BTreeMap::from([("replicas".to_owned(), "6".to_owned())]);
    let empty = serde_json::Map::new();
    let input = Input {
        object: object.as_object().unwrap_or(&empty),
        parameters: &parameters,
        now: "2026-03-04T05:06:07Z".parse().expect("a time"),
        open_libraries: open,
    };
    Script::compile("resource.customizations.health.acme.io_Widget", text).run(&input, limits)
}

fn run(text: &str) -> Result<Returned, ScriptError> {
    run_with(
        text,
        &json!({"metadata": {"name": "x", "gone": null}, "list": [1, 2.5, "three"]}),
        false,
        &Limits::default(),
    )
}

fn open(text: &str) -> Result<Returned, ScriptError> {
    run_with(text, &json!({}), true, &Limits::default())
}

fn table(value: Value) -> Result<Returned, ScriptError> {
    Ok(Returned::Table(value))
}

fn told(outcome: Result<Returned, ScriptError>) -> String {
    outcome.expect_err("the script fails").to_string()
}

#[test]
fn a_script_sees_the_object_and_returns_a_table() {
    assert_eq!(
        run("return {status = 'Healthy', n = obj.list[2], gone = obj.metadata.gone == nil}"),
        table(json!({"status": "Healthy", "n": 2.5, "gone": true}))
    );
    assert_eq!(run("return obj"), table(json!({"metadata": {"name": "x"}, "list": [1, 2.5, "three"]})));
    assert_eq!(run("return {tonumber(actionParams['replicas']) + 1}"), table(json!([7])));
    assert_eq!(run("return {}"), table(json!([])));
    assert_eq!(run("local x = 1"), Ok(Returned::Nothing));
    assert_eq!(run("return nil"), Ok(Returned::Nothing));
    assert_eq!(run("return 'x'"), Ok(Returned::Other("string")));
}

#[test]
fn the_dialect_is_five_one_with_goto() {
    assert_eq!(
        run("for i = 1, 3 do if i < 3 then goto next end do return {i} end ::next:: end"),
        table(json!([3]))
    );
    assert_eq!(
        run("return {table.getn(obj.list), tostring(3), unpack({4, 5})}"),
        table(json!([3, "3", 4, 5]))
    );
    assert_eq!(run("return {table.maxn({1, 2}), loadstring('return 9')()}"), table(json!([2, 9])));
    assert!(matches!(run("return 7 // 2").unwrap_err().fault, ScriptFault::Syntax(_)));
}

#[test]
fn time_is_what_it_is_told() {
    assert_eq!(
        run("local os = require('os') return {os.date('!%Y-%m-%dT%XZ'), os.time()}"),
        table(json!(["2026-03-04T05:06:07Z", 1_772_600_767_i64]))
    );
    assert_eq!(
        run("local os = require('os') return {os.time({year=1970, month=1, day=2, hour=0})}"),
        table(json!([86400]))
    );
}

#[test]
fn errors_name_the_key_and_the_line() {
    assert_eq!(
        told(run("local a = 1\n\nreturn obj.status.phase")),
        "resource.customizations.health.acme.io_Widget: line 3: attempt to index field 'status' (a nil value)"
    );
    assert_eq!(
        told(run("if x then\nreturn {")),
        "resource.customizations.health.acme.io_Widget: line 2: unexpected symbol near <eof>"
    );
    assert_eq!(
        told(run("error('replicas parameter is required', 0)")),
        "resource.customizations.health.acme.io_Widget: replicas parameter is required"
    );
    assert_eq!(
        told(run("\nrequire('io')")),
        "resource.customizations.health.acme.io_Widget: line 2: module io not found"
    );
    assert!(told(run("error({})")).contains("health.acme.io_Widget: "));
}

#[test]
fn nothing_outside_is_within_reach() {
    for name in ["io", "os", "debug", "dofile", "loadfile", "string", "math", "coroutine"] {
        assert_eq!(run(&format!("return {{{name} == nil}}")), table(json!([true])), "{name}");
    }
    for name in [
        "io",
        "debug",
        "dofile",
        "loadfile",
        "os.execute",
        "os.remove",
        "os.exit",
        "os.rename",
        "string.dump",
    ] {
        assert_eq!(open(&format!("return {{{name} == nil}}")), table(json!([true])), "{name}");
    }
    // Strings keep no methods where there is no string library.
    assert!(run("return {('x'):rep(3)}").is_err());
    // Compiled code could do anything.
    assert_eq!(open("local f, e = load('\\27Lua') return {f == nil}"), table(json!([true])));
    assert_eq!(open("return {os.getenv('PATH') == nil, string.upper('x')}"), table(json!([true, "X"])));
    // No run sees another's leavings.
    assert_eq!(run("leaked = 1 table.leaked = 1 return {}"), table(json!([])));
    assert_eq!(run("return {leaked == nil and table.leaked == nil}"), table(json!([true])));
}

#[test]
fn a_loop_ends_however_it_defends_itself() {
    let limits = Limits { steps: 2_000_000, ..Limits::default() };
    let ends = |text: &str, is_open: bool| {
        assert!(run_with(text, &json!({}), is_open, &limits).is_err(), "{text}");
    };
    for text in [
        "while true do end",
        "while true do pcall(function() while true do end end) end",
        "local function f() return pcall(f) or f() end f()",
        "local t = setmetatable({}, {__index = function(t, k) return t[k + 1] end}) return t[1]",
        "repeat until false",
        "local s = 'x' for i = 1, 1e9 do s = s .. 'x' end",
        "while true do collectgarbage() end",
        "local t = {} for i = 1, 1e5 do t[i] = 'xxxxxxxx' end while true do table.concat(t) end",
    ] {
        ends(text, false);
        ends(text, true);
    }
    for text in [
        "while true do pcall(coroutine.wrap(function() while true do end end)) end",
        "return {string.find(string.rep('a', 3000), string.rep('a*', 40) .. 'b')}",
        "local a, b = string.rep('x', 1e6), string.rep('x', 1e6) while true do if a ~= b then return {} end end",
        "while true do string.rep('x', 5e6) end",
        "local s = string.rep('x', 1e6) while true do s:upper() end",
        "local s = string.rep('x', 1e6) while true do s:gsub('x', 'y') end",
    ] {
        ends(text, true);
    }
    assert_eq!(
        run_with("while true do end", &json!({}), false, &limits).unwrap_err().fault,
        ScriptFault::Steps
    );
}

#[test]
fn memory_has_an_end() {
    assert_eq!(open("local x = string.rep('x', 1e8) return {}").unwrap_err().fault, ScriptFault::Memory);
    assert_eq!(open("local x = string.rep('x', 1e15) return {}").unwrap_err().fault, ScriptFault::Steps);
    let outcome = run("local t = {} for i = 1, 1e8 do t[i] = {} end");
    assert!(matches!(outcome.unwrap_err().fault, ScriptFault::Memory | ScriptFault::Steps));
}

#[test]
fn an_interrupt_stops_a_script() {
    let limits = Limits { watch: Some(Arc::new(|| Box::new(|| true))), ..Limits::default() };
    let outcome = run_with("for i = 1, 100000 do end return {}", &json!({}), false, &limits);
    assert_eq!(outcome.unwrap_err().fault, ScriptFault::Steps);
}

#[test]
fn each_run_is_watched_anew() {
    let watch = || -> lua_sandbox::Interrupt {
        let asked = AtomicUsize::new(0);
        Box::new(move || asked.fetch_add(1, Ordering::Relaxed) > 5)
    };
    let limits = Limits { watch: Some(Arc::new(watch)), ..Limits::default() };
    for _ in 0..3 {
        let outcome = run_with("while true do end", &json!({}), false, &limits);
        assert_eq!(outcome.unwrap_err().fault, ScriptFault::Steps);
        assert!(run_with("return {}", &json!({}), false, &limits).is_ok(), "a short one has its own time");
    }
}

#[test]
fn results_that_cannot_be_told_are_errors() {
    for text in [
        "local t = {} t.t = t return t",
        "return {1, a = 2}",
        "return {[1] = 1, [3] = 3}",
        "return {f = print}",
        "return {0/0}",
        "return {[true] = 1}",
    ] {
        assert!(matches!(run(text).unwrap_err().fault, ScriptFault::Result(_)), "{text}");
    }
    let bomb = "local t = {} for i = 1, 60 do t = {t, t} end return t";
    assert!(matches!(run(bomb).unwrap_err().fault, ScriptFault::Result(_)));
    let deep = "local t = {} for i = 1, 100000 do t = {t} end return t";
    assert!(run(deep).is_err());
}

#[test]
fn patterns_match_as_lua_does() {
    let cases = [
        ("string.match('2026-03-04T05:06:07Z', '(%d+)-(%d+)-(%d+)T')", json!(["2026", "03", "04"])),
        ("string.find('hello world', 'o w')", json!([5, 7])),
        ("string.find('hello', 'l+')", json!([3, 4])),
        ("string.find('a.b', '.', 1, true)", json!([2, 2])),
        ("string.find('hello', 'l', -2)", json!([4, 4])),
        ("string.match('key = value', '^(%w+)%s*=%s*(%w+)$')", json!(["key", "value"])),
        ("string.gsub('hello world', 'o', '0', 1)", json!(["hell0 world", 1])),
        ("string.gsub('abc', '%w', '%0%0')", json!(["aabbcc", 3])),
        ("string.gsub('hello', '', '-')", json!(["-h-e-l-l-o-", 6])),
        ("string.gsub('$name is $age', '%$(%w+)', {name = 'x'})", json!(["x is $age", 2])),
        ("string.gsub('abc', '(b)', function(c) return c:upper() end)", json!(["aBc", 1])),
        ("string.match('[[x]]', '%[(%b[])%]')", json!(["[x]"])),
        ("string.match('THE (quick) fox', '%f[%a]%a+%f[%A]', 2)", json!(["quick"])),
        ("string.match('  trim  ', '^%s*(.-)%s*$')", json!(["trim"])),
        ("string.match('hello', '()ll()')", json!([3, 5])),
        ("string.match('abab', '(ab)%1')", json!(["ab"])),
        ("string.match('x-y', '[%w-]+')", json!(["x-y"])),
        ("string.match(']', '[]]')", json!(["]"])),
        ("string.match('abc', '[^a]+')", json!(["bc"])),
        ("string.find('', '')", json!([1, 0])),
    ];
    for (call, expected) in cases {
        assert_eq!(open(&format!("return {{{call}}}")), table(expected), "{call}");
    }
    let all = "local t = {} for k, v in string.gmatch('a=1, b=2', '(%w+)=(%w+)') do t[k] = v end return t";
    assert_eq!(open(all), table(json!({"a": "1", "b": "2"})));
    for pattern in ["'%'", "'[a'", "'(a'", "'%b'", "'%f'", "'%1'", "'a)'"] {
        assert!(open(&format!("return {{string.match('abc', {pattern})}}")).is_err(), "{pattern}");
    }
}
