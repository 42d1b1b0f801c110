//! Actions that users write in Lua in `argocd-cm`.

use actions::{Actions, Impact, Parameters};
use lua_sandbox::Limits;
use object::Object;
use serde_json::{Value, json};
use settings::Customizations;

const WIDGET: &str = "resource.customizations.actions.acme.io_Widget";

fn actions(key: &str, text: &str) -> Actions {
    let data = [(key.to_owned(), text.to_owned())].into();
    let (customizations, problems) = Customizations::parse(&data);
    assert_eq!(problems, []);
    Actions::new(&customizations, Limits { steps: 1_000_000, ..Limits::default() })
}

fn object(value: Value) -> Object {
    Object::from_value(value).expect("an object")
}

fn widget() -> Object {
    object(json!({
        "apiVersion": "acme.io/v1",
        "kind": "Widget",
        "metadata": {"name": "w", "labels": {}},
        "spec": {"size": 3, "empty": {}, "list": [{"inner": {}}], "gone": null},
    }))
}

fn run(actions: &Actions, live: &Object, name: &str, parameters: &[(&str, &str)]) -> Result<Value, String> {
    let parameters: Parameters =
        parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let now = "2026-03-04T05:06:07Z".parse().expect("a time");
    let impacts = actions.run(live, name, &parameters, now).map_err(|error| error.to_string())?;
    let told = |impact| match impact {
        Impact::Create(object) => json!({"create": object}),
        Impact::Patch(object) => json!({"patch": object}),
    };
    Ok(impacts.into_iter().map(told).collect())
}

fn names(actions: &Actions, live: &Object) -> Result<Value, String> {
    let now = "2026-03-04T05:06:07Z".parse().expect("a time");
    let found = actions.discover(live, now).map_err(|error| error.to_string())?;
    Ok(serde_json::to_value(found).expect("JSON"))
}

#[test]
fn an_object_that_comes_back_is_a_patch() {
    let own = actions(
        WIDGET,
        "discovery.lua: |\n  return {grow = {disabled = obj.spec.size > 5, iconClass = 'fa', displayName = 'Grow', params = {{name = 'by'}}}, rest = {}}\ndefinitions:\n- name: grow\n  action.lua: |\n    local os = require('os')\n    obj.spec.size = obj.spec.size + tonumber(actionParams['by'])\n    obj.metadata.labels.grown = os.date('!%Y')\n    return obj\n",
    );
    assert_eq!(
        names(&own, &widget()),
        Ok(json!([
            {"name": "grow", "iconClass": "fa", "displayName": "Grow", "params": [{"name": "by"}]},
            {"name": "rest"},
        ]))
    );
    // Empty objects stay objects, nulls vanish, numbers stay whole.
    assert_eq!(
        run(&own, &widget(), "grow", &[("by", "2")]),
        Ok(json!([{"patch": {
            "apiVersion": "acme.io/v1",
            "kind": "Widget",
            "metadata": {"name": "w", "labels": {"grown": "2026"}},
            "spec": {"size": 5, "empty": {}, "list": [{"inner": {}}]},
        }}]))
    );
    assert_eq!(
        run(&own, &widget(), "grow", &[]),
        Err(format!("{WIDGET} grow: line 2: attempt to perform arithmetic on a nil value"))
    );
    assert_eq!(
        run(&own, &widget(), "rest", &[]),
        Err("action rest does not exist for acme.io/Widget".to_owned())
    );
}

#[test]
fn a_list_says_of_each_object_what_to_do_with_it() {
    let own = actions(
        WIDGET,
        "definitions:\n- name: split\n  action.lua: |\n    local part = {apiVersion = 'v1', kind = 'ConfigMap', metadata = {name = 'part', namespace = obj.metadata.namespace}}\n    obj.spec.size = 1\n    return {{operation = 'create', resource = part}, {operation = 'patch', resource = obj}}\n- name: wrong\n  action.lua: return {{operation = 'delete', resource = obj}}\n- name: other\n  action.lua: |\n    obj.metadata.name = 'other'\n    return obj\n- name: nothing\n  action.lua: return {}\n- name: words\n  action.lua: return 'x'\n- name: spin\n  action.lua: while true do end\n- name: no-kind\n  action.lua: \"return {{operation = 'create', resource = {}}}\"\n",
    );
    let told = run(&own, &widget(), "split", &[]).expect("impacts");
    assert_eq!(
        told[0],
        json!({"create": {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "part"}}})
    );
    assert_eq!(told[1]["patch"]["spec"]["size"], 1);
    assert_eq!(names(&own, &widget()), Ok(json!([])));
    let refused = |name: &str| run(&own, &widget(), name, &[]).expect_err(name);
    assert_eq!(refused("wrong"), format!("{WIDGET} wrong: unsupported operation: \"delete\""));
    assert_eq!(refused("words"), format!("{WIDGET} words: expect table output from Lua script, not string"));
    assert_eq!(refused("spin"), format!("{WIDGET} spin: the script takes too long"));
    assert!(refused("other").contains("can be patched"), "{}", refused("other"));
    assert!(refused("no-kind").contains("expected an object"), "{}", refused("no-kind"));
    assert_eq!(run(&own, &widget(), "nothing", &[]), Ok(json!([])));
}

