//! A command line cut into words as a POSIX shell does it, with the quoting undone.

/// One word. `text` is what it says after quotes and backslashes are taken away.
#[derive(Clone, Debug, Default)]
pub(super) struct Word {
    pub(super) text: String,
    /// The shell would fill something in: a variable, a substitution, a glob, braces.
    pub(super) is_dynamic: bool,
}

pub(super) enum Token {
    Word(Word),
    /// Output goes into a file.
    Writes,
    /// The command ends here; its output feeds the next one if `pipe`.
    End {
        pipe: bool,
    },
}

#[derive(Default)]
pub(super) struct Tokens {
    pub(super) list: Vec<Token>,
    /// Texts of `$(…)`, backticks and `<(…)`.
    pub(super) substitutions: Vec<String>,
    /// Shells would cut or read the text differently.
    pub(super) is_ambiguous: bool,
}

impl Word {
    /// A word that no shell looks at.
    pub(super) fn literal(text: &str) -> Self {
        Self { text: text.to_owned(), is_dynamic: false }
    }

    /// The program's name without its folder, lower case.
    pub(super) fn program(&self) -> String {
        let name = self.text.rsplit(['/', '\\']).next().unwrap_or_default().to_lowercase();
        name.strip_suffix(".exe").map_or(name.clone(), str::to_owned)
    }

    pub(super) fn is_assignment(&self) -> bool {
        self.text.split_once('=').is_some_and(|(name, _)| {
            let name = name.strip_suffix('+').unwrap_or(name);
            !name.is_empty() && name.chars().all(|character| character.is_ascii_alphanumeric() || character == '_')
        })
    }

    pub(super) fn is_number(&self) -> bool {
        self.text.starts_with(|first: char| first.is_ascii_digit())
    }
}

pub(super) fn tokens(text: &str) -> Tokens {
    let mut cutter = Cutter { characters: text.chars().collect(), at: 0, word: None, tokens: Tokens::default() };
    cutter.run();
    cutter.tokens
}

struct Cutter {
    characters: Vec<char>,
    at: usize,
    word: Option<Word>,
    tokens: Tokens,
}

impl Cutter {
    fn peek(&self, ahead: usize) -> char {
        self.characters.get(self.at + ahead).copied().unwrap_or('\0')
    }

    fn push(&mut self, character: char) {
        self.word.get_or_insert_default().text.push(character);
    }

    fn dynamic(&mut self) {
        self.word.get_or_insert_default().is_dynamic = true;
    }

    fn end_word(&mut self) {
        if let Some(word) = self.word.take() {
            self.tokens.list.push(Token::Word(word));
        }
    }

    fn end_command(&mut self, pipe: bool) {
        self.end_word();
        self.tokens.list.push(Token::End { pipe });
    }

    fn run(&mut self) {
        while self.at < self.characters.len() {
            let character = self.peek(0);
            self.at += 1;
            match character {
                ' ' | '\t' => self.end_word(),
                '\n' | ';' | ')' => self.end_command(false),
                '(' => {
                    // `name()` makes a function, so that a name means something else from there on.
                    let rest = self.characters.get(self.at..).unwrap_or_default();
                    self.tokens.is_ambiguous |= rest.iter().find(|next| !matches!(next, ' ' | '\t')) == Some(&')');
                    self.end_command(false);
                }
                '|' => {
                    let or = self.peek(0) == '|';
                    self.at += usize::from(or || self.peek(0) == '&');
                    self.end_command(!or);
                }
                '&' => self.ampersand(),
                '\'' => self.single_quoted(),
                '"' => self.double_quoted(),
                '\\' => self.escaped(),
                '$' => self.dollar(),
                '`' => self.backtick(),
                '<' => self.reads_from(),
                '>' => self.writes_to(),
                '#' if self.word.is_none() => self.comment(),
                '*' | '?' | '[' | '{' | '~' | '^' => {
                    // `[` alone is a program, `{` alone a keyword.
                    let alone = self.word.is_none() && matches!(self.peek(0), ' ' | '\0' | '\t' | '\n');
                    self.push(character);
                    if !alone {
                        self.dynamic();
                    }
                }
                '%' | '!' => {
                    // History in one shell, variables in another.
                    self.push(character);
                    self.tokens.is_ambiguous = true;
                }
                _ => {
                    self.tokens.is_ambiguous |=
                        character.is_control() || (!character.is_ascii() && !character.is_alphanumeric());
                    // A letter that only looks like one of a program's name.
                    self.push(character);
                    if !character.is_ascii() {
                        self.dynamic();
                    }
                }
            }
        }
        self.end_word();
    }

