//! What a command line would run, as far as its text says so.
//!
//! Quoting is undone before a name is looked at; pipes, lists, substitutions, wrappers such as `sudo`
//! and `xargs`, and `sh -c` are followed. A program that is on no list may do anything, so a line is
//! harmless only if every program in it is on the short list of those that only look. Refuses to
//! evaluate: variables, globs and substitutions in the place of a program are `UNKNOWN`.

mod programs;
mod words;

use super::Reading;
use super::arguments::{MAX_DEPTH, MAX_TEXT, flat, has_word, object, says_no, texts, truth};
use super::file;
use crate::call::Call;
use crate::value::{Object, Text, Value};
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
    "program",
    "executable",
    "terminal",
];
/// Members beside a command that run as well, or get what it prints.
const NAMES_FOLLOWING: &[&str] =
    &["then", "after", "before", "next", "pipe", "hook", "hooks", "post", "pre", "finally", "cleanup", "followup"];
/// Members beside a command that say as whom it runs.
const NAMES_RAISING: &[&str] = &["sudo", "root", "privileged", "elevated", "become", "runasroot", "asroot", "admin"];
/// Members beside a command that its program gets as arguments.
const NAMES_ARGUMENTS: &[&str] =
    &["args", "arguments", "flags", "options", "parameters", "params", "commandargs", "extraargs"];
/// Members beside a command with the variables its program sees.
const NAMES_SETTINGS: &[&str] = &["env", "environment", "environmentvariables", "envvars", "envs"];
/// Variables that change no program into another.
const QUIET_SETTINGS: &[&str] =
    &["LANG", "LANGUAGE", "TZ", "TERM", "NO_COLOR", "CI", "COLUMNS", "LINES", "FORCE_COLOR"];
