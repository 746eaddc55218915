//! The strict JSON reader: bytes to [`Value`] in one pass.
//!
//! Accepts RFC 8259 and refuses everything two readers could understand differently: duplicate keys
//! (compared after unescaping), numbers that are not the same decimal in shortest double form, lone
//! surrogates, invalid UTF-8, byte order marks. Bounded in depth and in number of values.
//! Must stay true: it never panics, and never allocates more than a small multiple of the input.

use crate::decimal::Decimal;
use crate::value::{Object, Text, Value};
use std::collections::HashSet;
use std::fmt;

/// The reader recurses once per level; this bounds its stack whatever the settings say.
const HARD_DEPTH: usize = 128;
/// Decimals of at most this many significant digits survive the way through a double unchanged.
const SAFE_DIGITS: u32 = 15;
/// Members that an object has room for before it has to grow.
const USUAL_MEMBERS: usize = 8;
/// Exponents far inside the range of normal doubles.
const SAFE_EXPONENT: i32 = 250;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Deepest nesting of lists and objects; a scalar has depth 0. At most 128 is honoured.
    pub max_depth: usize,
    /// Most values in all, containers included.
    pub max_values: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_depth: 32, max_values: 100_000 }
    }
}

/// Why a text was refused. The strings are stable and part of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Code {
    MalformedJson,
    DuplicateKey,
    TooDeep,
    AmbiguousNumber,
    InvalidUtf8,
    TooManyValues,
}

impl Code {
    pub const ALL: [Self; 6] = [
        Self::MalformedJson,
        Self::DuplicateKey,
        Self::TooDeep,
        Self::AmbiguousNumber,
        Self::InvalidUtf8,
        Self::TooManyValues,
    ];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::MalformedJson => "malformed_json",
            Self::DuplicateKey => "duplicate_key",
            Self::TooDeep => "too_deep",
            Self::AmbiguousNumber => "ambiguous_number",
            Self::InvalidUtf8 => "invalid_utf8",
            Self::TooManyValues => "too_many_values",
        }
    }

    fn sentence(self) -> &'static str {
        match self {
            Self::MalformedJson => "not valid JSON",
            Self::DuplicateKey => "a key is given twice",
            Self::TooDeep => "nested too deeply",
            Self::AmbiguousNumber => "a number that readers of JSON would read differently",
            Self::InvalidUtf8 => "not valid UTF-8",
            Self::TooManyValues => "too many values",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadError {
    pub code: Code,
    /// Byte offset of the fault in the input.
    pub at: usize,
    /// Where in the document, as `context.items[3].amount`; empty at the top.
    pub path: String,
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at byte {}", self.code.sentence(), self.at)?;
        if self.path.is_empty() { Ok(()) } else { write!(f, " in `{}`", self.path) }
    }
}

impl std::error::Error for ReadError {}

/// Reads one JSON document; only white space may follow it.
pub fn read(bytes: &[u8], limits: &Limits) -> Result<Value, ReadError> {
    let text = std::str::from_utf8(bytes).map_err(|error| ReadError {
        code: Code::InvalidUtf8,
        at: error.valid_up_to(),
        path: String::new(),
    })?;
    let depth_left = limits.max_depth.min(HARD_DEPTH);
    let mut reader =
        Reader { text, bytes, at: 0, depth_left, values_left: limits.max_values, key_places: Vec::with_capacity(32) };
    let outcome = reader.value().and_then(|value| {
        reader.skip_space();
        if reader.at == bytes.len() { Ok(value) } else { Err(reader.fault(Code::MalformedJson)) }
    });
    outcome.map_err(|fault| fault.into_error())
}

/// A fault on its way up: each container adds where it was, innermost first.
struct Fault {
    code: Code,
    at: usize,
    steps: Vec<Step>,
}

enum Step {
    Key(Text),
    Item(usize),
}

type Read<T> = Result<T, Box<Fault>>;

impl Fault {
    fn within(mut self: Box<Self>, step: Step) -> Box<Self> {
        self.steps.push(step);
        self
    }

    fn into_error(self) -> ReadError {
        let mut path = String::new();
        for step in self.steps.iter().rev() {
            match step {
                Step::Key(key) => {
                    if !path.is_empty() {
                        path.push('.');
                    }
                    // Keys are the caller's: shown shortened and without control characters.
                    path.extend(key.chars().take(64).flat_map(char::escape_debug));
                }
                Step::Item(index) => path.push_str(&format!("[{index}]")),
            }
        }
        ReadError { code: self.code, at: self.at, path }
    }
}

struct Reader<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    depth_left: usize,
    values_left: usize,
    /// Where the names stand that were read so far of the objects that are open, outermost first.
    key_places: Vec<usize>,
}

impl<'a> Reader<'a> {
    fn fault(&self, code: Code) -> Box<Fault> {
        self.fault_at(code, self.at)
    }

