//! Which files a call names, and whether one lies where it should not.
//!
//! A path is read as every system would: both slashes, percent signs decoded as often as they were
//! encoded, case and trailing dots ignored. Refuses to look at any file system. What cannot be decoded,
//! or stands for many names (`*`), is `UNKNOWN` in what it may hide.

use super::Reading;
use super::arguments::{MAX_DEPTH, MAX_TEXT, count, has_word, object, texts, truth, unknown};
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
    "dst",
    "filepathname",
];
/// Those of them that name other things as well, so that a number or an object there is no path.
const NAMES_VAGUE: &[&str] = &["key", "object", "target", "input", "output", "location", "src", "destination"];
/// Members whose text is content or prose, in which slashes mean nothing.
const NAMES_PROSE: &[&str] = &[
    "content",
    "contents",
    "body",
    "text",
    "message",
    "description",
    "reason",
    "note",
    "comment",
    "query",
    "sql",
    "command",
    "prompt",
    "title",
    "subject",
    "metadata",
    "tags",
    "html",
    "diff",
    "patch",
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
    "kubeconfig.yaml",
    "kubeconfig.yml",
    "kubeconfig.json",
    ".rhosts",
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
    "kcore",
    "kmem",
    "key4.db",
    "cert9.db",
    "logins.json",
    "unattend.xml",
    "docker.sock",
    "containerd.sock",
    "hosts.yml",
    ".cargo",
    ".terraform.d",
    ".m2",
    ".gradle",
    ".secrets",
    "vault.yml",
    "vault.yaml",
];
/// Devices of Windows, whatever folder and extension they are written with.
const DEVICES: &[&str] = &["con", "prn", "aux", "nul", "conin$", "conout$", "clock$"];
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
    "authorized_keys",
    "service-account",
    "service_account",
    "serviceaccount",
    "keychain",
    "adminsdk",
    "recovery-code",
    "recovery_code",
    "seed-phrase",
    "seed_phrase",
    "mnemonic",
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
    ".p8",
    ".pkcs12",
    ".jceks",
    ".bks",
    ".env",
];
/// What editors and people put behind a name when they keep another copy.
const COPIES: &[&str] = &["-", "~", ".bak", ".backup", ".old", ".orig", ".save", ".swp", ".copy", ".tmp", ".1"];
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
                self.value(value, depth, !has_word(name, NAMES_VAGUE));
            } else if !has_word(name, NAMES_PROSE) {
                self.other(name, value, depth);
            }
        }
    }

    /// Under a name that means nothing here, what plainly is a path that matters.
    fn other(&mut self, name: &'a str, value: &'a Value, depth: usize) {
        match value {
            Value::Text(text) if is_path_that_matters(text) => self.path(text),
            // `{"files": {"../x": …}}` and `{"../x": …}`.
            _ if is_path_that_matters(name) => self.path(name),
            Value::Object(inner) if depth < MAX_DEPTH => self.members(inner, depth + 1),
            Value::List(items) if depth < MAX_DEPTH => {
                items.iter().for_each(|item| self.other("", item, depth + 1));
            }
            Value::Object(_) | Value::List(_) => self.unreadable = true,
            _ => {}
        }
    }

    fn path(&mut self, text: &'a str) {
        self.bytes += text.len();
        self.paths.push(text);
    }

    /// `sure`: the name means a path and nothing else.
    fn value(&mut self, value: &'a Value, depth: usize, sure: bool) {
        match value {
            Value::Null => {}
            Value::Text(text) => self.path(text),
            Value::List(items) if depth < MAX_DEPTH => items.iter().for_each(|item| self.value(item, depth + 1, sure)),
            Value::Object(inner) if depth < MAX_DEPTH => {
                let before = self.paths.len();
                self.members(inner, depth + 1);
                self.unreadable |= sure && self.paths.len() == before;
            }
            Value::Object(_) | Value::List(_) => self.unreadable = true,
            _ => self.unreadable |= sure,
        }
    }
}

/// Whether a word of a command names a file that holds secrets, as far as one can tell.
pub(super) fn holds_secret(word: &str) -> bool {
    !word.starts_with('-') && is_path_that_matters(word) && Path::of(word).secret == Some(true)
}

/// Whether a text under any name is a path that climbs, starts elsewhere or holds a secret. A text with
/// spaces or line breaks is prose; one without any separator is a word, unless it is a well-known file.
fn is_path_that_matters(text: &str) -> bool {
    if text.is_empty() || text.len() > 4_096 || text.contains([' ', '\n', '\r', '\t']) {
        return false;
    }
    let folded = text::fold(text);
    let separated = folded.contains(['/', '\\', '%']) || folded.contains("..");
    let well_known = SECRET_NAMES.contains(&folded.as_str()) && folded.contains(['.', '_'])
        || SECRET_ENDINGS.iter().any(|ending| folded.ends_with(ending));
    // A web address belongs to another inspector.
    let web = folded.starts_with("https://") || folded.starts_with("http://");
    if web || !(separated || well_known) {
        return false;
    }
    let path = Path::of(text);
    [path.traversal, path.absolute, path.secret].iter().any(|part| *part != Some(false))
}

