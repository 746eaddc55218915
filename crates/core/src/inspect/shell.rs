//! What a command line would run, as far as its text says so.
//!
//! Quoting is undone before a name is looked at; pipes, lists, substitutions, wrappers such as `sudo`
//! and `xargs`, and `sh -c` are followed. A program that is on no list may do anything, so a line is
//! harmless only if every program in it is on the short list of those that only look. Refuses to
//! evaluate: variables, globs and substitutions in the place of a program are `UNKNOWN`.

mod programs;
mod words;

use super::Reading;
use super::arguments::{MAX_TEXT, has_word, object, texts, truth};
use crate::call::Call;
use crate::value::{Object, Value};
use programs::{Class, class};
use std::collections::BTreeSet;
use words::{Token, Word};

const NAMES_COMMAND: &[&str] = &[
    "command",
    "commands",
    "cmd",
    "cmds",
    "script",
    "scripts",
    "shell",
    "exec",
    "bash",
    "sh",
    "zsh",
    "powershell",
    "argv",
    "cmdline",
    "run",
    "entrypoint",
];
/// How deep `sh -c` and substitutions are followed.
const MAX_DEPTH: usize = 4;

#[derive(Default)]
struct Seen {
    programs: BTreeSet<String>,
    destructive: bool,
    network: bool,
    privilege: bool,
    pipes_to_interpreter: bool,
    /// Something runs that could not be read.
    unreadable: bool,
    found: bool,
}

pub(super) fn read(call: &Call) -> Reading {
    let mut seen = Seen::default();
    seen.members(&call.context, 0);
    if !seen.found {
        return Reading::NotApplicable;
    }
    // Of an unreadable line only what it does is known, not what it does not do.
    let known = |present: bool| truth(if present { Some(true) } else { (!seen.unreadable).then_some(false) });
    Reading::Object(object([
        ("destructive", known(seen.destructive)),
        ("network", known(seen.network)),
        ("privilege", known(seen.privilege)),
        ("pipes_to_interpreter", known(seen.pipes_to_interpreter)),
        ("programs", texts(seen.programs.iter().take(64).cloned())),
    ]))
}

impl Seen {
    fn members(&mut self, members: &Object, depth: usize) {
        for (name, value) in members {
            if has_word(name, NAMES_COMMAND) {
                self.value(value, depth);
            } else if let (Value::Object(inner), true) = (value, depth < MAX_DEPTH) {
                self.members(inner, depth + 1);
            }
        }
    }

    fn value(&mut self, value: &Value, depth: usize) {
        self.found |= !matches!(value, Value::Null);
        match value {
            Value::Null => {}
            Value::Text(text) => self.line(text, 0),
            Value::List(items) => self.arguments(items),
            Value::Object(inner) if depth < MAX_DEPTH => {
                self.unreadable = true;
                self.members(inner, depth + 1);
            }
            _ => self.unreadable = true,
        }
    }

    /// A list is a program with its arguments to some and a list of lines to others: read as both.
    fn arguments(&mut self, items: &[Value]) {
        let texts: Option<Vec<&str>> = items.iter().map(Value::as_text).collect();
        let Some(texts) = texts.filter(|texts| !texts.is_empty()) else {
            self.unreadable = true;
            return;
        };
        let words: Vec<Word> = texts.iter().map(|text| Word::literal(text)).collect();
        self.command(&words, 0);
        if texts
            .iter()
            .any(|text| text.contains(|character: char| character.is_whitespace() || "|;&$`<>".contains(character)))
        {
            texts.iter().for_each(|text| self.line(text, 1));
        }
    }

    fn line(&mut self, text: &str, depth: usize) {
        if depth > MAX_DEPTH || text.len() > MAX_TEXT {
            self.unreadable = true;
            return;
        }
        let tokens = words::tokens(text);
        self.unreadable |= tokens.is_ambiguous;
        for inner in &tokens.substitutions {
            self.unreadable = true;
            self.line(inner, depth + 1);
        }
        let mut command = Vec::new();
        let mut piped = false;
        for token in tokens.list {
            match token {
                Token::Word(word) => command.push(word),
                Token::Writes => self.destructive = true,
                Token::End { pipe } => {
                    self.piped(&command, piped, depth);
                    command.clear();
                    piped = pipe;
                }
            }
        }
        self.piped(&command, piped, depth);
    }

    fn piped(&mut self, words: &[Word], piped: bool, depth: usize) {
        if piped {
            let feeds = words.iter().any(|word| class(&word.program()) == Class::Interpreter);
            self.pipes_to_interpreter |= feeds;
            self.unreadable |= feeds;
        }
        self.command(words, depth);
    }

    /// One program with its arguments; wrappers make the next word a program as well.
    fn command(&mut self, words: &[Word], depth: usize) {
        let mut rest = words;
        while let Some((first, tail)) = rest.split_first() {
            if first.is_assignment() {
                // Settings such as LD_PRELOAD change what a program does.
                self.unreadable = true;
                rest = tail;
                continue;
            }
            if programs::is_keyword(&first.text) {
                rest = tail;
                continue;
            }
            if first.is_dynamic || first.text.is_empty() {
                self.unreadable = true;
                return self.hidden(tail);
            }
            let name = first.program();
            self.programs.insert(name.clone());
            match self.program(&name, first, tail, depth) {
                Some(next) => rest = next,
                None => return,
            }
        }
    }

    /// Notes what the program does; gives the words of the command it runs, if it runs one.
    fn program<'w>(&mut self, name: &str, word: &Word, tail: &'w [Word], depth: usize) -> Option<&'w [Word]> {
        let arguments = || tail.iter().map(|word| word.text.as_str());
        // A path may name a program of the same name that is another one.
        let elsewhere = word.text.contains('/')
            && !["/bin/", "/usr/bin/"].iter().any(|known| word.text.strip_prefix(known) == Some(name));
        self.unreadable |= elsewhere;
        match class(name) {
            Class::Reads => {
                let changes = programs::makes_reader_act(name, arguments());
                self.unreadable |= changes || tail.iter().any(|word| word.is_dynamic);
                None
            }
            Class::Destroys => {
                self.destructive = true;
                None
            }
            Class::Network => {
                self.network = true;
                self.unreadable = true;
                self.destructive |= programs::asks_to_destroy(arguments());
                None
            }
            Class::Privilege => {
                self.privilege = true;
                self.unreadable = true;
                None
            }
            Class::Wrapper => {
                self.privilege |= programs::raises(name);
                self.unreadable = true;
                let next = tail.iter().position(|word| !word.text.starts_with('-') && !word.is_number())?;
                tail.get(next..)
            }
            Class::Interpreter => {
                self.unreadable = true;
                let code = tail.iter().position(|word| {
                    word.text.starts_with('-') && !word.text.starts_with("--") && word.text.ends_with('c')
                });
                if let Some(script) = code.and_then(|at| tail.get(at + 1)) {
                    self.line(&script.text, depth + 1);
                }
                None
            }
            Class::Other => {
                self.unreadable = true;
                self.destructive |= programs::asks_to_destroy(arguments());
                self.hidden(tail);
                None
            }
        }
    }

    /// Words behind something unreadable may be commands too: what they plainly name counts.
    fn hidden(&mut self, words: &[Word]) {
        for word in words {
            match class(&word.program()) {
                Class::Destroys => self.destructive = true,
                Class::Network => self.network = true,
                Class::Privilege => self.privilege = true,
                Class::Wrapper => self.privilege |= programs::raises(&word.program()),
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests;