    #[cold]
    fn fault_at(&self, code: Code, at: usize) -> Box<Fault> {
        Box::new(Fault { code, at, steps: Vec::new() })
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    /// The next byte that is not white space, not consumed.
    fn next_token(&mut self) -> Option<u8> {
        self.skip_space();
        self.peek()
    }

    fn value(&mut self) -> Read<Value> {
        let first = self.next_token();
        self.values_left = self.values_left.checked_sub(1).ok_or_else(|| self.fault(Code::TooManyValues))?;
        match first {
            Some(b'"') => Ok(Value::Text(self.string()?)),
            Some(b'{') => self.nested(Self::object),
            Some(b'[') => self.nested(Self::list),
            Some(b'-' | b'0'..=b'9') => Ok(Value::Number(self.number()?)),
            Some(b't') => self.word("true", Value::Bool(true)),
            Some(b'f') => self.word("false", Value::Bool(false)),
            Some(b'n') => self.word("null", Value::Null),
            _ => Err(self.fault(Code::MalformedJson)),
        }
    }

    fn word(&mut self, word: &str, value: Value) -> Read<Value> {
        if !self.bytes.get(self.at..).is_some_and(|rest| rest.starts_with(word.as_bytes())) {
            return Err(self.fault(Code::MalformedJson));
        }
        self.at += word.len();
        Ok(value)
    }

    fn nested(&mut self, inner: fn(&mut Self) -> Read<Value>) -> Read<Value> {
        self.depth_left = self.depth_left.checked_sub(1).ok_or_else(|| self.fault(Code::TooDeep))?;
        self.at += 1;
        let value = inner(self)?;
        self.depth_left += 1;
        Ok(value)
    }

    fn list(&mut self) -> Read<Value> {
        let mut items = Vec::new();
        if self.next_token() == Some(b']') {
            self.at += 1;
            return Ok(Value::List(items));
        }
        loop {
            items.push(self.value().map_err(|fault| fault.within(Step::Item(items.len())))?);
            match self.next_token() {
                Some(b',') => self.at += 1,
                Some(b']') => {
                    self.at += 1;
                    return Ok(Value::List(items));
                }
                _ => return Err(self.fault(Code::MalformedJson).within(Step::Item(items.len()))),
            }
        }
    }

    fn object(&mut self) -> Read<Value> {
        let mut members = Vec::new();
        let first_place = self.key_places.len();
        let outcome = self.members(&mut members);
        let object = outcome.and_then(|()| Object::of(members).map_err(|_| self.fault(Code::DuplicateKey)));
        match object {
            Ok(object) => {
                self.key_places.truncate(first_place);
                Ok(Value::Object(object))
            }
            Err(fault) => Err(self.twice(first_place).unwrap_or(fault)),
        }
    }

    /// All up to the closing brace, in the order in which they are written.
    fn members(&mut self, members: &mut Vec<(Text, Value)>) -> Read<()> {
        if self.next_token() == Some(b'}') {
            self.at += 1;
            return Ok(());
        }
        members.reserve(USUAL_MEMBERS);
        loop {
            if self.next_token() != Some(b'"') {
                return Err(self.fault(Code::MalformedJson));
            }
            let key_at = self.at;
            let key = self.string()?;
            if self.next_token() != Some(b':') {
                return Err(self.fault(Code::MalformedJson).within(Step::Key(key)));
            }
            self.at += 1;
            self.key_places.push(key_at);
            match self.value() {
                Ok(value) => members.push((key, value)),
                Err(fault) => return Err(fault.within(Step::Key(key))),
            }
            match self.next_token() {
                Some(b',') => self.at += 1,
                Some(b'}') => {
                    self.at += 1;
                    return Ok(());
                }
                _ => return Err(self.fault(Code::MalformedJson)),
            }
        }
    }

    /// The first name of the innermost open object that was given before. Looked for only where there is a fault: a
    /// name given twice is one, and stands before any other that was found meanwhile.
    #[cold]
    fn twice(&mut self, first_place: usize) -> Option<Box<Fault>> {
        let mut seen = HashSet::new();
        for at in self.key_places.split_off(first_place) {
            self.at = at;
            let key = self.string().ok()?;
            if !seen.insert(key.clone()) {
                return Some(self.fault_at(Code::DuplicateKey, at).within(Step::Key(key)));
            }
        }
        None
    }

    /// The opening quote is at the current position.
    fn string(&mut self) -> Read<Text> {
        self.at += 1;
        let run = self.plain_run()?;
        if self.peek() == Some(b'"') {
            self.at += 1;
            return Ok(Text::new(run));
        }
        let mut text = run.to_owned();
        loop {
            // A plain run ends before a quote or a backslash only.
            let ends = self.peek() == Some(b'"');
            self.at += 1;
            if ends {
                return Ok(text.into());
            }
            text.push(self.escape()?);
            text.push_str(self.plain_run()?);
        }
    }

    /// Characters up to the next quote or backslash.
    fn plain_run(&mut self) -> Read<&'a str> {
        let start = self.at;
        let rest = self.bytes.get(start..).unwrap_or_default();
        self.at = start + super::plain_length(rest);
        // A control character, or the end.
        if self.peek().is_none_or(|byte| byte < 0x20) {
            return Err(self.fault(Code::MalformedJson));
        }
        // The ends are ASCII bytes, so this is on character boundaries.
        self.text.get(start..self.at).ok_or_else(|| self.fault(Code::InvalidUtf8))
    }

