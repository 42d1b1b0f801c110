//! Where imports are found: beside the importing file, then in the libraries, and nowhere outside of the tree.

use crate::places::Places;
use crate::{DEEPEST_BRACKETS, JsonnetError, MOST_IMPORTS, MOST_OPENINGS};
use rsjsonnet_lang::interner::InternedStr;
use rsjsonnet_lang::program::{
    Callbacks, EvalStackTraceItem, ImportError, NativeError, Program, Thunk, Value,
};
use rsjsonnet_lang::span::{SourceId, SpanContext, SpanId};
use source_tree::{Tree, TreeError, TreePath};
use std::collections::HashMap;

/// The files of one evaluation.
pub(crate) struct Files<'t, 'p> {
    pub(crate) tree: &'t dyn Tree,
    pub(crate) libraries: &'t [TreePath],
    pub(crate) places: Places,
    folders: HashMap<SourceId, TreePath>,
    loaded: HashMap<TreePath, Thunk<'p>>,
    /// What went wrong inside of an import: the evaluator only knows that something did.
    pub(crate) failure: Option<JsonnetError>,
    /// The folder snippets import from.
    pub(crate) home: TreePath,
}

impl<'t, 'p> Files<'t, 'p> {
    pub(crate) fn new(tree: &'t dyn Tree, libraries: &'t [TreePath], home: TreePath) -> Self {
        Self {
            tree,
            libraries,
            places: Places::default(),
            folders: HashMap::new(),
            loaded: HashMap::new(),
            failure: None,
            home,
        }
    }

    /// A file's value, not evaluated yet.
    pub(crate) fn load(
        &mut self,
        program: &mut Program<'p>,
        path: &TreePath,
    ) -> Result<Thunk<'p>, JsonnetError> {
        if let Some(thunk) = self.loaded.get(path) {
            return Ok(thunk.clone());
        }
        if self.loaded.len() >= MOST_IMPORTS {
            let text = format!("RUNTIME ERROR: more than {MOST_IMPORTS} files are imported");
            return Err(JsonnetError::Runtime(text));
        }
        let text = self.tree.read(path).map_err(JsonnetError::Tree)?;
        let folder = path.parent().unwrap_or_else(TreePath::root);
        let thunk = self.snippet(program, path.as_str(), &text, folder)?;
        self.loaded.insert(path.clone(), thunk.clone());
        Ok(thunk)
    }

    /// A text's value, not evaluated yet. Imports in it start from the folder.
    pub(crate) fn snippet(
        &mut self,
        program: &mut Program<'p>,
        name: &str,
        text: &[u8],
        folder: TreePath,
    ) -> Result<Thunk<'p>, JsonnetError> {
        check_nesting(name, text)?;
        let (context, source) = program.span_manager_mut().insert_source_context(text.len());
        self.places.add(source, name, text);
        self.folders.insert(source, folder);
        let loaded = program.load_source(context, text, true, name);
        loaded.map_err(|error| JsonnetError::load(&error, &self.places, program.span_manager()))
    }

    fn find(&self, program: &Program<'p>, from: SpanId, path: &str) -> Result<TreePath, JsonnetError> {
        let spans = program.span_manager();
        let SpanContext::Source(source) = spans.get_context(spans.get_span(from).0);
        let folder = self.folders.get(source).unwrap_or(&self.home);
        for folder in std::iter::once(folder).chain(self.libraries) {
            // A path that climbs out of the tree from here may lead somewhere from another folder.
            let Ok(candidate) = folder.join(path) else { continue };
            match self.tree.entry(&candidate) {
                Ok(Some(entry)) if entry.kind.is_file() => return Ok(candidate),
                Ok(_) | Err(TreeError::NotADirectory { .. } | TreeError::NotFound { .. }) => {}
                Err(error) => return Err(JsonnetError::Tree(error)),
            }
        }
        let place = self.places.place(from, spans);
        Err(JsonnetError::Runtime(format!(
            "RUNTIME ERROR: couldn't open import {path:?}: no match locally or in the Jsonnet library paths\n\t{place}"
        )))
    }

    fn noted<T>(&mut self, result: Result<T, JsonnetError>) -> Result<T, ImportError> {
        result.map_err(|error| {
            self.failure.get_or_insert(error);
            ImportError
        })
    }

    fn bytes(&mut self, program: &Program<'p>, from: SpanId, path: &str) -> Result<Vec<u8>, ImportError> {
        let found = self.find(program, from, path);
        let read = found.and_then(|path| self.tree.read(&path).map_err(JsonnetError::Tree));
        self.noted(read).map(|bytes| bytes.to_vec())
    }
}

impl<'p> Callbacks<'p> for Files<'_, 'p> {
    fn import(
        &mut self,
        program: &mut Program<'p>,
        from: SpanId,
        path: &str,
    ) -> Result<Thunk<'p>, ImportError> {
        let found = self.find(program, from, path);
        let loaded = found.and_then(|path| self.load(program, &path));
        self.noted(loaded)
    }

    fn import_str(
        &mut self,
        program: &mut Program<'p>,
        from: SpanId,
        path: &str,
    ) -> Result<String, ImportError> {
        self.bytes(program, from, path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
    }

    fn import_bin(
        &mut self,
        program: &mut Program<'p>,
        from: SpanId,
        path: &str,
    ) -> Result<Vec<u8>, ImportError> {
        self.bytes(program, from, path)
    }

    /// `std.trace` writes to nobody: manifests are made where no person looks on.
    fn trace(&mut self, _: &mut Program<'p>, _: &str, _: &[EvalStackTraceItem]) {}

    fn native_call(
        &mut self,
        _: &mut Program<'p>,
        _: InternedStr<'p>,
        _: &[Value<'p>],
    ) -> Result<Value<'p>, NativeError> {
        Err(NativeError)
    }
}

/// Refuses what would nest too deep for the parser's stack. Counts generously: texts and comments count too.
fn check_nesting(name: &str, text: &[u8]) -> Result<(), JsonnetError> {
    let (mut depth, mut deepest, mut openings) = (0_usize, 0, 0_usize);
    let mut after_sign = false;
    for byte in text {
        match byte {
            b'(' | b'[' | b'{' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            // One sign nests nothing deeper than what it stands before; a row of them does.
            b'-' | b'!' | b'~' | b'+' => openings += usize::from(after_sign),
            _ => {}
        }
        if !byte.is_ascii_whitespace() {
            after_sign = matches!(byte, b'-' | b'!' | b'~' | b'+');
        }
    }
    let word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let words = text.split(|byte| !word(byte));
    openings += words
        .filter(|word| matches!(*word, b"if" | b"else" | b"local" | b"function" | b"assert" | b"error"))
        .count();
    let refused = |limit: usize, what: &str| {
        Err(JsonnetError::Static(format!(
            "{name}: more than {limit} {what}: split the file, and import its parts"
        )))
    };
    if deepest > DEEPEST_BRACKETS {
        return refused(DEEPEST_BRACKETS, "brackets within each other");
    }
    if openings > MOST_OPENINGS {
        return refused(MOST_OPENINGS, "local, if, else, function, assert, error and rows of signs");
    }
    Ok(())
}
