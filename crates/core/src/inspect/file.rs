//! Which files a call names, and whether one lies where it should not.
//!
//! A path is read as every system would: both slashes, percent signs decoded as often as they were
//! encoded, case and trailing dots ignored. Refuses to look at any file system. What cannot be decoded,
//! or stands for many names (`*`), is `UNKNOWN` in what it may hide.

use super::Reading;
use super::arguments::{MAX_TEXT, count, has_word, object, texts, truth, unknown};
use crate::call::Call;
use crate::text;
use crate::value::{Object, Value};

const NAMES_PATH: &[&str] = &[
    "path",
    "paths",
    "file",
    "files",
    "filename",
    "filenames",
    "filepath",
    "filepaths",
    "dir",
    "directory",
    "folder",
    "pathname",
    "uri",
    "src",
    "dest",
    "destination",
    "location",
    "output",
    "input",
    "attachment",
    "attachments",
    "key",
    "object",
    "target",
];
/// Names of things that hold secrets, as whole components in lower case.
const SECRET_NAMES: &[&str] = &[
    "shadow",
    "gshadow",
    "passwd",
    "sudoers",
    "sudoers.d",
    ".ssh",
    ".aws",
    ".azure",
    ".gcloud",
    ".kube",
    ".gnupg",
    ".docker",
    ".netrc",
    "_netrc",
    ".pgpass",
    ".my.cnf",
    ".npmrc",
    ".pypirc",
    ".git-credentials",
    ".htpasswd",
    ".vault-token",
    ".terraformrc",
    ".dockercfg",
    ".boto",
    ".s3cfg",
    "kubeconfig",
    "authorized_keys",
    "known_hosts",
    "environ",
    "credentials",
    "secrets",
    "keychains",
    "wallet.dat",
    "login data",
    "cookies",
    "sam",
    "ntds.dit",
    ".bash_history",
    ".zsh_history",
    ".python_history",
    "terraform.tfstate",
    "master.key",
    "gcloud",
    "web.config",
    "wp-config.php",
    "id_rsa",
    "id_dsa",
    "id_ecdsa",
    "id_ed25519",
    "serviceaccount",
    "fd",
    "mem",
    "cmdline",
];
const SECRET_PARTS: &[&str] = &[
    "secret",
    "credential",
    "password",
    "passwd",
    "private_key",
    "privatekey",
    "private-key",
    "apikey",
    "api_key",
    "token",
    "keystore",
    "id_rsa",
    "id_ed25519",
];
const SECRET_ENDINGS: &[&str] = &[
    ".pem",
    ".key",
    ".p12",
    ".pfx",
    ".jks",
    ".keystore",
    ".kdbx",
    ".ppk",
    ".asc",
    ".gpg",
    ".ovpn",
    ".tfstate",
    ".tfvars",
];
const MAX_PATHS: usize = 1_000;

#[derive(Default)]
struct Seen<'a> {
    paths: Vec<&'a str>,
    unreadable: bool,
    bytes: usize,
}

/// What one path may do.
struct Path {
    traversal: Option<bool>,
    absolute: Option<bool>,
    secret: Option<bool>,
    /// Stands for exactly one name.
    single: bool,
}

pub(super) fn read(call: &Call) -> Reading {
    let mut seen = Seen::default();
    seen.members(&call.context, 0);
    if seen.paths.is_empty() && !seen.unreadable {
        return Reading::NotApplicable;
    }
    if seen.paths.len() > MAX_PATHS || seen.bytes > MAX_TEXT {
        return Reading::Unknown;
    }
    let paths: Vec<Path> = seen.paths.iter().map(|path| Path::of(path)).collect();
    let any = |part: fn(&Path) -> Option<bool>| {
        if paths.iter().any(|path| part(path) == Some(true)) {
            return truth(Some(true));
        }
        truth((!seen.unreadable && paths.iter().all(|path| part(path).is_some())).then_some(false))
    };
    let countable = !seen.unreadable && paths.iter().all(|path| path.single);
    Reading::Object(object([
        ("paths", texts(seen.paths.iter().take(64).map(|path| (*path).to_owned()))),
        ("traversal", any(|path| path.traversal)),
        ("absolute", any(|path| path.absolute)),
        ("secret", any(|path| path.secret)),
        ("count", if countable { count(paths.len()) } else { unknown() }),
    ]))
}

