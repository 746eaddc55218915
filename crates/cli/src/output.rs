//! Everything this program prints goes through here.
//!
//! Answers go to standard output: text for people, or one JSON document with `--json`. Remarks, progress and
//! failures go to standard error. Colour only where a terminal wants it (`NO_COLOR` and pipes are respected);
//! every text is made visible first (see `visible`). A failed write is remembered and fails the command, so
//! that a key nobody could read is not reported as made.

use crate::exit::Exit;
use crate::visible::visible;
use comfy_table::{ContentArrangement, Table, presets};
use indicatif::{ProgressBar, ProgressStyle};
use owo_colors::{OwoColorize, Stream, Style};
use serde::Serialize;
use std::cell::Cell;
use std::fmt::Display;
use std::io::{self, ErrorKind, IsTerminal, Write};

/// What a coloured word says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    Good,
    Bad,
    Waiting,
    Name,
}

pub struct Output {
    json: bool,
    failed: Cell<bool>,
}

impl Output {
    pub fn new(json: bool) -> Self {
        Self { json, failed: Cell::new(false) }
    }

    pub fn is_json(&self) -> bool {
        self.json
    }

    /// The answer of a command: the document with `--json`, else what the closure prints.
    pub fn answer(&self, document: &impl Serialize, text: impl FnOnce(&Self)) {
        if self.json { self.document(document) } else { text(self) }
    }

    /// One JSON document.
    pub fn document(&self, document: &impl Serialize) {
        match serde_json::to_string_pretty(document) {
            Ok(text) => self.print(&text),
            Err(_) => self.failed.set(true),
        }
    }

    /// One line of text.
    pub fn line(&self, text: impl Display) {
        self.print(&visible(&text.to_string()));
    }

    /// One line that starts with a coloured word.
    pub fn toned(&self, tone: Tone, word: &str, text: impl Display) {
        let (word, text) = (visible(word), text.to_string());
        let word = word.if_supports_color(Stream::Stdout, |word| word.style(style(tone))).to_string();
        self.print(format!("{word}  {}", visible(&text)).trim_end());
    }

    /// `name: value`, names aligned to `width`.
    pub fn field(&self, name: &str, width: usize, value: impl Display) {
        self.line(format_args!("  {name:width$}  {value}"));
    }

    /// A document: made visible on a terminal, to the byte anywhere else, so that it can be kept in a file.
    pub fn text(&self, text: &str) {
        if io::stdout().is_terminal() {
            text.lines().for_each(|line| self.line(line.replace('\t', "    ")));
        } else {
            self.write(text);
        }
    }

    /// Rows under headings; says `nothing` if there are none.
    pub fn table(&self, headings: &[&str], rows: Vec<Vec<String>>, nothing: &str) {
        if rows.is_empty() {
            return self.line(nothing);
        }
        let mut table = Table::new();
        table.load_preset(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
        if io::stdout().is_terminal() {
            table.set_content_arrangement(ContentArrangement::Dynamic);
        }
        table.set_header(headings);
        for row in rows {
            table.add_row(row.iter().map(|cell| visible(cell).into_owned()));
        }
        for line in table.lines() {
            self.print(line.trim());
        }
    }

    /// Something worth knowing that is not the answer.
    pub fn remark(&self, text: impl Display) {
        complain(&visible(&text.to_string()));
    }

    /// Why the command could not do its work.
    pub fn failure(&self, error: &anyhow::Error) {
        let text = error.chain().map(ToString::to_string).collect::<Vec<_>>().join(": ");
        if self.json {
            complain(&serde_json::json!({ "error": text }).to_string());
        } else {
            let word = "error:".if_supports_color(Stream::Stderr, |word| word.style(style(Tone::Bad))).to_string();
            complain(&format!("{word} {}", visible(&text)));
        }
    }

    /// A progress bar on a terminal, nothing elsewhere. Without a total it counts.
    pub fn progress(&self, total: Option<u64>, unit: &'static str) -> ProgressBar {
        if self.json || !io::stderr().is_terminal() {
            return ProgressBar::hidden();
        }
        let bar = total.map_or_else(ProgressBar::no_length, ProgressBar::new);
        let template = if total.is_some() {
            "{wide_bar} {human_pos}/{human_len} {msg} {per_sec} {eta}"
        } else {
            "{spinner} {human_pos} {msg} {per_sec}"
        };
        bar.with_message(unit)
            .with_style(ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()))
    }

    /// The exit of the command, unless what it had to say could not be printed.
    pub fn finish(&self, ended: Exit) -> Exit {
        if self.failed.get() && ended == Exit::Ok { Exit::Failure } else { ended }
    }

    fn print(&self, text: &str) {
        self.write(&format!("{text}\n"));
    }

    fn write(&self, text: &str) {
        let mut stdout = io::stdout().lock();
        match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
            // Whoever reads has read enough.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => {}
            Err(_) => self.failed.set(true),
            Ok(()) => {}
        }
    }
}

fn complain(text: &str) {
    // Nothing is left to say it with if this cannot be printed.
    let _ = writeln!(io::stderr().lock(), "{text}");
}

fn style(tone: Tone) -> Style {
    match tone {
        Tone::Good => Style::new().green(),
        Tone::Bad => Style::new().red(),
        Tone::Waiting => Style::new().yellow(),
        Tone::Name => Style::new().bold(),
    }
}