impl Path {
    fn of(written: &str) -> Self {
        let Some(path) = decoded(written) else {
            return Self { traversal: None, absolute: None, secret: None, single: false };
        };
        let components: Vec<&str> = path.split(['/', '\\']).map(component).collect();
        let written: Vec<&str> = path.split(['/', '\\']).map(str::trim).collect();
        // A drive or stream in front, a parameter behind: `C:..`, `..;a`.
        let dots = |part: &&str| {
            part.split([';', ':']).map(str::trim).any(|part| {
                part.len() > 1 && part.starts_with("..") && part.chars().all(|character| matches!(character, '.' | ' '))
            })
        };
        let many = path.contains(['*', '?', '[', '{']);
        // Variables and home folders are filled in by whoever opens the path.
        let expands = path.contains(['$', '`', '%', '!']);
        // Escapes of other languages (`\\x2e`, `&#46;`) say something else once they are decoded.
        // Some programs run what stands behind a `|`, or take it for an option.
        let opens = path.trim_start().starts_with(['|', '>', '<', '-']);
        let encoded = path.contains(['&', '\u{a5}']) && path.contains(['#', '\u{a5}']) || opens || has_escape(&path);
        let absolute = is_absolute(&path) || components.iter().any(|name| is_device(name));
        // What `/proc` shows of a process: its memory, variables, open files and the whole disk behind it.
        let process = components.windows(2).any(|pair| match pair {
            // The address of a remote often has a password in it.
            [".git", "config"] => true,
            ["proc", id] => *id == "self" || (!id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit())),
            _ => false,
        });
        let secret = process || components.iter().any(|name| is_secret(name));
        let open = |found: bool, hidden: bool| if found { Some(true) } else { (!hidden).then_some(false) };
        Self {
            traversal: open(written.iter().any(dots), expands || encoded),
            absolute: open(absolute, expands || encoded),
            secret: open(secret, many || expands || encoded),
            single: !many && !expands && !path.ends_with(['/', '\\']) && !path.is_empty(),
        }
    }
}

/// `\x2e` or `\u002e`: a dot once another language has read it.
fn has_escape(path: &str) -> bool {
    let hexadecimal = |text: Option<&str>| text.is_some_and(|text| text.bytes().all(|byte| byte.is_ascii_hexdigit()));
    path.match_indices("\\x").any(|(at, _)| hexadecimal(path.get(at + 2..at + 4)))
        || path.match_indices("\\u").any(|(at, _)| hexadecimal(path.get(at + 2..at + 6)))
}

/// From the root, a home folder, a drive, another machine, or through a wrapper (`php://`, `data:`).
fn is_absolute(path: &str) -> bool {
    let path = path.trim_start();
    let front = path.split(['/', '\\']).next().unwrap_or_default();
    let drive = path.chars().nth(1).is_some_and(|second| matches!(second, ':' | '|'))
        && path.chars().next().is_some_and(|first| first.is_ascii_alphabetic());
    let scheme = front.split_once(':').is_some_and(|(scheme, _)| {
        scheme.len() > 1
            && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'.' | b'-'))
            && !scheme.contains('.')
    });
    path.starts_with(['/', '\\', '~']) || drive || scheme || path.contains("://")
}

/// `CON`, `nul.txt`, `COM1`: files that are none, in every folder.
fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().trim();
    let port = stem.strip_prefix("com").or_else(|| stem.strip_prefix("lpt"));
    DEVICES.contains(&stem)
        || port.is_some_and(|number| number.chars().count() == 1 && number.chars().all(char::is_numeric))
}

/// Windows ignores trailing dots and spaces, and what follows a colon names a stream of the same file;
/// what follows a semicolon or question mark is cut off by servers.
fn component(part: &str) -> &str {
    let part = part.split([':', ';', '?']).next().unwrap_or(part);
    part.trim().trim_end_matches(['.', ' '])
}

fn is_secret(name: &str) -> bool {
    if let Some(copied) = COPIES.iter().find_map(|ending| name.strip_suffix(ending)).filter(|front| !front.is_empty())
        && is_secret(copied)
    {
        return true;
    }
    SECRET_NAMES.contains(&name)
        || name.starts_with(".env")
        || (name.starts_with('.') && name.ends_with("_history"))
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
                    '\u{2024}', '\u{2571}', '\u{2572}',
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