const SHELLS: &[&str] = &["sh", "bash", "zsh", "dash", "ksh"];
/// How deep `sh -c` and substitutions are followed.
const MAX_LINES: usize = 4;
/// Most bytes of one line; every word of it is looked up.
const MAX_LINE: usize = 16 * 1024;

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
    /// Bytes read so far.
    bytes: usize,
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
        let commanded = members.iter().any(|(name, value)| is_command(name, value, members));
        let beside = if commanded { self.beside(members) } else { Vec::new() };
        for (name, value) in members {
            if is_command(name, value, members) {
                self.value(value, depth, &beside);
            } else if commanded && NAMES_SETTINGS.contains(&&*flat(name)) {
                self.settings(value);
            } else if commanded && has_word(name, NAMES_FOLLOWING) {
                self.following(value, depth);
            } else if commanded && (NAMES_RAISING.contains(&&*flat(name)) || is_super_user(name, value)) {
                self.privilege |= is_super_user(name, value) || !says_no(value);
            } else {
                self.inside(value, depth);
            }
        }
    }

    /// Objects and lists may hold commands of their own: steps, jobs, wrapped arguments.
    fn inside(&mut self, value: &Value, depth: usize) {
        match value {
            Value::Object(inner) if depth < MAX_DEPTH => self.members(inner, depth + 1),
            Value::List(items) if depth < MAX_DEPTH => items.iter().for_each(|item| self.inside(item, depth + 1)),
            Value::Object(_) | Value::List(_) => self.unreadable = true,
            _ => {}
        }
    }

    /// The arguments that stand beside a command. Whoever joins them to a line runs what is in them.
    fn beside(&mut self, members: &Object) -> Vec<Word> {
        let mut words = Vec::new();
        for (_, value) in members.iter().filter(|(name, _)| NAMES_ARGUMENTS.contains(&&*flat(name))) {
            let texts: Vec<&str> = match value {
                Value::Text(text) => text.split_whitespace().collect(),
                Value::List(items) => items.iter().filter_map(Value::as_text).collect(),
                _ => continue,
            };
            if texts.iter().any(|text| text.contains(|character: char| "|;&$`<>\n\r\0".contains(character))) {
                self.unreadable = true;
                texts.iter().for_each(|text| self.line(text, 1, &[]));
                self.line(&texts.join(" "), 1, &[]);
            }
            words.extend(texts.into_iter().map(Word::literal));
        }
        words
    }

    /// `{"command": "ls", "then": "rm x"}`, `{"hooks": {"post": "rm x"}}`, `{"pipeTo": "sh"}`.
    fn following(&mut self, value: &Value, depth: usize) {
        match value {
            Value::Text(text) => {
                let before = self.pipes_to_interpreter;
                self.line(text, 1, &[]);
                self.pipes_to_interpreter =
                    before || text.split_whitespace().next().is_some_and(|first| class(first) == Class::Interpreter);
            }
            Value::List(items) => items.iter().for_each(|item| self.following(item, depth)),
            Value::Object(inner) if depth < MAX_DEPTH => {
                inner.values().for_each(|value| self.following(value, depth + 1));
            }
            _ => self.unreadable |= !says_no(value),
        }
    }

    fn settings(&mut self, value: &Value) {
        let quiet = |name: &Text| QUIET_SETTINGS.contains(&name.as_str()) || name.starts_with("LC_");
        self.unreadable |= match value {
            Value::Object(members) => !members.keys().all(quiet),
            Value::List(items) => !items.is_empty(),
            _ => false,
        };
    }

    fn value(&mut self, value: &Value, depth: usize, beside: &[Word]) {
        self.found |= !matches!(value, Value::Null);
        match value {
            Value::Null => {}
            Value::Text(text) => self.line(text, 0, beside),
            Value::List(items) => self.arguments(items, depth, beside),
            Value::Object(inner) if depth < MAX_DEPTH => {
                self.unreadable = true;
                self.members(inner, depth + 1);
            }
            _ => self.unreadable = true,
        }
    }

    /// A list is a program with its arguments to some and a list of lines to others: read as both.
    fn arguments(&mut self, items: &[Value], depth: usize, beside: &[Word]) {
        let texts: Option<Vec<&str>> = items.iter().map(Value::as_text).collect();
        let Some(texts) = texts.filter(|texts| !texts.is_empty()) else {
            self.unreadable = true;
            return items.iter().for_each(|item| self.inside(item, depth));
        };
        if !self.fits(texts.iter().map(|text| text.len() + 1).sum()) {
            return;
        }
        let words: Vec<Word> = texts.iter().map(|text| Word::literal(text)).chain(beside.iter().cloned()).collect();
        self.command(&words, 0);
        if texts
            .iter()
            .any(|text| text.contains(|character: char| character.is_whitespace() || "|;&$`<>".contains(character)))
        {
            texts.iter().for_each(|text| self.line(text, 1, &[]));
        }
    }

    /// Whether so much more may be read.
    fn fits(&mut self, bytes: usize) -> bool {
        self.bytes = self.bytes.saturating_add(bytes);
        let fits = bytes <= MAX_LINE && self.bytes <= MAX_TEXT;
        self.unreadable |= !fits;
        fits
    }

    fn line(&mut self, text: &str, depth: usize, beside: &[Word]) {
        if depth > MAX_LINES {
            self.unreadable = true;
            return;
        }
        if !self.fits(text.len()) {
            return;
        }
        let tokens = words::tokens(text);
        self.unreadable |= tokens.is_ambiguous;
        for inner in &tokens.substitutions {
            self.unreadable = true;
            self.line(inner, depth + 1, &[]);
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
        command.extend(beside.iter().cloned());
        self.piped(&command, piped, depth);
    }

    fn piped(&mut self, words: &[Word], piped: bool, depth: usize) {
        if piped {
            // Behind a program that only looks, the name of an interpreter is a word to look for.
            let looks = words.first().is_some_and(|first| !first.is_dynamic && class(&first.program()) == Class::Reads);
            let feeds = !looks && words.iter().any(|word| class(&word.program()) == Class::Interpreter);
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
                // A loop or a function of its own may do anything often.
                self.unreadable |= programs::repeats(&first.text);
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
        let looks_only = name == "find" && !programs::makes_reader_act(name, arguments());
        match if looks_only { Class::Reads } else { class(name) } {
            Class::Reads => {
                let changes = programs::makes_reader_act(name, arguments());
                // What it prints may be a secret: harmless it is not.
                let secret = programs::prints_settings(name, arguments()) || arguments().any(file::holds_secret);
                self.unreadable |= changes || secret || tail.iter().any(|word| word.is_dynamic);
                if programs::reckons(name, arguments()) {
                    self.unreadable = true;
                    arguments().for_each(|argument| self.line(argument, depth + 1, &[]));
                }
                // The shell opens these as connections.
                self.network |= arguments().any(|word| word.starts_with("/dev/tcp/") || word.starts_with("/dev/udp/"));
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
                    self.line(&script.text, depth + 1, &[]);
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

/// `{"user": "root"}`, `{"uid": 0}`.
fn is_super_user(name: &str, value: &Value) -> bool {
    let root = match value {
        Value::Text(text) => {
            matches!(text.trim().to_ascii_lowercase().as_str(), "root" | "0" | "administrator" | "system")
        }
        Value::Number(number) => number.is_zero(),
        _ => false,
    };
    root && matches!(&*flat(name), "user" | "uid" | "runas" | "runasuser" | "username" | "asuser")
}

/// Whether a member is a command. `shell: true` and `shell: "/bin/bash"` only say what reads it.
fn is_command(name: &str, value: &Value, members: &Object) -> bool {
    if !has_word(name, NAMES_COMMAND) {
        return false;
    }
    let is_shell = |value: &Value| match value {
        Value::Bool(_) => true,
        Value::Text(text) => SHELLS.contains(&text.rsplit('/').next().unwrap_or_default()),
        _ => false,
    };
    let another = || members.keys().any(|other| other != name && has_word(other, NAMES_COMMAND));
    !(flat(name) == "shell" && is_shell(value) && another())
}

#[cfg(test)]
mod tests;