    fn ampersand(&mut self) {
        if self.peek(0) == '>' {
            self.at += 1;
            return self.writes_to();
        }
        self.at += usize::from(self.peek(0) == '&');
        self.end_command(false);
    }

    fn single_quoted(&mut self) {
        self.word.get_or_insert_default();
        loop {
            match self.peek(0) {
                '\0' if self.at >= self.characters.len() => {
                    self.tokens.is_ambiguous = true;
                    return;
                }
                '\'' => {
                    self.at += 1;
                    return;
                }
                character => {
                    self.push(character);
                    self.at += 1;
                }
            }
        }
    }

    fn double_quoted(&mut self) {
        self.word.get_or_insert_default();
        while self.at < self.characters.len() {
            let character = self.peek(0);
            self.at += 1;
            match character {
                '"' => return,
                '\\' if matches!(self.peek(0), '"' | '\\' | '$' | '`') => {
                    self.push(self.peek(0));
                    self.at += 1;
                }
                '$' => self.dollar(),
                '`' => self.backtick(),
                '!' => {
                    self.push(character);
                    self.tokens.is_ambiguous = true;
                }
                _ => self.push(character),
            }
        }
        self.tokens.is_ambiguous = true;
    }

    fn escaped(&mut self) {
        match self.peek(0) {
            '\n' => {}
            '\0' => self.tokens.is_ambiguous = true,
            character => self.push(character),
        }
        self.at += 1;
    }

    fn dollar(&mut self) {
        match self.peek(0) {
            '(' => {
                self.at += 1;
                self.dynamic();
                let inner = self.until_closed('(', ')');
                self.tokens.substitutions.push(inner);
            }
            '{' => {
                self.at += 1;
                self.dynamic();
                let inner = self.until_closed('{', '}');
                self.tokens.substitutions.push(inner);
            }
            '\'' | '"' => {
                // `$'\x72m'` spells a word in another way.
                self.tokens.is_ambiguous = true;
                self.dynamic();
            }
            character if character.is_ascii_alphanumeric() || "_@*#?-$!".contains(character) => {
                self.dynamic();
                self.push('$');
            }
            _ => self.push('$'),
        }
    }

    fn backtick(&mut self) {
        self.dynamic();
        let mut inner = String::new();
        while self.at < self.characters.len() && self.peek(0) != '`' {
            inner.push(self.peek(0));
            self.at += 1;
        }
        self.tokens.is_ambiguous |= self.at >= self.characters.len();
        self.at += 1;
        self.tokens.substitutions.push(inner);
    }

    /// The text up to the matching bracket; quotes inside make it ambiguous, which it is anyway.
    fn until_closed(&mut self, open: char, close: char) -> String {
        let mut inner = String::new();
        let mut depth = 1;
        while self.at < self.characters.len() {
            let character = self.peek(0);
            self.at += 1;
            depth = if character == open {
                depth + 1
            } else if character == close {
                depth - 1
            } else {
                depth
            };
            if depth == 0 {
                return inner;
            }
            inner.push(character);
        }
        self.tokens.is_ambiguous = true;
        inner
    }

    /// Input from a file is harmless; a here-document or a substituted process is not read here.
    fn reads_from(&mut self) {
        self.end_word();
        if matches!(self.peek(0), '<' | '(' | '>' | '&') {
            self.tokens.is_ambiguous = true;
        }
    }

    /// Output to a file overwrites it, except for the place where nothing arrives and other streams.
    fn writes_to(&mut self) {
        // The number in front names a stream.
        if self.word.as_ref().is_some_and(|word| word.text.chars().all(|character| character.is_ascii_digit())) {
            self.word = None;
        }
        self.end_word();
        while matches!(self.peek(0), '>' | '|' | ' ' | '\t') {
            self.at += 1;
        }
        let rest: String = self.characters.iter().skip(self.at).take(12).collect();
        let ends = |after: &str| after.is_empty() || after.starts_with([' ', '\n', ';', '|', '&', ')', '\t', '<', '>']);
        let stream =
            rest.strip_prefix('&').and_then(|stream| stream.strip_prefix(['0', '1', '2', '-'])).is_some_and(ends);
        let nowhere = rest.strip_prefix("/dev/null").is_some_and(ends);
        if stream {
            self.at += 2;
        } else if nowhere {
            self.at += "/dev/null".len();
        } else {
            self.tokens.list.push(Token::Writes);
            // `/dev/tcp/host/port` is no file.
            self.tokens.is_ambiguous |= rest.starts_with("/dev/") || rest.starts_with(['(', '$', '`']);
        }
    }

    fn comment(&mut self) {
        while self.at < self.characters.len() && self.peek(0) != '\n' {
            self.at += 1;
        }
    }
}
