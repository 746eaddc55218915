//! Whom a message reaches: every address in the call, however it is written down.
//!
//! An address counts as ours only if it is plainly an address at one of our domains. Groups, lists,
//! templates, raw messages, header lines inside other text and anything that two mail programs could
//! read differently make the reading `UNKNOWN`. Refuses to look anything up. INVARIANT: adding text to
//! a call never makes its reading more internal or smaller.

mod address;

use super::Reading;
use super::arguments::{self, MAX_TEXT, count, has_word, object, texts, truth, unknown};
use crate::call::Call;
use crate::settings::Settings;
use crate::value::{Object, Value};
use address::Address;
use std::collections::BTreeSet;

/// Members whose value names recipients.
const NAMES_RECIPIENTS: &[&str] = &[
    "to",
    "cc",
    "bcc",
    "recipient",
    "recipients",
    "email",
    "emails",
    "mail",
    "mails",
    "address",
    "addresses",
    "phone",
    "phones",
    "number",
    "numbers",
    "msisdn",
    "mobile",
    "cell",
    "whatsapp",
    "sms",
    "destination",
    "destinations",
    "invitee",
    "invitees",
    "attendee",
    "attendees",
    "contact",
    "contacts",
    "ccs",
    "bccs",
    "rcpts",
    "rcpt",
    "receiver",
    "receivers",
    "envelope",
    "personalizations",
    "copy",
    "forward",
    "notify",
];
/// Members that name the sending side, which is nobody reached.
const NAMES_SENDER: &[&str] = &["from", "sender", "reply", "return", "sent", "bounce", "unsubscribe"];
/// Members that stand for recipients the call does not name.
const NAMES_GROUP: &[&str] = &[
    "list",
    "lists",
    "segment",
    "segments",
    "audience",
    "audiences",
    "group",
    "groups",
    "campaign",
    "everyone",
    "all",
    "subscribers",
    "topic",
    "topics",
    "distribution",
    "query",
    "filter",
    "cohort",
    "team",
    "teams",
    "role",
    "roles",
    "department",
    "members",
    "users",
    "userids",
    "customers",
    "customerids",
    "leads",
    "prospects",
    "participants",
    "guests",
    "people",
    "broadcast",
    "csv",
    "sheet",
    "spreadsheet",
];
/// Header lines in which an address is nobody reached.
const HEADERS_QUIET: &[&str] = &[
    "from",
    "sender",
    "replyto",
    "returnpath",
    "messageid",
    "inreplyto",
    "references",
    "listunsubscribe",
    "listid",
    "errorsto",
];
/// Members with the text of the message, where line breaks and addresses are content.
const NAMES_BODY: &[&str] = &[
    "body",
    "text",
    "html",
    "content",
    "contents",
    "attachment",
    "attachments",
    "template",
    "reason",
    "note",
    "description",
    "metadata",
    "tags",
];
/// Members that hold a whole message with its own header lines.
const NAMES_RAW: &[&str] = &["raw", "mime", "eml", "rfc822"];
const MAX_RECIPIENTS: usize = 10_000;

#[derive(Default)]
struct Reached {
    internal: usize,
    external: usize,
    phones: usize,
    domains: BTreeSet<String>,
    /// Somebody is reached who could not be read.
    unreadable: bool,
    /// Text left to read before giving up.
    text_left: usize,
    /// The largest number the caller itself gave.
    claimed: Option<u64>,
}

pub(super) fn read(call: &Call, settings: &Settings) -> Reading {
    let mut reached = Reached { text_left: MAX_TEXT * 4, ..Reached::default() };
    reached.members(&call.context, settings);
    reached.reading()
}

impl Reached {
    fn reading(self) -> Reading {
        let named = self.internal + self.external;
        let claimed = self.claimed.and_then(|claimed| usize::try_from(claimed).ok()).unwrap_or(0);
        // Nobody named is not nobody reached.
        let complete = !self.unreadable && named > 0 && named <= MAX_RECIPIENTS;
        let number = |number: usize| if complete { count(number) } else { unknown() };
        // One external recipient is enough to say so, whatever else could not be read.
        let external = if self.external > 0 { count(self.external) } else { number(0) };
        Reading::Object(object([
            ("count", number(named.max(claimed))),
            ("domains", texts(self.domains.into_iter().take(64))),
            ("external", external),
            ("internal", count(self.internal)),
            ("known", truth(Some(complete))),
            ("phones", count(self.phones)),
        ]))
    }

