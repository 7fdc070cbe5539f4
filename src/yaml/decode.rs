//! From a tree of located values to typed ones, with every error and not only the first.

use std::collections::HashSet;

use serde::de::value::StrDeserializer;
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, Error as _, IntoDeserializer,
    MapAccess, SeqAccess, Unexpected, VariantAccess, Visitor,
};
use serde::forward_to_deserialize_any;

use super::fault::Fault;
use super::{Key, Node, PathPart, Place, Value};
use crate::diagnostic::Diagnostic;

/// How many problems are looked for in one tree. Somebody with more has another problem.
pub(super) const MAX_PROBLEMS: usize = 100;

/// Reads a `T` from `node`.
///
/// serde stops at the first error. To find them all, the entry that an error is about is left out,
/// and the rest is read again. What comes back beside the errors is a `T` without the entries that
/// were wrong, where there can be one (so that its other values can be checked too): it is whole
/// only where there are no errors.
pub fn decode<T: DeserializeOwned>(node: &Node) -> (Option<T>, Vec<Diagnostic>) {
    let mut left_out = LeftOut::default();
    let mut problems = Vec::new();
    loop {
        let reader = Reader {
            node,
            place: &node.place,
            left_out: &left_out,
        };
        let fault = match T::deserialize(reader) {
            Ok(value) => return (Some(value), problems),
            Err(fault) => fault.at(&node.place),
        };
        let path = fault.path();
        // A field that is missing because it was wrong has been reported already.
        let known = fault.missing_field().is_some_and(|field| {
            let entry = node.at(&path).and_then(|parent| parent.get(field));
            entry.is_some_and(|entry| left_out.contains(entry))
        });
        if !known {
            problems.push(fault.into_diagnostic());
        }
        // Where leaving out the entry did not help (it is all that an enum's variant has, say),
        // what is around it goes.
        let progress = (1..=path.len())
            .rev()
            .filter_map(|length| node.at(&path[..length]))
            .any(|wrong| left_out.insert(wrong));
        if !progress || problems.len() >= MAX_PROBLEMS {
            return (None, problems);
        }
    }
}

/// The nodes that are passed over, by their address: the tree stays borrowed, and so in its place,
/// while it is read.
#[derive(Default)]
struct LeftOut(HashSet<usize>);

impl LeftOut {
    fn insert(&mut self, node: &Node) -> bool {
        self.0.insert(std::ptr::from_ref(node).addr())
    }

    fn contains(&self, node: &Node) -> bool {
        self.0.contains(&std::ptr::from_ref(node).addr())
    }
}

#[derive(Clone, Copy)]
struct Reader<'a> {
    node: &'a Node,
    /// Where to point for a problem with the node itself.
    place: &'a Place,
    left_out: &'a LeftOut,
}

impl<'a> Reader<'a> {
    fn below(self, node: &'a Node) -> Self {
        let place = &node.place;
        Self {
            node,
            place,
            ..self
        }
    }

    /// The value of an entry. A whole block underlined helps nobody: its key stands for it.
    fn entry(self, key: &'a Key, node: &'a Node) -> Self {
        let place = match node.value {
            Value::Mapping(_) | Value::Sequence(_) | Value::Null => &key.place,
            _ => &node.place,
        };
        Self {
            node,
            place,
            ..self
        }
    }

    fn any<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match &self.node.value {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::Number(raw) => number(raw, visitor),
            Value::String(text) => visitor.visit_str(text),
            Value::Sequence(items) => visitor.visit_seq(Items {
                reader: self,
                items: items.iter().enumerate(),
            }),
            Value::Mapping(entries) => visitor.visit_map(Entries {
                reader: self,
                entries: entries.iter(),
                current: None,
            }),
        }
        .map_err(|fault| fault.at(self.place))
    }

    /// Numbers and booleans are texts where texts are wanted, as they were written.
    fn text<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match &self.node.value {
            Value::Number(raw) => visitor.visit_str(raw),
            Value::Bool(value) => visitor.visit_str(if *value { "true" } else { "false" }),
            _ => return self.any(visitor),
        }
        .map_err(|fault: Fault| fault.at(self.place))
    }
}

fn number<'de, V: Visitor<'de>>(raw: &str, visitor: V) -> Result<V::Value, Fault> {
    let (negative, digits) = match raw.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, raw.strip_prefix('+').unwrap_or(raw)),
    };
    let parsed = match digits.get(..2) {
        Some("0x" | "0X") => u64::from_str_radix(&digits[2..], 16),
        Some("0o" | "0O") => u64::from_str_radix(&digits[2..], 8),
        Some("0b" | "0B") => u64::from_str_radix(&digits[2..], 2),
        _ => digits.parse(),
    };
    match parsed {
        Ok(magnitude) if !negative => visitor.visit_u64(magnitude),
        Ok(magnitude) => match 0_i64.checked_sub_unsigned(magnitude) {
            Some(number) => visitor.visit_i64(number),
            None => float(raw, visitor),
        },
        Err(_) => float(raw, visitor),
    }
}

