//! The language of `--set`: `a.b[0].c=value,d={x,y}`.

use serde_json::{Map, Number, Value};

/// Largest index and deepest nesting, as in Helm.
const LARGEST_INDEX: usize = 65536;
const DEEPEST: usize = 30;

/// How what stands behind `=` is read.
#[derive(Clone, Copy)]
enum Reading<'r> {
    /// `true`, `null` and whole numbers are what they look like.
    Typed,
    /// Everything is text.
    Text,
    /// The rest is JSON.
    Json,
    /// The text is this, whatever it says.
    Given(&'r str),
}

/// `--set`: reads `text` into `values`.
pub fn parse_into(text: &str, values: &mut Map<String, Value>) -> Result<(), String> {
    Parser::new(text, Reading::Typed).parse(values)
}

/// `--set-string`: as [`parse_into`], but every value is a string.
pub fn parse_string_into(text: &str, values: &mut Map<String, Value>) -> Result<(), String> {
    Parser::new(text, Reading::Text).parse(values)
}

/// `--set-json`: as [`parse_into`], but every value is JSON.
pub fn parse_json_into(text: &str, values: &mut Map<String, Value>) -> Result<(), String> {
    Parser::new(text, Reading::Json).parse(values)
}

/// `--set-file`: sets the place `name` says to a file's content.
pub(crate) fn parse_file_into(
    name: &str,
    content: &str,
    values: &mut Map<String, Value>,
) -> Result<(), String> {
    Parser::new(&format!("{name}=file"), Reading::Given(content)).parse(values)
}

struct Parser<'r> {
    text: Vec<char>,
    at: usize,
    reading: Reading<'r>,
}

/// Whether the text ended where a value was to come.
type Ended = bool;
/// What stopped a run of characters; `None` is the end.
type Stop = Option<char>;

impl<'r> Parser<'r> {
    fn new(text: &str, reading: Reading<'r>) -> Self {
        Self { text: text.chars().collect(), at: 0, reading }
    }

    fn parse(&mut self, values: &mut Map<String, Value>) -> Result<(), String> {
        while self.at < self.text.len() {
            let _: Ended = self.key(values, 0)?;
        }
        Ok(())
    }

    fn next(&mut self) -> Option<char> {
        let character = self.text.get(self.at).copied();
        self.at += usize::from(character.is_some());
        character
    }

    fn until(&mut self, stops: &[char]) -> (String, Stop) {
        let mut out = String::new();
        while let Some(character) = self.next() {
            if stops.contains(&character) {
                return (out, Some(character));
            }
            if character == '\\' {
                let Some(escaped) = self.next() else { break };
                out.push(escaped);
            } else {
                out.push(character);
            }
        }
        (out, None)
    }

    fn key(&mut self, values: &mut Map<String, Value>, depth: usize) -> Result<Ended, String> {
        let (key, stop) = self.until(&['=', '[', ',', '.']);
        let quoted = format!("{key:?}");
        match stop {
            None if key.is_empty() => Ok(true),
            None => Err(format!("key {quoted} has no value")),
            Some('[') => {
                let index = self.index()?;
                let list = match values.get(&key) {
                    None => Vec::new(),
                    Some(Value::Array(items)) => items.clone(),
                    Some(other) => return Err(conversion(other, "[]interface {}")),
                };
                let (list, ended) = self.item(list, index, depth)?;
                set(values, key, Value::Array(list));
                Ok(ended)
            }
            Some('=') => {
                let ended = self.at >= self.text.len() && !matches!(self.reading, Reading::Json);
                let value = self.value()?;
                set(values, key, value);
                Ok(ended)
            }
            Some(',') => {
                set(values, key, "".into());
                Err(format!("key {quoted} has no value (cannot end with ,)"))
            }
            Some(_) => {
                if depth + 1 > DEEPEST {
                    return Err(format!(
                        "value name nested level is greater than maximum supported nested level of {DEEPEST}"
                    ));
                }
                let mut inner = match values.get(&key) {
                    None => Map::new(),
                    Some(Value::Object(members)) => members.clone(),
                    Some(other) => return Err(conversion(other, "map[string]interface {}")),
                };
                let ended = self.key(&mut inner, depth + 1)?;
                if inner.is_empty() && !ended {
                    return Err(format!("key map {quoted} has no value"));
                }
                if !inner.is_empty() {
                    set(values, key, Value::Object(inner));
                }
                Ok(ended)
            }
        }
    }

    fn index(&mut self) -> Result<usize, String> {
        let (digits, stop) = self.until(&[']']);
        if stop.is_none() {
            return Err("error parsing index: EOF".into());
        }
        let number: i64 = digits
            .parse()
            .map_err(|_| format!("error parsing index: strconv.Atoi: parsing {digits:?}: invalid syntax"))?;
        let index = usize::try_from(number).map_err(|_| format!("negative {number} index not allowed"))?;
        if index > LARGEST_INDEX {
            return Err(format!(
                "index of {index} is greater than maximum supported index of {LARGEST_INDEX}"
            ));
        }
        Ok(index)
    }