    /// The members of the context, or of an object inside it.
    fn members(&mut self, members: &Object, settings: &Settings) {
        for (name, value) in members {
            self.member(name, value, settings);
        }
    }

    fn member(&mut self, name: &str, value: &Value, settings: &Settings) {
        let flat = arguments::flat(name);
        if matches!(&*flat, "recipientcount" | "repeat" | "repetitions" | "times" | "copies") {
            return self.claim(value);
        }
        if flat == "headers" || flat == "header" {
            return self.headers(value, settings);
        }
        if has_word(name, NAMES_RAW) {
            self.unreadable |= !matches!(value, Value::Null);
        } else if is_group(name, &flat) {
            // `replyAll: true` reaches whom the call does not name.
            self.unreadable |= !matches!(value, Value::Null | Value::Bool(false));
        } else if has_word(name, NAMES_SENDER) {
            self.single_lines(value);
        } else if has_word(name, NAMES_RECIPIENTS) || matches!(&*flat, "toaddresses" | "ccaddresses" | "bccaddresses") {
            self.recipients(value, settings);
        } else if flat == "message" && value.as_text().is_some() {
            self.unreadable |= value.as_text().is_some_and(opens_with_headers);
        } else if has_word(name, NAMES_BODY) {
            self.content(value, settings);
        } else {
            self.other(name, value, settings);
        }
    }

    /// How many the caller says there are: believed if it is more.
    fn claim(&mut self, value: &Value) {
        match value.as_number().and_then(crate::decimal::Decimal::to_i64).and_then(|number| u64::try_from(number).ok())
        {
            Some(number) => self.claimed = self.claimed.max(Some(number)),
            None => self.unreadable = true,
        }
    }

    /// A message may be one object: its parts are looked at, its text is not.
    fn content(&mut self, value: &Value, settings: &Settings) {
        match value {
            Value::Object(members) => self.members(members, settings),
            Value::List(items) => items.iter().for_each(|item| self.content(item, settings)),
            _ => {}
        }
    }