fn float<'de, V: Visitor<'de>>(raw: &str, visitor: V) -> Result<V::Value, Fault> {
    let lower = raw.to_ascii_lowercase();
    let number = match lower.trim_start_matches(['+', '-']) {
        ".inf" if raw.starts_with('-') => Ok(f64::NEG_INFINITY),
        ".inf" => Ok(f64::INFINITY),
        ".nan" => Ok(f64::NAN),
        _ => lower.parse(),
    };
    match number {
        Ok(number) => visitor.visit_f64(number),
        Err(_) => visitor.visit_str(raw),
    }
}

impl<'de> Deserializer<'de> for Reader<'_> {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.any(visitor)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.text(visitor)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.text(visitor)
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.text(visitor)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.text(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.node.value {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
        .map_err(|fault: Fault| fault.at(self.place))
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        visitor
            .visit_newtype_struct(self)
            .map_err(|fault| fault.at(self.place))
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_unit()
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        match &self.node.value {
            Value::Mapping(entries) => match entries.as_slice() {
                [(key, content)] => visitor.visit_enum(Variant {
                    key,
                    content: self.entry(key, content),
                }),
                several => Err(Fault::invalid_length(
                    several.len(),
                    &"a mapping with one entry",
                )),
            },
            Value::String(name) | Value::Number(name) => {
                visitor.visit_enum(IntoDeserializer::<Fault>::into_deserializer(name.as_str()))
            }
            Value::Bool(_) | Value::Null | Value::Sequence(_) => {
                let found = self.node.value.kind();
                Err(Fault::invalid_type(Unexpected::Other(found), &"text"))
            }
        }
        .map_err(|fault| fault.at(self.place))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 bytes byte_buf unit unit_struct
        seq tuple tuple_struct map struct
    }
}

struct Items<'a> {
    reader: Reader<'a>,
    items: std::iter::Enumerate<std::slice::Iter<'a, Node>>,
}

impl<'de> SeqAccess<'de> for Items<'_> {
    type Error = Fault;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Fault> {
        let left_out = self.reader.left_out;
        let Some((index, item)) = self.items.find(|(_, item)| !left_out.contains(item)) else {
            return Ok(None);
        };
        seed.deserialize(self.reader.below(item))
            .map(Some)
            .map_err(|fault| fault.at(&item.place).within(PathPart::Index(index)))
    }
}

struct Entries<'a> {
    reader: Reader<'a>,
    entries: std::slice::Iter<'a, (Key, Node)>,
    current: Option<&'a (Key, Node)>,
}

impl<'de> MapAccess<'de> for Entries<'_> {
    type Error = Fault;

    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Fault> {
        let left_out = self.reader.left_out;
        self.current = self.entries.find(|(_, node)| !left_out.contains(node));
        let Some((key, _)) = self.current else {
            return Ok(None);
        };
        seed.deserialize(StrDeserializer::new(&key.name))
            .map(Some)
            .map_err(|fault: Fault| fault.at(&key.place).within(PathPart::Key(key.name.clone())))
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Fault> {
        let Some((key, node)) = self.current.take() else {
            return Err(Fault::custom("a value was asked for before its key"));
        };
        let reader = self.reader.entry(key, node);
        seed.deserialize(reader).map_err(|fault| {
            fault
                .at(reader.place)
                .within(PathPart::Key(key.name.clone()))
        })
    }
}

#[derive(Clone, Copy)]
struct Variant<'a> {
    key: &'a Key,
    content: Reader<'a>,
}

impl<'de> EnumAccess<'de> for Variant<'_> {
    type Error = Fault;
    type Variant = Self;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self), Fault> {
        seed.deserialize(StrDeserializer::<Fault>::new(&self.key.name))
            .map(|variant| (variant, self))
            .map_err(|fault| fault.at(&self.key.place))
    }
}

impl Variant<'_> {
    fn within(&self, fault: Fault) -> Fault {
        fault
            .at(self.content.place)
            .within(PathPart::Key(self.key.name.clone()))
    }
}

impl<'de> VariantAccess<'de> for Variant<'_> {
    type Error = Fault;

    fn unit_variant(self) -> Result<(), Fault> {
        serde::Deserialize::deserialize(self.content).map_err(|fault| self.within(fault))
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, Fault> {
        seed.deserialize(self.content)
            .map_err(|fault| self.within(fault))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Fault> {
        self.content
            .any(visitor)
            .map_err(|fault| self.within(fault))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.content
            .any(visitor)
            .map_err(|fault| self.within(fault))
    }
}

#[cfg(test)]
#[path = "decode_tests.rs"]
mod tests;
