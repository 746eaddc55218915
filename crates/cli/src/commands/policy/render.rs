//! A finding with the line it is about and a caret under the place.

use crate::output::{Output, Tone};
use crate::visible::visible;
use runplane_core::policy::Finding;

/// Longest part of a line that is shown.
const WIDTH: usize = 120;
/// What stands before the place in a longer line.
const BEFORE: usize = 40;

/// Prints one finding; without the text of the file, only where it is.
pub fn finding(tone: Tone, kind: &str, finding: &Finding, text: Option<&str>, out: &Output) {
    noted(tone, kind, finding, text, &[], out);
}

/// The same with further remarks, each under its name.
pub fn noted(tone: Tone, kind: &str, finding: &Finding, text: Option<&str>, notes: &[(&str, String)], out: &Output) {
    out.toned(tone, kind, &finding.message);
    out.line(format_args!("  --> {}:{}:{}", finding.file, finding.line, finding.column));
    if let Some([line, caret]) = text.and_then(|text| excerpt(text, finding.line, finding.column)) {
        let margin = finding.line.to_string();
        let empty = " ".repeat(margin.len());
        out.line(format_args!("{margin} | {line}"));
        out.line(format_args!("{empty} | {caret}"));
    }
    if let Some(help) = &finding.help {
        out.line(format_args!("  = help: {help}"));
    }
    for (name, note) in notes {
        out.line(format_args!("  = {name}: {note}"));
    }
    out.line("");
}

/// The line, and a line with carets under the word at this column; both start at 1 and count characters.
fn excerpt(text: &str, line: u32, column: u32) -> Option<[String; 2]> {
    let line = text.lines().nth(usize::try_from(line).ok()?.checked_sub(1)?)?;
    let column = usize::try_from(column).ok()?.checked_sub(1)?;
    let skipped = if line.chars().count() > WIDTH { column.saturating_sub(BEFORE) } else { 0 };
    let mut shown = String::from(if skipped > 0 { "… " } else { "" });
    let mut below = " ".repeat(shown.chars().count());
    let mut in_word = false;
    for (at, character) in line.chars().enumerate().skip(skipped).take(WIDTH) {
        // A tab or an invisible character is shown wider than it is; the line below keeps step.
        let cell =
            if character == '\t' { " ".to_owned() } else { visible(character.encode_utf8(&mut [0; 4])).into_owned() };
        in_word = at == column || (in_word && is_word(character));
        below.push_str(&(if in_word { "^" } else { " " }).repeat(cell.chars().count()));
        shown.push_str(&cell);
        if at == column && !is_word(character) {
            in_word = false;
        }
    }
    if !below.contains('^') {
        below.push('^');
    }
    Some([shown, below.trim_end().to_owned()])
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, line: u32, column: u32) -> [String; 2] {
        excerpt(text, line, column).unwrap()
    }

    #[test]
    fn the_caret_stands_under_the_word() {
        let text = "rules:\n  - when: contxt.amount > 5\n";
        assert_eq!(shown(text, 2, 11), ["  - when: contxt.amount > 5", "          ^^^^^^"]);
        assert_eq!(shown(text, 2, 17), ["  - when: contxt.amount > 5", "                ^"]);
        assert_eq!(shown(text, 1, 7), ["rules:", "      ^"]);
    }

    #[test]
    fn tabs_and_invisible_characters_keep_step() {
        assert_eq!(shown("\ta: b", 1, 5), [" a: b", "    ^"]);
        assert_eq!(shown("x\u{200b}y", 1, 3), ["x\\u{200b}y", "         ^"]);
        assert_eq!(shown("größe: x", 1, 8), ["größe: x", "       ^"]);
    }

    #[test]
    fn long_lines_are_cut_around_the_place() {
        let text = format!("{}oops{}", "a ".repeat(100), " b".repeat(100));
        let [line, caret] = shown(&text, 1, 201);
        assert_eq!(line.chars().count(), WIDTH + 2);
        let from = caret.find('^').unwrap();
        assert_eq!(line.chars().skip(from).take(4).collect::<String>(), "oops");
    }

    #[test]
    fn a_place_outside_the_text_has_no_line() {
        assert!(excerpt("a", 2, 1).is_none());
        assert!(excerpt("a", 0, 1).is_none());
    }
}
