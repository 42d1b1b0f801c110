//! Why a file does not evaluate, worded as go-jsonnet words it where the two agree on the cause.

use crate::places::Places;
use rsjsonnet_lang::lexer::LexError;
use rsjsonnet_lang::parser::{ActualToken, ExpectedToken, ParseError};
use rsjsonnet_lang::program::{
    AnalyzeError, EvalError, EvalErrorKind, EvalErrorValueType, EvalStackTraceItem, LoadError,
};
use rsjsonnet_lang::span::{SpanId, SpanManager};

/// Frames of a stack trace that are told.
const FRAMES: usize = 20;

/// Why a file does not evaluate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JsonnetError {
    /// The text is not Jsonnet, or names what is not there. Starts with the place.
    #[error("{0}")]
    Static(String),
    /// Evaluation failed. Starts with `RUNTIME ERROR: `; the places follow, innermost first.
    #[error("{0}")]
    Runtime(String),
    /// It was ended before it was done: by a limit, or with the process that was at it.
    #[error("{reason}")]
    Ended {
        /// What ended it.
        reason: String,
        /// Whether trying again may help.
        retry: bool,
    },
    /// The tree could not be read; the same question may be answered later.
    #[error(transparent)]
    Tree(source_tree::TreeError),
}

impl JsonnetError {
    /// Whether trying again may help without anybody changing anything.
    pub fn retryable(&self) -> bool {
        match self {
            Self::Tree(error) => error.retryable(),
            Self::Ended { retry, .. } => *retry,
            Self::Static(_) | Self::Runtime(_) => false,
        }
    }

    pub(crate) fn load(error: &LoadError, places: &Places, spans: &SpanManager) -> Self {
        let (span, text) = match error {
            LoadError::Lex(error) => lex(error),
            LoadError::Parse(error) => parse(error),
            LoadError::Analyze(error) => analyze(error),
        };
        Self::Static(format!("{} {text}", places.place(span, spans)))
    }

    pub(crate) fn evaluation(error: &EvalError, places: &Places, spans: &SpanManager) -> Self {
        let (span, text) = evaluation(&error.kind);
        let mut lines = vec![format!("RUNTIME ERROR: {text}")];
        lines.extend(span.map(|span| format!("\t{}", places.place(span, spans))));
        let frames = error.stack_trace.iter().rev().filter_map(|item| match item {
            EvalStackTraceItem::Expr { span } | EvalStackTraceItem::Import { span } => {
                Some(format!("\t{}", places.place(*span, spans)))
            }
            EvalStackTraceItem::Call { span, name } => {
                let span = span.as_ref()?;
                let name = name.as_deref().map_or_else(String::new, |name| format!("\tfunction <{name}>"));
                Some(format!("\t{}{name}", places.place(*span, spans)))
            }
            EvalStackTraceItem::Variable { span, name } => {
                Some(format!("\t{}\t{name}", places.place(*span, spans)))
            }
            EvalStackTraceItem::ObjectField { name, .. } => Some(format!("\tField {name:?}")),
            EvalStackTraceItem::ManifestObjectField { name } => Some(format!("\tField {name:?}")),
            EvalStackTraceItem::ArrayItem { index, .. } | EvalStackTraceItem::ManifestArrayItem { index } => {
                Some(format!("\tArray element {index}"))
            }
            EvalStackTraceItem::CompareArrayItem { .. } | EvalStackTraceItem::CompareObjectField { .. } => {
                None
            }
        });
        lines.extend(frames.take(FRAMES));
        Self::Runtime(lines.join("\n"))
    }
}

fn lex(error: &LexError) -> (SpanId, String) {
    match error {
        LexError::InvalidChar { span, chr } => (*span, format!("Could not lex the character {chr:?}")),
        LexError::InvalidUtf8 { span, .. } => (*span, "Invalid UTF-8".into()),
        LexError::UnfinishedMultilineComment { span } => {
            (*span, "Multi-line comment has no terminating */".into())
        }
        LexError::LeadingZeroInNumber { span } => (*span, "Couldn't lex number: leading zero".into()),
        LexError::MissingFracDigits { span } => {
            (*span, "Couldn't lex number, junk after decimal point".into())
        }
        LexError::MissingExpDigits { span } => (*span, "Couldn't lex number, junk after 'E'".into()),
        LexError::MissingDigitAfterUnderscore { span } => {
            (*span, "Couldn't lex number, junk after '_'".into())
        }
        LexError::ExpOverflow { span } => (*span, "Couldn't lex number: the exponent is too large".into()),
        LexError::InvalidEscapeInString { span, chr } => {
            (*span, format!("Unknown escape sequence in string literal: '\\{chr}'"))
        }
        LexError::IncompleteUnicodeEscape { span } => {
            (*span, "Truncated unicode escape sequence in string".into())
        }
        LexError::InvalidUtf16EscapeSequence { span, .. } => {
            (*span, "Invalid unicode escape sequence in string literal".into())
        }
        LexError::UnfinishedString { span } => (*span, "Unterminated String".into()),
        LexError::MissingLineBreakAfterTextBlockStart { span } => {
            (*span, "Text block requires new line after |||.".into())
        }
        LexError::MissingWhitespaceTextBlockStart { span } => {
            (*span, "Text block's first line must start with whitespace".into())
        }
        LexError::InvalidTextBlockTermination { span } => {
            (*span, "Text block not terminated with |||".into())
        }
    }
}