impl<'a> Seen<'a> {
    fn members(&mut self, members: &'a Object, depth: usize) {
        for (name, value) in members {
            if has_word(name, NAMES_PATH) {
                self.value(value, depth);
            } else if let (Value::Object(inner), true) = (value, depth < 4) {
                self.members(inner, depth + 1);
            }
        }
    }

    fn value(&mut self, value: &'a Value, depth: usize) {
        match value {
            Value::Null => {}
            Value::Text(text) => {
                self.bytes += text.len();
                self.paths.push(text);
            }
            Value::List(items) if depth < 4 => items.iter().for_each(|item| self.value(item, depth + 1)),
            Value::Object(inner) if depth < 4 => {
                let before = self.paths.len();
                self.members(inner, depth + 1);
                self.unreadable |= self.paths.len() == before;
            }
            _ => self.unreadable = true,
        }
    }
}

impl Path {
    fn of(written: &str) -> Self {
        let Some(path) = decoded(written) else {
            return Self { traversal: None, absolute: None, secret: None, single: false };
        };
        let components: Vec<&str> = path.split(['/', '\\']).map(component).collect();
        let written: Vec<&str> = path.split(['/', '\\']).map(str::trim).collect();
        let dots = |part: &&str| {
            part.len() > 1
                && part.starts_with("..")
                && part.chars().all(|character| matches!(character, '.' | ' ' | ';'))
        };
        let many = path.contains(['*', '?', '[', '{']);
        // Variables and home folders are filled in by whoever opens the path.
        let expands = path.contains(['$', '`', '%']);
        let drive =
            path.chars().nth(1) == Some(':') && path.chars().next().is_some_and(|first| first.is_ascii_alphabetic());
        let absolute = path.starts_with(['/', '\\', '~'])
            || drive
            || path.trim_start().starts_with(['/', '\\', '~'])
            || path.contains("://")
            || path.starts_with("file:");
        let secret = components.iter().any(|name| is_secret(name));
        let open = |found: bool, hidden: bool| if found { Some(true) } else { (!hidden).then_some(false) };
        Self {
            traversal: open(written.iter().any(dots), expands),
            absolute: open(absolute, expands),
            secret: open(secret, many || expands),
            single: !many && !expands && !path.ends_with(['/', '\\']) && !path.is_empty(),
        }
    }
}

/// Windows ignores trailing dots and spaces, and what follows a colon names a stream of the same file.
fn component(part: &str) -> &str {
    let part = part.split(':').next().unwrap_or(part);
    part.trim().trim_end_matches(['.', ' '])
}

fn is_secret(name: &str) -> bool {
    SECRET_NAMES.contains(&name)
        || name.starts_with(".env")
        || name.ends_with(".env")
        || SECRET_PARTS.iter().any(|part| name.contains(part))
        || SECRET_ENDINGS.iter().any(|ending| name.ends_with(ending))
}

/// The folded path without percent signs that encode; `None` if it cannot be shown or decoded.
fn decoded(written: &str) -> Option<String> {
    let mut path = text::fold(written);
    for _ in 0..4 {
        if path.chars().any(|character| text::invisible(character) && character != ' ') {
            return None;
        }
        match decode_once(&path)? {
            Some(next) => path = text::fold(&next),
            // Letters that only look like dots and slashes.
            None => {
                return (!path.contains([
                    '\u{2215}', '\u{2044}', '\u{29f8}', '\u{29f5}', '\u{2216}', '\u{ff0f}', '\u{ff3c}', '\u{ff0e}',
                    '\u{2024}',
                ]))
                .then_some(path);
            }
        }
    }
    None
}

/// `Some(None)` if nothing is encoded, `None` if the bytes are no text (over-long forms).
fn decode_once(path: &str) -> Option<Option<String>> {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    let mut changed = false;
    while let Some((byte, tail)) = rest.split_first() {
        if let (b'%', Some(high), Some(low)) = (*byte, hex(tail.first()), hex(tail.get(1))) {
            bytes.push(high << 4 | low);
            rest = tail.get(2..).unwrap_or_default();
            changed = true;
        } else if *byte == b'%' && tail.first().is_some_and(|next| next.eq_ignore_ascii_case(&b'u')) {
            return None;
        } else {
            bytes.push(*byte);
            rest = tail;
        }
    }
    if !changed {
        return Some(None);
    }
    String::from_utf8(bytes).ok().map(Some)
}

fn hex(byte: Option<&u8>) -> Option<u8> {
    let digit = char::from(*byte?).to_digit(16)?;
    u8::try_from(digit).ok()
}

#[cfg(test)]
mod tests;