    /// A member with another name: subjects, options, wrapped messages.
    fn other(&mut self, name: &str, value: &Value, settings: &Settings) {
        if name.contains('@') {
            self.address_list(name, settings);
        }
        match value {
            Value::Text(text) if lists_addresses(text) => self.address_list(text, settings),
            Value::Text(_) => self.single_lines(value),
            Value::List(items) => items.iter().for_each(|item| self.other("", item, settings)),
            Value::Object(members) => self.members(members, settings),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// Text that becomes a header line must be one line: `hi\r\nBcc: x@evil.test` is a recipient.
    fn single_lines(&mut self, value: &Value) {
        match value {
            Value::Text(text) => {
                self.unreadable |= text.contains(['\r', '\n', '\0', '\u{b}', '\u{c}', '\u{85}', '\u{2028}', '\u{2029}'])
            }
            Value::List(items) => items.iter().for_each(|item| self.single_lines(item)),
            Value::Object(members) => members.values().for_each(|item| self.single_lines(item)),
            _ => {}
        }
    }

    fn headers(&mut self, value: &Value, settings: &Settings) {
        let Some(headers) = arguments::headers(value) else {
            self.unreadable = true;
            return;
        };
        // A name with anything else in it is a line of its own.
        self.unreadable |= value.as_object().is_some_and(|members| !members.keys().all(|name| is_header_name(name)));
        for (name, value) in headers {
            match &*name {
                "to" | "cc" | "bcc" | "resentto" | "resentcc" | "resentbcc" | "apparentlyto" | "xto" | "xcc"
                | "xbcc" | "xenvelopeto" | "deliveredto" | "xoriginalto" | "envelopeto" => {
                    self.recipients(value, settings)
                }
                _ => {
                    self.single_lines(value);
                    // Providers have header lines of their own for more recipients.
                    self.unreadable |= !HEADERS_QUIET.contains(&&*name) && mentions_address(value);
                }
            }
        }
    }

    fn recipients(&mut self, value: &Value, settings: &Settings) {
        match value {
            Value::Null => {}
            Value::Text(text) => self.address_list(text, settings),
            Value::Number(number) => self.address_list(&number.to_string(), settings),
            Value::List(items) => {
                // Somebody was meant to stand there.
                self.unreadable |= items.contains(&Value::Null);
                items.iter().for_each(|item| self.recipients(item, settings));
            }
            Value::Object(members) => self.recipient_object(members, settings),
            Value::Bool(_) => self.unreadable = true,
        }
    }

    /// `{"email": …, "name": …}`, `{"emailAddress": {"address": …}}`, `{"ana@acme.example": "Ana"}`.
    fn recipient_object(&mut self, members: &Object, settings: &Settings) {
        let before = self.internal + self.external;
        for (name, value) in members {
            let flat = arguments::flat(name);
            if name.contains('@') {
                self.address_list(name, settings);
            } else if matches!(
                &*flat,
                "name" | "displayname" | "type" | "label" | "firstname" | "lastname" | "title" | "kind"
            ) {
                self.single_lines(value);
            } else {
                self.member(name, value, settings);
            }
        }
        // Somebody is meant: an account, a group, an address in parts.
        self.unreadable |= self.internal + self.external == before;
    }

    fn address_list(&mut self, text: &str, settings: &Settings) {
        self.text_left = self.text_left.saturating_sub(text.len());
        if self.text_left == 0 {
            self.unreadable = true;
            return;
        }
        let Some(addresses) = address::parse_list(text) else {
            // What it names is unreadable; if it plainly shows a foreign domain, it is external too.
            self.unreadable = true;
            return;
        };
        for address in addresses {
            // `everyone@acme.example` is as many as the company has.
            self.unreadable |= matches!(address, Address::Mail { everybody: true, .. });
            match address {
                Address::Mail { domain, .. } if settings.is_internal_domain(&domain) => {
                    self.internal += 1;
                    self.domains.insert(domain);
                }
                Address::Mail { domain, .. } => {
                    self.external += 1;
                    self.domains.insert(domain);
                }
                Address::Phone => {
                    self.external += 1;
                    self.phones += 1;
                }
            }
        }
    }
}

/// Whether a member stands for recipients the call does not name, `replyAll` and the like included.
fn is_group(name: &str, flat: &str) -> bool {
    let names_address = has_word(name, NAMES_RECIPIENTS) && !has_word(name, &["all", "everyone"]);
    !names_address && (has_word(name, NAMES_GROUP) || NAMES_GROUP.contains(&flat))
}

/// Whether a text under any name is one address or several and nothing else.
fn lists_addresses(text: &str) -> bool {
    let mut words = text.split(|character: char| character.is_whitespace() || matches!(character, ',' | ';'));
    text.contains('@')
        && (words.all(|word| word.is_empty() || word.contains('@'))
            || address::parse_list(text).is_some_and(|addresses| !addresses.is_empty()))
}

fn mentions_address(value: &Value) -> bool {
    match value {
        Value::Text(text) => text.contains('@'),
        Value::List(items) => items.iter().any(mentions_address),
        Value::Object(members) => members.iter().any(|(name, value)| name.contains('@') || mentions_address(value)),
        _ => false,
    }
}

fn is_header_name(name: &str) -> bool {
    let name = name.trim_end_matches(' ');
    name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// Whether the first line of a text is `Name: value`, as in a raw message.
fn opens_with_headers(text: &str) -> bool {
    let first = text.trim_start().lines().next().unwrap_or_default();
    let named = first.split_once(':').is_some_and(|(name, _)| {
        matches!(
            &*arguments::flat(name),
            "to" | "cc"
                | "bcc"
                | "from"
                | "subject"
                | "mimeversion"
                | "contenttype"
                | "date"
                | "received"
                | "sender"
                | "replyto"
                | "returnpath"
                | "messageid"
                | "deliveredto"
                | "resentto"
                | "resentbcc"
                | "resentcc"
                | "xmailer"
                | "apparentlyto"
        ) || name.trim().to_ascii_lowercase().starts_with("x-")
    });
    named || text.contains(['\0', '\u{b}', '\u{c}', '\u{85}', '\u{2028}', '\u{2029}'])
}

#[cfg(test)]
mod tests;
