//! One evaluation: a program of its own, nothing shared, nothing left behind.

use crate::imports::Files;
use crate::print::print;
use crate::{DEEPEST, JsonnetError, Parameters, STACK_BYTES, Variable};
use rsjsonnet_lang::arena::Arena;
use rsjsonnet_lang::program::{EvalError, Program, Thunk, Value};
use source_tree::{Tree, TreePath};

/// Evaluates a file of a tree to JSON text, as go-jsonnet prints it.
///
/// Holds its thread until it is done; a program that computes for ever does so for ever: the evaluator has nothing that
/// could stop it. Callers that serve people they do not trust evaluate in a process that they can end, as the
/// repo-server does.
pub fn evaluate(tree: &dyn Tree, file: &TreePath, parameters: &Parameters) -> Result<String, JsonnetError> {
    stacker::grow(STACK_BYTES, || evaluate_here(tree, file, parameters))
}

fn evaluate_here(tree: &dyn Tree, file: &TreePath, parameters: &Parameters) -> Result<String, JsonnetError> {
    let arena = Arena::new();
    let mut program = Program::new(&arena);
    program.set_max_stack(DEEPEST);
    let home = file.parent().unwrap_or_else(TreePath::root);
    let mut files = Files::new(tree, &parameters.libraries, home);
    for (name, variable) in &parameters.external {
        let thunk = given(&mut program, &mut files, "extvar", name, variable)?;
        let name = program.intern_str(name);
        program.add_ext_var(name, &thunk);
    }
    let main = files.load(&mut program, file)?;
    let mut value =
        program.eval_value(&main, &mut files).map_err(|error| failed(&error, &mut files, &program))?;
    if value.is_function() {
        value = call(&mut program, &mut files, &main, parameters)?;
    }
    // Values that are evaluated may still be manifested with an error: the assertions of objects, functions.
    program.manifest_json(&value, false).map_err(|error| failed(&error, &mut files, &program))?;
    print(&value)
}

fn call<'p>(
    program: &mut Program<'p>,
    files: &mut Files<'_, 'p>,
    function: &Thunk<'p>,
    parameters: &Parameters,
) -> Result<Value<'p>, JsonnetError> {
    let mut arguments = Vec::new();
    for (name, variable) in &parameters.top_level {
        let thunk = given(program, files, "top-level-arg", name, variable)?;
        arguments.push((program.intern_str(name), thunk));
    }
    let value = program.eval_call(function, &[], &arguments, files);
    value.map_err(|error| failed(&error, files, program))
}

fn given<'p>(
    program: &mut Program<'p>,
    files: &mut Files<'_, 'p>,
    kind: &str,
    name: &str,
    variable: &Variable,
) -> Result<Thunk<'p>, JsonnetError> {
    match variable {
        Variable::Text(text) => Ok(program.value_to_thunk(&Value::string(text))),
        Variable::Code(code) => {
            let home = files.home.clone();
            files.snippet(program, &format!("<{kind}:{name}>"), code.as_bytes(), home)
        }
    }
}

fn failed(error: &EvalError, files: &mut Files<'_, '_>, program: &Program<'_>) -> JsonnetError {
    let inside = files.failure.take();
    inside.unwrap_or_else(|| JsonnetError::evaluation(error, &files.places, program.span_manager()))
}
