//! JSON, byte by byte what `serde_json` writes, at a fraction of its cost.
//!
//! A decision is written three times: as a record, as an answer, as a line of the list. `serde_json` looks at every byte
//! of every text on its own; here a text that needs no escaping, which is nearly every one, is looked at in wide steps
//! and copied. Whatever is rare (a text to escape, a number with a fraction) is left to `serde_json` itself.
//! INVARIANT: the same bytes as `serde_json::to_vec`; a test compares them, and so does every test that reads a ledger.

use serde::Serialize;
use serde::ser::{
    Error as _, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant, Serializer,
};
use serde_json::Error;
use std::fmt::{Display, Write as _};

/// By this name `serde_json` hands on a text that is JSON already.
const RAW: &str = "$serde_json::private::RawValue";

/// Writes `value`; `room` is how long it usually becomes, so that it is not moved while it grows.
pub fn json(value: &impl Serialize, room: usize) -> Result<Vec<u8>, Error> {
    let mut writer = Writer { out: Vec::with_capacity(room), is_raw: false };
    value.serialize(&mut writer)?;
    Ok(writer.out)
}

struct Writer {
    out: Vec<u8>,
    /// The next text is JSON.
    is_raw: bool,
}

/// Whether `serde_json` would write the text as it is.
fn is_plain(text: &[u8]) -> bool {
    let needs_care = |byte: &u8| (*byte < 0x20) | (*byte == b'"') | (*byte == b'\\');
    // No early end within a step, so that one is a handful of instructions.
    let (steps, rest) = text.as_chunks::<32>();
    let any = |bytes: &[u8]| bytes.iter().fold(false, |found, byte| found | needs_care(byte));
    !steps.iter().any(|step| any(step)) && !any(rest)
}

impl Writer {
    fn text(&mut self, text: &str) -> Result<(), Error> {
        if self.is_raw {
            self.out.extend_from_slice(text.as_bytes());
        } else if is_plain(text.as_bytes()) {
            self.plain(text);
        } else {
            serde_json::to_writer(&mut self.out, text)?;
        }
        Ok(())
    }

    fn plain(&mut self, text: &str) {
        self.out.push(b'"');
        self.out.extend_from_slice(text.as_bytes());
        self.out.push(b'"');
    }

    fn whole(&mut self, number: impl itoa::Integer) {
        self.out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
    }

    /// Starts what has members; `variant` is around it, if it has one.
    fn open(&mut self, variant: Option<&str>, open: u8, close: &'static [u8]) -> Members<'_> {
        if let Some(variant) = variant {
            self.out.push(b'{');
            self.plain(variant);
            self.out.push(b':');
        }
        self.out.push(open);
        Members { writer: self, is_first: true, close }
    }
}

/// What has members, in the making.
struct Members<'w> {
    writer: &'w mut Writer,
    is_first: bool,
    close: &'static [u8],
}

impl Members<'_> {
    fn next(&mut self) {
        if !std::mem::take(&mut self.is_first) {
            self.writer.out.push(b',');
        }
    }

    fn item<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.next();
        value.serialize(&mut *self.writer)
    }

    /// Names of members are ours, and plain.
    fn member<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), Error> {
        if self.writer.is_raw {
            return value.serialize(&mut *self.writer);
        }
        self.next();
        self.writer.plain(name);
        self.writer.out.push(b':');
        value.serialize(&mut *self.writer)
    }

    fn close(self) -> Result<(), Error> {
        self.writer.is_raw = false;
        self.writer.out.extend_from_slice(self.close);
        Ok(())
    }
}

macro_rules! whole {
    ($($name:ident: $number:ty),*) => {$(
        fn $name(self, number: $number) -> Result<(), Error> {
            self.whole(number);
            Ok(())
        }
    )*};
}

/// A variant with members: an object of one member, named after it.
macro_rules! variant {
    ($method:ident $kind:ident, $begin:literal, $end:literal) => {
        fn $method(
            self,
            _: &'static str,
            _: u32,
            variant: &'static str,
            _: usize,
        ) -> Result<<Self as Serializer>::$kind, Error> {
            Ok(self.open(Some(variant), $begin, $end))
        }
    };
}

