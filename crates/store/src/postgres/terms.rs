//! The conditions of a search, with a placeholder for everything a caller gave.

use tokio_postgres::types::{ToSql, Type};

/// A value as the driver takes it.
pub(super) type Value<'v> = (&'v (dyn ToSql + Sync), Type);

pub(super) struct Terms {
    text: Vec<String>,
    values: Vec<(Box<dyn ToSql + Sync + Send>, Type)>,
}

/// A value and how the server is told to read it.
pub(super) trait Placed: ToSql + Sync + Send + 'static {
    const TYPE: Type;
}

impl Placed for i64 {
    const TYPE: Type = Type::INT8;
}

impl Placed for String {
    const TYPE: Type = Type::TEXT;
}

impl Placed for Vec<String> {
    const TYPE: Type = Type::TEXT_ARRAY;
}

impl Terms {
    /// Everything of one workspace.
    pub(super) fn of(number: i64) -> Self {
        let mut terms = Self { text: Vec::new(), values: Vec::new() };
        terms.and("workspace =", number);
        terms
    }

    /// A value of the statement that is no condition; gives its placeholder.
    pub(super) fn place<T: Placed>(&mut self, value: T) -> String {
        self.values.push((Box::new(value), T::TYPE));
        format!("${}", self.values.len())
    }

    /// Narrows by a comparison with `value`: `left` is its left side and operator.
    pub(super) fn and<T: Placed>(&mut self, left: &str, value: T) {
        let place = self.place(value);
        self.text.push(format!("{left} {place}"));
    }

    /// Narrows to rows whose `column` is one of `values`.
    pub(super) fn any(&mut self, column: &str, values: Vec<String>) {
        let place = self.place(values);
        self.text.push(format!("{column} = ANY ({place})"));
    }

    /// Narrows by a condition that has its placeholders already.
    pub(super) fn and_text(&mut self, text: String) {
        self.text.push(text);
    }

    pub(super) fn text(&self) -> String {
        self.text.join(" AND ")
    }

    pub(super) fn values(&self) -> Vec<Value<'_>> {
        self.values.iter().map(|(value, kind)| (&**value as &(dyn ToSql + Sync), kind.clone())).collect()
    }
}