fn parse(error: &ParseError) -> (SpanId, String) {
    let ParseError::Expected { span, expected, instead } = error;
    let expected: Vec<String> = expected.iter().map(expected_token).collect();
    (*span, format!("Expected {} but got {}", expected.join(" or "), actual_token(instead)))
}

fn expected_token(token: &ExpectedToken) -> String {
    match token {
        ExpectedToken::EndOfFile => "end of file".into(),
        ExpectedToken::Simple(token) => format!("{token:?}"),
        ExpectedToken::Ident => "an identifier".into(),
        ExpectedToken::Number => "a number".into(),
        ExpectedToken::String => "a string".into(),
        ExpectedToken::TextBlock => "a text block".into(),
        ExpectedToken::Expr => "an expression".into(),
        ExpectedToken::BinaryOp => "an operator".into(),
    }
}

fn actual_token(token: &ActualToken) -> String {
    match token {
        ActualToken::EndOfFile => "end of file".into(),
        ActualToken::Simple(token) => format!("{token:?}"),
        ActualToken::OtherOp(text) | ActualToken::Ident(text) => format!("{text:?}"),
        ActualToken::Number => "a number".into(),
        ActualToken::String => "a string".into(),
        ActualToken::TextBlock => "a text block".into(),
    }
}

fn analyze(error: &AnalyzeError) -> (SpanId, String) {
    match error {
        AnalyzeError::UnknownVariable { span, name } => (*span, format!("Unknown variable: {name}")),
        AnalyzeError::SelfOutsideObject { self_span } => {
            (*self_span, "Can't use self outside of an object.".into())
        }
        AnalyzeError::SuperOutsideObject { super_span } => {
            (*super_span, "Can't use super outside of an object.".into())
        }
        AnalyzeError::DollarOutsideObject { dollar_span } => {
            (*dollar_span, "No top-level object found.".into())
        }
        AnalyzeError::RepeatedLocalName { repeated_span, name, .. } => {
            (*repeated_span, format!("Duplicate local var: {name}"))
        }
        AnalyzeError::RepeatedFieldName { repeated_span, name, .. } => {
            (*repeated_span, format!("Duplicate field: {name}"))
        }
        AnalyzeError::RepeatedParamName { repeated_span, name, .. } => {
            (*repeated_span, format!("Duplicate function parameter: {name}"))
        }
        AnalyzeError::PositionalArgAfterNamed { arg_span } => {
            (*arg_span, "Positional argument after a named argument is not allowed".into())
        }
        AnalyzeError::TextBlockAsImportPath { span } => {
            (*span, "Block string literals not allowed in imports".into())
        }
        AnalyzeError::ComputedImportPath { span } => (*span, "Computed imports are not allowed".into()),
    }
}

fn type_name(kind: EvalErrorValueType) -> &'static str {
    match kind {
        EvalErrorValueType::Null => "null",
        EvalErrorValueType::Bool => "boolean",
        EvalErrorValueType::Number => "number",
        EvalErrorValueType::String => "string",
        EvalErrorValueType::Array => "array",
        EvalErrorValueType::Object => "object",
        EvalErrorValueType::Function => "function",
    }
}

fn unexpected(got: EvalErrorValueType, wanted: &str) -> String {
    format!("Unexpected type {}, expected {wanted}", type_name(got))
}