impl<'w> Serializer for &'w mut Writer {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Members<'w>;
    type SerializeTuple = Members<'w>;
    type SerializeTupleStruct = Members<'w>;
    type SerializeTupleVariant = Members<'w>;
    type SerializeMap = Members<'w>;
    type SerializeStruct = Members<'w>;
    type SerializeStructVariant = Members<'w>;

    whole!(serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64, serialize_i128: i128);
    whole!(serialize_u8: u8, serialize_u16: u16, serialize_u32: u32, serialize_u64: u64, serialize_u128: u128);

    fn serialize_bool(self, value: bool) -> Result<(), Error> {
        self.out.extend_from_slice(if value { b"true" } else { b"false" });
        Ok(())
    }

    fn serialize_f32(self, value: f32) -> Result<(), Error> {
        serde_json::to_writer(&mut self.out, &value)
    }

    fn serialize_f64(self, value: f64) -> Result<(), Error> {
        serde_json::to_writer(&mut self.out, &value)
    }

    fn serialize_char(self, value: char) -> Result<(), Error> {
        self.text(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, value: &str) -> Result<(), Error> {
        self.text(value)
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_none(self) -> Result<(), Error> {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), Error> {
        self.out.extend_from_slice(b"null");
        Ok(())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Error> {
        self.serialize_unit()
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<(), Error> {
        self.text(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        let mut members = self.open(None, b'{', b"}");
        members.member(variant, value)?;
        members.close()
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Members<'w>, Error> {
        Ok(self.open(None, b'[', b"]"))
    }

    fn serialize_tuple(self, _: usize) -> Result<Members<'w>, Error> {
        Ok(self.open(None, b'[', b"]"))
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Members<'w>, Error> {
        Ok(self.open(None, b'[', b"]"))
    }

    variant!(serialize_tuple_variant SerializeTupleVariant, b'[', b"]}");

    fn serialize_map(self, _: Option<usize>) -> Result<Members<'w>, Error> {
        Ok(self.open(None, b'{', b"}"))
    }

    fn serialize_struct(self, name: &'static str, _: usize) -> Result<Members<'w>, Error> {
        if name == RAW {
            self.is_raw = true;
            return Ok(Members { writer: self, is_first: true, close: b"" });
        }
        Ok(self.open(None, b'{', b"}"))
    }

    variant!(serialize_struct_variant SerializeStructVariant, b'{', b"}}");

    fn collect_str<T: Display + ?Sized>(self, value: &T) -> Result<(), Error> {
        let mut text = String::with_capacity(64);
        write!(text, "{value}").map_err(|_| Error::custom("a value has no text"))?;
        self.text(&text)
    }
}

/// Items of an array.
macro_rules! items {
    ($($name:ident $method:ident),*) => {$(
        impl $name for Members<'_> {
            type Ok = ();
            type Error = Error;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
                self.item(value)
            }

            fn end(self) -> Result<(), Error> {
                self.close()
            }
        }
    )*};
}

items!(
    SerializeSeq serialize_element,
    SerializeTuple serialize_element,
    SerializeTupleStruct serialize_field,
    SerializeTupleVariant serialize_field
);

/// Members of an object whose names are known.
macro_rules! members {
    ($($name:ident),*) => {$(
        impl $name for Members<'_> {
            type Ok = ();
            type Error = Error;

            fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), Error> {
                self.member(name, value)
            }

            fn end(self) -> Result<(), Error> {
                self.close()
            }
        }
    )*};
}

members!(SerializeStruct, SerializeStructVariant);

impl SerializeMap for Members<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, name: &T) -> Result<(), Error> {
        self.next();
        let begin = self.writer.out.len();
        name.serialize(&mut *self.writer)?;
        match self.writer.out.get(begin) {
            Some(b'"') => Ok(()),
            _ => Err(Error::custom("the name of a member is no text")),
        }
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.writer.out.push(b':');
        value.serialize(&mut *self.writer)
    }

    fn end(self) -> Result<(), Error> {
        self.close()
    }
}

#[cfg(test)]
mod tests;