    /// The character after a backslash, which is consumed already.
    fn escape(&mut self) -> Read<char> {
        let at = self.at;
        let byte = self.peek();
        self.at += 1;
        match byte {
            Some(b'"') => Ok('"'),
            Some(b'\\') => Ok('\\'),
            Some(b'/') => Ok('/'),
            Some(b'b') => Ok('\u{8}'),
            Some(b'f') => Ok('\u{c}'),
            Some(b'n') => Ok('\n'),
            Some(b'r') => Ok('\r'),
            Some(b't') => Ok('\t'),
            Some(b'u') => {
                let first = self.hex4()?;
                // The second half of a pair only counts directly after the first.
                let code = if (0xD800..0xDC00).contains(&first)
                    && self.bytes.get(self.at..).is_some_and(|rest| rest.starts_with(b"\\u"))
                {
                    self.at += 2;
                    let second = self.hex4()?;
                    if !(0xDC00..0xE000).contains(&second) {
                        return Err(self.fault_at(Code::MalformedJson, at));
                    }
                    0x1_0000 + ((first - 0xD800) << 10) + (second - 0xDC00)
                } else {
                    first
                };
                char::from_u32(code).ok_or_else(|| self.fault_at(Code::MalformedJson, at))
            }
            _ => Err(self.fault_at(Code::MalformedJson, at)),
        }
    }

    fn hex4(&mut self) -> Read<u32> {
        let mut code = 0;
        for _ in 0..4 {
            let digit = self.peek().and_then(|byte| char::from(byte).to_digit(16));
            code = code * 16 + digit.ok_or_else(|| self.fault(Code::MalformedJson))?;
            self.at += 1;
        }
        Ok(code)
    }

    fn number(&mut self) -> Read<Decimal> {
        let start = self.at;
        let mut mantissa = 0u64;
        let mut significant = 0u32;
        let mut fraction_digits = 0i32;
        let negative = self.peek() == Some(b'-');
        self.at += usize::from(negative);
        let whole_at = self.at;
        let mut in_fraction = false;
        loop {
            match self.peek() {
                Some(digit @ b'0'..=b'9') => {
                    if significant > 0 || digit != b'0' {
                        significant += 1;
                    }
                    if significant <= SAFE_DIGITS {
                        mantissa = mantissa * 10 + u64::from(digit - b'0');
                        fraction_digits += i32::from(in_fraction);
                    }
                    self.at += 1;
                }
                Some(b'.') if !in_fraction => {
                    in_fraction = true;
                    self.at += 1;
                }
                _ => break,
            }
        }
        let exponent_follows = matches!(self.peek(), Some(b'e' | b'E'));
        if exponent_follows || significant > SAFE_DIGITS || fraction_digits > SAFE_EXPONENT {
            return self.long_number(start);
        }
        let digits = self.bytes.get(whole_at..self.at).unwrap_or_default();
        let leading_zero = digits.first() == Some(&b'0') && digits.get(1).is_some_and(u8::is_ascii_digit);
        let bare = !digits.first().is_some_and(u8::is_ascii_digit) || !digits.last().is_some_and(u8::is_ascii_digit);
        if leading_zero || bare {
            return Err(self.fault_at(Code::MalformedJson, start));
        }
        let coefficient = if negative { -i128::from(mantissa) } else { i128::from(mantissa) };
        Decimal::new(coefficient, -fraction_digits).map_err(|_| self.fault_at(Code::AmbiguousNumber, start))
    }

    /// Numbers with an exponent or many digits: the text and its shortest double must be one decimal.
    #[cold]
    fn long_number(&mut self, start: usize) -> Read<Decimal> {
        while let Some(b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E') = self.peek() {
            self.at += 1;
        }
        let text = self.text.get(start..self.at).unwrap_or_default();
        let exact = text.parse::<Decimal>();
        if exact == Err(crate::decimal::DecimalError::Malformed) {
            return Err(self.fault_at(Code::MalformedJson, start));
        }
        let double = text.parse::<f64>().ok().filter(|double| double.is_finite());
        let shortest = double.and_then(|double| ryu_js::Buffer::new().format_finite(double).parse::<Decimal>().ok());
        match (exact, shortest) {
            (Ok(exact), Some(shortest)) if exact == shortest => Ok(exact),
            _ => Err(self.fault_at(Code::AmbiguousNumber, start)),
        }
    }
}