    /// A text that ends before a value of a map in a list leaves the list as it was, but for what lies in it already.
    fn item(
        &mut self,
        mut list: Vec<Value>,
        index: usize,
        depth: usize,
    ) -> Result<(Vec<Value>, Ended), String> {
        if depth > DEEPEST * 4 {
            return Err("lists are nested too deep".into());
        }
        let (key, stop) = self.until(&['[', '.', '=']);
        if !key.is_empty() {
            let shown: Vec<String> = key.chars().map(|character| format!("{character:?}")).collect();
            return Err(format!("unexpected data at end of array index: [{}]", shown.join(" ")));
        }
        let value = match stop {
            None => return Ok((list, true)),
            Some('=') => self.value()?,
            Some('[') => {
                let next = self.index()?;
                let inner = match list.get(index) {
                    None | Some(Value::Null) => Vec::new(),
                    Some(Value::Array(items)) => items.clone(),
                    Some(other) => return Err(conversion(other, "[]interface {}")),
                };
                match self.item(inner, next, depth + 1)? {
                    (_, true) => return Ok((list, true)),
                    (inner, false) => Value::Array(inner),
                }
            }
            Some(_) => {
                let mut inner = match list.get(index) {
                    Some(Value::Object(members)) => members.clone(),
                    _ => Map::new(),
                };
                let ended = self.key(&mut inner, depth + 1)?;
                if ended {
                    if let Some(item) = list.get_mut(index) {
                        *item = Value::Object(inner);
                    }
                    return Ok((list, true));
                }
                Value::Object(inner)
            }
        };
        if list.len() <= index {
            list.resize(index + 1, Value::Null);
        }
        list[index] = value;
        Ok((list, false))
    }

    fn value(&mut self) -> Result<Value, String> {
        if matches!(self.reading, Reading::Json) {
            return self.json();
        }
        if self.text.get(self.at) == Some(&'{') {
            self.at += 1;
            return self.list();
        }
        if self.at >= self.text.len() {
            return Ok("".into());
        }
        let (text, _) = self.until(&[',']);
        Ok(self.read(&text))
    }

    fn list(&mut self) -> Result<Value, String> {
        let mut items = Vec::new();
        loop {
            let (text, stop) = self.until(&[',', '}']);
            match stop {
                None => return Err("list must terminate with '}'".into()),
                Some('}') => {
                    if self.text.get(self.at) == Some(&',') {
                        self.at += 1;
                    }
                    items.push(self.read(&text));
                    return Ok(Value::Array(items));
                }
                Some(_) => items.push(self.read(&text)),
            }
        }
    }

    /// Passes over spaces and one comma; whether there is nothing else before it.
    fn nothing(&mut self) -> bool {
        while let Some(character) = self.next() {
            if character == ',' {
                return true;
            }
            if !character.is_whitespace() {
                self.at -= 1;
                return false;
            }
        }
        true
    }

    fn json(&mut self) -> Result<Value, String> {
        if self.nothing() {
            return Ok(Value::Null);
        }
        let rest: String = self.text[self.at..].iter().collect();
        let mut stream = serde_json::Deserializer::from_str(&rest).into_iter::<Value>();
        let value = match stream.next() {
            Some(Ok(value)) => value,
            Some(Err(error)) => return Err(error.to_string()),
            None => return Err("EOF".into()),
        };
        let read = rest.get(..stream.byte_offset()).unwrap_or(&rest).chars().count();
        self.at += read;
        self.nothing();
        Ok(crate::chart::with_floats(value))
    }

    fn read(&self, text: &str) -> Value {
        match self.reading {
            Reading::Given(content) => content.into(),
            Reading::Text | Reading::Json => text.into(),
            Reading::Typed => typed(text),
        }
    }
}

fn set(values: &mut Map<String, Value>, key: String, value: Value) {
    if !key.is_empty() {
        values.insert(key, value);
    }
}

fn conversion(found: &Value, wanted: &str) -> String {
    let found = match found {
        Value::Null => "nil",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_f64() => "float64",
        Value::Number(_) => "int64",
        Value::String(_) => "string",
        Value::Array(_) => "[]interface {}",
        Value::Object(_) => "map[string]interface {}",
    };
    format!("unable to parse key: interface conversion: interface {{}} is {found}, not {wanted}")
}

fn typed(text: &str) -> Value {
    if text.eq_ignore_ascii_case("true") {
        return true.into();
    }
    if text.eq_ignore_ascii_case("false") {
        return false.into();
    }
    if text.eq_ignore_ascii_case("null") {
        return Value::Null;
    }
    if text == "0" {
        return 0.into();
    }
    if !text.starts_with('0')
        && let Ok(number) = text.parse::<i64>()
    {
        return Value::Number(Number::from(number));
    }
    text.into()
}
