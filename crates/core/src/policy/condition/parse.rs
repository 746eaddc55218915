//! Condition text to the syntax tree of the `cel` crate, macros left as the calls they were written as.
//!
//! SECURITY: parses only what `prescan` let pass, on a thread with a stack of its own, and turns a
//! panic of the parser into an error. Nothing here evaluates.

use super::prescan::{self, Refusal};
use cel::common::ast::{IdedExpr, SourceInfo};
use std::panic::{AssertUnwindSafe, catch_unwind};

const STACK_BYTES: usize = 64 << 20;

/// A parsed condition and where its nodes stand in the text.
pub struct Tree {
    pub root: IdedExpr,
    pub places: SourceInfo,
}

/// Parses many conditions on one big stack; the results are in the order of the texts.
///
/// If the thread cannot be had, every text is refused: nothing is ever parsed on a small stack.
pub fn parse_all(texts: &[&str]) -> Vec<Result<Tree, Refusal>> {
    let refused = |message: &str| -> Vec<Result<Tree, Refusal>> {
        texts.iter().map(|_| Err(Refusal { offset: 0, message: message.to_owned() })).collect()
    };
    if texts.is_empty() {
        return Vec::new();
    }
    std::thread::scope(|scope| {
        let builder = std::thread::Builder::new().name("condition-parser".to_owned()).stack_size(STACK_BYTES);
        let work = move || texts.iter().map(|text| parse(text)).collect();
        match builder.spawn_scoped(scope, work) {
            Ok(thread) => thread.join().unwrap_or_else(|_| refused("the parser failed")),
            Err(_) => refused("no memory to parse conditions"),
        }
    })
}

fn parse(text: &str) -> Result<Tree, Refusal> {
    prescan::prescan(text)?;
    // An environment without the standard macros: `exists`, `has` and the others stay calls.
    let parser = cel::Env::default().parser();
    let parsed = catch_unwind(AssertUnwindSafe(|| parser.parse_with_source_info(text)));
    match parsed {
        Ok(Ok((root, places))) => Ok(Tree { root, places }),
        Ok(Err(errors)) => Err(first_error(text, &errors)),
        Err(_) => Err(Refusal { offset: 0, message: "the condition cannot be read".to_owned() }),
    }
}

fn first_error(text: &str, errors: &cel::ParseErrors) -> Refusal {
    let place = |error: &cel::ParseError| (error.pos.0.max(1), error.pos.1.max(1));
    let Some(error) = errors.errors.iter().min_by_key(|error| place(error)) else {
        return Refusal { offset: 0, message: "the condition cannot be read".to_owned() };
    };
    let (line, column) = place(error);
    let before: usize = text.split_inclusive('\n').take(usize::try_from(line - 1).unwrap_or(0)).map(str::len).sum();
    let offset = before + usize::try_from(column - 1).unwrap_or(0);
    let message = error.msg.lines().next().unwrap_or_default();
    let message = message.strip_prefix("Syntax error: ").unwrap_or(message);
    // The parser lists every token that could follow; the first sentence is the one that helps.
    let short = message.split(" expecting ").next().unwrap_or(message).replace('\'', "`");
    Refusal { offset: offset.min(text.len()), message: format!("not a condition: {short}") }
}