fn evaluation(kind: &EvalErrorKind) -> (Option<SpanId>, String) {
    use EvalErrorKind as Kind;
    match kind {
        Kind::StackOverflow => (None, "max stack frames exceeded.".into()),
        Kind::InfiniteRecursion => (None, "infinite recursion".into()),
        Kind::InvalidIndexedType { span, got_type } => {
            (Some(*span), format!("Value non indexable: {}", type_name(*got_type)))
        }
        Kind::InvalidSlicedType { span, got_type } => {
            (Some(*span), format!("{} can't be sliced: only arrays and strings can", type_name(*got_type)))
        }
        Kind::SliceIndexOrStepIsNotNumber { span, got_type }
        | Kind::StringIndexIsNotNumber { span, got_type }
        | Kind::ArrayIndexIsNotNumber { span, got_type } => (Some(*span), unexpected(*got_type, "number")),
        Kind::NumericIndexIsNotValid { span, index } => {
            (Some(*span), format!("Expected an integer, but got {index}"))
        }
        Kind::NumericIndexOutOfRange { span, index, length } => {
            (Some(*span), format!("Index {index} out of bounds, not within [0, {length})"))
        }
        Kind::ObjectIndexIsNotString { span, got_type } => (Some(*span), unexpected(*got_type, "string")),
        Kind::RepeatedFieldName { span, name } => (Some(*span), format!("Duplicate field name: {name:?}")),
        Kind::FieldNameIsNotString { span, got_type } => {
            (Some(*span), format!("Field name must be string, got {}", type_name(*got_type)))
        }
        Kind::UnknownObjectField { span, field_name } => {
            (Some(*span), format!("Field does not exist: {field_name}"))
        }
        Kind::FieldOfNonObject { span } => (Some(*span), "Field of a value that is no object".into()),
        Kind::SuperWithoutSuperObject { span } => {
            (Some(*span), "Attempt to use super when there is no super class.".into())
        }
        Kind::ForSpecValueIsNotArray { span, got_type } => (Some(*span), unexpected(*got_type, "array")),
        Kind::CondIsNotBool { span, got_type } => (Some(*span), unexpected(*got_type, "boolean")),
        Kind::CalleeIsNotFunction { span, got_type } => (*span, unexpected(*got_type, "function")),
        Kind::TooManyCallArgs { span, num_params } => {
            (*span, format!("function expected {num_params} positional argument(s), but got more"))
        }
        Kind::UnknownCallParam { span, param_name } => {
            (*span, format!("function has no parameter {param_name}"))
        }
        Kind::RepeatedCallParam { span, param_name } => {
            (*span, format!("Argument {param_name} already provided"))
        }
        Kind::CallParamNotBound { span, param_name } => (*span, format!("Missing argument: {param_name}")),
        Kind::NativeCallFailed => (None, "a native function failed".into()),
        Kind::InvalidUnaryOpType { span, rhs_type, .. } => {
            (Some(*span), format!("Unexpected type {} of an operand", type_name(*rhs_type)))
        }
        Kind::InvalidBinaryOpTypes { span, lhs_type, rhs_type, .. } => {
            let text = format!("Unexpected type {}, expected {}", type_name(*rhs_type), type_name(*lhs_type));
            (*span, text)
        }
        Kind::NumberNotBitwiseSafe { span } => {
            (*span, "Bitwise operator on a number outside of the safe range".into())
        }
        Kind::NumberOverflow { span } => (*span, "Overflow".into()),
        Kind::NumberNan { span } => (*span, "Not a number".into()),
        Kind::DivByZero { span } => (*span, "Division by zero.".into()),
        Kind::ShiftByNegative { span } => (*span, "Shift by negative exponent.".into()),
        Kind::InvalidStdFuncArgType { func_name, arg_index, expected_types, got_type } => {
            let expected: Vec<&str> = expected_types.iter().map(|kind| type_name(*kind)).collect();
            let text = format!(
                "Unexpected type {}, expected {}: argument {} of std.{func_name}",
                type_name(*got_type),
                expected.join(" or "),
                arg_index + 1
            );
            (None, text)
        }
        Kind::AssertFailed { span, message } => {
            (Some(*span), message.clone().unwrap_or_else(|| "Object assertion failed.".into()))
        }
        Kind::AssertEqualFailed { lhs, rhs } => (None, format!("Assertion failed. {lhs} != {rhs}")),
        Kind::ExplicitError { span, message } => (Some(*span), message.clone()),
        Kind::ImportFailed { span, path } => (
            Some(*span),
            format!("couldn't open import {path:?}: no match locally or in the Jsonnet library paths"),
        ),
        Kind::UnknownExtVar { name } => (None, format!("Undefined external variable: {name}")),
        Kind::ManifestFunction => (None, "couldn't manifest function as JSON".into()),
        Kind::CompareNullInequality => {
            (None, "Unexpected type null, expected number, string or array".into())
        }
        Kind::CompareBooleanInequality => {
            (None, "Unexpected type boolean, expected number, string or array".into())
        }
        Kind::CompareObjectInequality => {
            (None, "Unexpected type object, expected number, string or array".into())
        }
        Kind::CompareFunctions => (None, "Unexpected type function: functions cannot be compared".into()),
        Kind::CompareDifferentTypesInequality { lhs_type, rhs_type } => {
            (None, unexpected(*rhs_type, type_name(*lhs_type)))
        }
        Kind::PrimitiveEqualsNonPrimitive { got_type } => {
            (None, format!("primitiveEquals operates on primitive types, got {}", type_name(*got_type)))
        }
        Kind::Other { span, message } => (*span, message.clone()),
    }
}
