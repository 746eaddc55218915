//! What a person is shown before deciding: the server's stored action in plain words, nothing hidden.
//!
//! SECURITY: the text is made by the server from the stored action alone. Characters that are invisible, reorder
//! text, or imitate others are spelled out. Nothing the agent wrote counts as explanation; it is quoted as data.

use runplane_core::call::Call;
use runplane_core::catalogue::Catalogue;
use runplane_core::digest::{Digest, sha256};
use runplane_core::json;
use runplane_core::value::Value;
use std::fmt::Write;

/// Longest single value in the one-line summary; the fields show it whole.
const SUMMARY_VALUE: usize = 80;

/// One action as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// One line.
    pub summary: String,
    /// Everything else, each field on a line of its own.
    pub text: String,
}

impl Shown {
    #[must_use]
    pub fn of(call: &Call, catalogue: &Catalogue) -> Self {
        let template = catalogue.get(&call.action.canonical).map(|action| action.definition.says.clone());
        let summary = match template {
            Some(template) if !template.is_empty() => fill(&template, call),
            _ => format!("{} on {}", visible(&call.action.declared), visible(&call.target)),
        };
        let mut text = format!(
            "action: {}\ndeclared as: {}\ntarget: {}\nenvironment: {}\n",
            call.action.canonical,
            visible(&call.action.declared),
            visible(&call.target),
            visible(call.environment.as_str()),
        );
        for (name, value) in &call.context {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{}: {}", visible(name), visible(&plain(value)));
        }
        Self { summary, text }
    }

    /// Names exactly this text; stored with every vote.
    #[must_use]
    pub fn digest(&self) -> Digest {
        sha256(&[self.summary.as_bytes(), b"\n\n", self.text.as_bytes()])
    }
}

/// Puts the call's fields into `{name}` places; an absent field is named as absent.
fn fill(template: &str, call: &Call) -> String {
    let mut out = String::with_capacity(template.len() + 32);
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        let Some((name, tail)) = after.split_once('}') else { break };
        let value = match name {
            "target" => Some(call.target.clone()),
            "environment" => Some(call.environment.as_str().to_owned()),
            _ => call.context.get(name).map(plain),
        };
        match value {
            Some(value) => out.push_str(&shorten(&visible(&value))),
            None => {
                let _ = write!(out, "(no {name})");
            }
        }
        rest = tail;
    }
    out.push_str(rest);
    out
}

fn shorten(text: &str) -> String {
    if text.chars().count() <= SUMMARY_VALUE {
        return text.to_owned();
    }
    let start: String = text.chars().take(SUMMARY_VALUE).collect();
    format!("{start}… ({} characters)", text.chars().count())
}

fn plain(value: &Value) -> String {
    match value {
        Value::Text(text) => text.to_string(),
        other => String::from_utf8_lossy(&json::to_canonical(other)).into_owned(),
    }
}

/// The text with every character that cannot be seen, reorders, or imitates spelled out as `⟨U+XXXX⟩`.
#[must_use]
pub fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for word in text.split_inclusive(|c: char| !c.is_alphanumeric()) {
        let has_latin = word.chars().any(|c| c.is_ascii_alphabetic());
        for c in word.chars() {
            if hidden(c) || (has_latin && imitates_latin(c)) {
                let _ = write!(out, "⟨U+{:04X}⟩", u32::from(c));
            } else {
                out.push(c);
            }
        }
    }
    out
}

fn hidden(c: char) -> bool {
    c.is_control()
        || matches!(u32::from(c),
            0xAD | 0x61C | 0x180E | 0x115F..=0x1160 | 0x17B4..=0x17B5 | 0x200B..=0x200F | 0x2028..=0x202E
            | 0x2060..=0x206F | 0x3164 | 0xFE00..=0xFE0F | 0xFEFF | 0xFFA0 | 0xFFF0..=0xFFFB | 0xE0000..=0xE0FFF)
}

/// Letters of scripts whose shapes are used to imitate Latin ones: Greek, Cyrillic, Armenian, Cherokee, full-width.
fn imitates_latin(c: char) -> bool {
    matches!(u32::from(c), 0x370..=0x3FF | 0x400..=0x52F | 0x530..=0x58F | 0x13A0..=0x13FF | 0xFF21..=0xFF5A)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_seen_is_spelled_out() {
        assert_eq!(visible("pay\u{202e}me"), "pay⟨U+202E⟩me");
        assert_eq!(visible("a\u{200b}b\nc"), "a⟨U+200B⟩b⟨U+000A⟩c");
        assert_eq!(visible("p\u{0430}ypal"), "p⟨U+0430⟩ypal");
        assert_eq!(visible("Привет, Zoë"), "Привет, Zoë");
    }
}
