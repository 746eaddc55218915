//! One header value of addresses, read so that no mail program reads it as anybody else.
//!
//! Accepts plain addresses, `Name <address>`, `"Quoted, name" <address>`, lists of these with commas or
//! semicolons, and telephone numbers. Refuses comments, source routes, groups, quoted local parts,
//! percent and bang routing, several `@`, line breaks: legal or not, programs differ about them.

pub(super) enum Address {
    /// The domain in lower case without its final dot.
    Mail {
        domain: String,
        /// The name in front says that everybody reads it.
        everybody: bool,
    },
    Phone,
}

/// The addresses of a list, or `None` if any part of it cannot be read beyond doubt.
pub(super) fn parse_list(text: &str) -> Option<Vec<Address>> {
    if text.chars().any(|character| character.is_control() && character != '\t') {
        return None;
    }
    let mut addresses = Vec::new();
    for part in split(text)? {
        let part = part.trim();
        if !part.is_empty() {
            addresses.push(parse(part)?);
        }
    }
    Some(addresses)
}

/// Splits at commas and semicolons that stand neither in quotes nor in angle brackets.
fn split(text: &str) -> Option<Vec<&str>> {
    let (mut parts, mut start) = (Vec::new(), 0);
    let (mut quoted, mut angled, mut escaped) = (false, false, false);
    for (at, character) in text.char_indices() {
        if escaped {
            escaped = false;
            continue;
        }
        match character {
            '\\' if quoted => escaped = true,
            '"' if !angled => quoted = !quoted,
            _ if quoted => {}
            '<' if angled => return None,
            '<' => angled = true,
            '>' if !angled => return None,
            '>' => angled = false,
            ',' | ';' if angled => return None,
            ',' | ';' => {
                parts.push(text.get(start..at)?);
                start = at + 1;
            }
            _ => {}
        }
    }
    if quoted || angled || escaped {
        return None;
    }
    parts.push(text.get(start..)?);
    Some(parts)
}

fn parse(part: &str) -> Option<Address> {
    if let Some(inner) = part.strip_suffix('>') {
        let (name, address) = inner.rsplit_once('<')?;
        // A name that could itself be taken for the address, a comment or a group.
        let unquoted = outside_quotes(name)?;
        if unquoted.contains(['@', '(', ')', ':', '<', '>', '\\', '[', ']']) {
            return None;
        }
        return mail(address.trim());
    }
    if is_phone(part) { Some(Address::Phone) } else { mail(part) }
}

/// The text without its quoted strings.
fn outside_quotes(text: &str) -> Option<String> {
    let mut outside = String::new();
    let (mut quoted, mut escaped) = (false, false);
    for character in text.chars() {
        match character {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ if quoted => {}
            other => outside.push(other),
        }
    }
    (!quoted).then_some(outside)
}

fn mail(address: &str) -> Option<Address> {
    let (local, domain) = address.split_once('@')?;
    let atom = |character: char| character.is_alphanumeric() || "!#$&'*+/=?^_`{|}~.-".contains(character);
    // `!` and `%` route to another host through this one, `*` stands for many; in front, `|` is a program,
    // `/` a file and `-` an option to some mailers.
    let odd = local.contains(['!', '%', '*']) || local.starts_with(['|', '/', '-']);
    if local.is_empty() || local.len() > 64 || odd || !local.chars().all(atom) {
        return None;
    }
    let domain = domain.strip_suffix('.').unwrap_or(domain);
    let labels = domain.split('.').all(|label| !label.is_empty() && label.len() <= 63);
    let plain = |character: char| character.is_alphanumeric() || matches!(character, '-' | '.' | '_');
    if domain.len() > 253 || !labels || !domain.chars().all(plain) {
        return None;
    }
    // Our domains are ASCII, so a domain in other letters is somebody else's whatever it looks like.
    Some(Address::Mail { domain: domain.to_ascii_lowercase(), everybody: reaches_everybody(local) })
}

/// Whether the name of a mailbox is that of everybody: `everyone`, `all-staff`, `sales.all`.
fn reaches_everybody(local: &str) -> bool {
    let lower = local.to_ascii_lowercase();
    let mut words = lower.split(|character: char| !character.is_alphanumeric()).filter(|word| !word.is_empty());
    let (first, last) = (words.clone().next(), words.next_back());
    let all = |word: Option<&str>| {
        matches!(
            word,
            Some(
                "all"
                    | "everyone"
                    | "everybody"
                    | "allstaff"
                    | "allhands"
                    | "allemployees"
                    | "staff"
                    | "employees"
                    | "company"
                    | "companywide"
            )
        )
    };
    all(first) || all(last)
}

/// Digits with the usual decoration; nothing else, so that no word counts as a number.
fn is_phone(text: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let plain = text
        .bytes()
        .all(|byte| byte.is_ascii_digit() || matches!(byte, b'+' | b' ' | b'-' | b'(' | b')' | b'.' | b'/'));
    let text = text.strip_prefix("whatsapp:").or_else(|| text.strip_prefix("tel:"));
    (plain && (3..=20).contains(&digits)) || text.is_some_and(is_phone)
}