#[test]
fn built_in_actions_stay_where_the_user_says_so() {
    let deployment = object(json!({"apiVersion": "apps/v1", "kind": "Deployment", "spec": {"replicas": 1}}));
    let key = "resource.customizations.actions.apps_Deployment";
    let text = "discovery.lua: \"return {restart = {displayName = 'Mine'}, extra = {}}\"\ndefinitions:\n- name: restart\n  action.lua: |\n    obj.spec.mine = true\n    return obj\n";
    let alone = actions(key, text);
    assert_eq!(
        names(&alone, &deployment),
        Ok(json!([{"name": "extra"}, {"name": "restart", "displayName": "Mine"}]))
    );
    let merged = actions(key, &format!("mergeBuiltinActions: true\n{text}"));
    let found = names(&merged, &deployment).expect("actions");
    let found: Vec<_> = found.as_array().expect("a list").iter().map(|entry| entry["name"].clone()).collect();
    assert_eq!(found, ["extra", "pause", "restart", "resume", "scale"]);
    let mine = run(&merged, &deployment, "restart", &[]).expect("impacts");
    assert_eq!(mine[0]["patch"]["spec"]["mine"], true);
    assert_eq!(
        run(&merged, &deployment, "scale", &[("replicas", "-1")]),
        Err("invalid number: -1 (must be a non-negative integer)".to_owned())
    );
    assert_eq!(run(&merged, &deployment, "scale", &[]), Err("replicas parameter is required".to_owned()));
}

#[test]
fn what_cannot_be_read_is_told_with_its_key() {
    let broken = actions(WIDGET, "discovery.lua: [");
    assert!(names(&broken, &widget()).expect_err("broken").starts_with(WIDGET));
    let list = actions(WIDGET, "discovery.lua: return {1, 2}");
    assert!(names(&list, &widget()).is_err());
    let syntax = actions(WIDGET, "discovery.lua: return {");
    assert_eq!(
        names(&syntax, &widget()),
        Err(format!("{WIDGET} discovery.lua: line 1: unexpected symbol near <eof>"))
    );
}

#[test]
fn rollouts_are_promoted_skipped_and_toggled() {
    let built_in = Actions::default();
    let rollout = |generation: Value| {
        object(json!({
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "Rollout",
            "metadata": {"generation": 2},
            "spec": {"strategy": {"canary": {"steps": [{"setWeight": 1}, {"pause": {}}]}}},
            "status": {"observedGeneration": generation, "abort": true, "currentStepIndex": 1, "pauseConditions": [{"reason": "x"}]},
        }))
    };
    let status = |generation: Value, action: &str| {
        run(&built_in, &rollout(generation), action, &[]).expect("impacts")[0]["patch"]["status"].clone()
    };
    assert_eq!(status(json!("2"), "promote-full")["promoteFull"], true);
    assert_eq!(status(json!("abc"), "promote-full")["currentStepIndex"], 2);
    assert_eq!(
        status(json!("2"), "skip-current-step"),
        json!({"observedGeneration": "2", "abort": true, "currentStepIndex": 2})
    );
    assert_eq!(status(json!("2"), "retry")["abort"], Value::Null);
    let application =
        object(json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "spec": {}}));
    assert_eq!(
        run(&built_in, &application, "toggle-auto-sync", &[]).expect("impacts")[0]["patch"]["spec"],
        json!({"syncPolicy": {"automated": {"enabled": true}}})
    );
    assert_eq!(names(&built_in, &application).expect("actions")[0]["displayName"], "Enable Auto-Sync");
}
