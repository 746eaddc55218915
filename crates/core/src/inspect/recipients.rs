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
        if flat == "recipientcount" {
            return self.claim(value);
        }
        if flat == "headers" || flat == "header" {
            return self.headers(value, settings);
        }
        if has_word(name, NAMES_RAW) {
            self.unreadable |= !matches!(value, Value::Null);
        } else if has_word(name, NAMES_SENDER) {
            self.single_lines(value);
        } else if has_word(name, NAMES_RECIPIENTS) || matches!(&*flat, "toaddresses" | "ccaddresses" | "bccaddresses") {
            self.recipients(value, settings);
        } else if has_word(name, NAMES_GROUP) {
            self.unreadable |= !matches!(value, Value::Null | Value::Bool(false));
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
            Value::Text(text) if text.contains('@') && !text.contains(char::is_whitespace) => {
                self.address_list(text, settings)
            }
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
        for (name, value) in headers {
            match &*name {
                "to" | "cc" | "bcc" | "resentto" | "resentcc" | "resentbcc" | "apparentlyto" | "xto" | "xcc"
                | "xbcc" | "xenvelopeto" | "deliveredto" | "xoriginalto" | "envelopeto" => {
                    self.recipients(value, settings)
                }
                _ => self.single_lines(value),
            }
        }
    }

    fn recipients(&mut self, value: &Value, settings: &Settings) {
        match value {
            Value::Null => {}
            Value::Text(text) => self.address_list(text, settings),
            Value::Number(number) => self.address_list(&number.to_string(), settings),
            Value::List(items) => items.iter().for_each(|item| self.recipients(item, settings)),
            Value::Object(members) => self.recipient_object(members, settings),
            Value::Bool(_) => self.unreadable = true,
        }
    }

    /// `{"email": …, "name": …}`, `{"emailAddress": {"address": …}}`, `{"ana@acme.example": "Ana"}`.
    fn recipient_object(&mut self, members: &Object, settings: &Settings) {
        let mut found = false;
        for (name, value) in members {
            let flat = arguments::flat(name);
            if name.contains('@') {
                self.address_list(name, settings);
                found = true;
            } else if matches!(
                &*flat,
                "name" | "displayname" | "type" | "label" | "firstname" | "lastname" | "title" | "kind"
            ) {
                self.single_lines(value);
            } else {
                found |= !matches!(value, Value::Null);
                self.member(name, value, settings);
            }
        }
        self.unreadable |= !found;
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
            match address {
                Address::Mail { domain } if settings.is_internal_domain(&domain) => {
                    self.internal += 1;
                    self.domains.insert(domain);
                }
                Address::Mail { domain } => {
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

#[cfg(test)]
mod tests;
