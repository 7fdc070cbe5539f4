//! A YAML value that knows where it was written.

use std::collections::HashMap;

use super::{PathPart, Place};

/// A value and its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// The value.
    pub value: Value,
    /// Where it was written.
    pub place: Place,
}

/// A YAML value. Numbers keep the text they were written with, so that `1.10` stays `1.10` where a
/// text was meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Nothing: `null`, `~`, or an empty value.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number, as it was written.
    Number(String),
    /// Text.
    String(String),
    /// A list.
    Sequence(Vec<Node>),
    /// Keys with values, in the order they were written; no key is there twice.
    Mapping(Vec<(Key, Node)>),
}

/// The key of a mapping's entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// Its text.
    pub name: String,
    /// Where it was written.
    pub place: Place,
}

impl Value {
    /// What kind of value it is, for messages.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Bool(_) => "true or false",
            Self::Number(_) => "a number",
            Self::String(_) => "text",
            Self::Sequence(_) => "a list",
            Self::Mapping(_) => "a mapping",
        }
    }
}

impl Node {
    /// A node of that value and place.
    pub fn new(value: Value, place: Place) -> Self {
        Self { value, place }
    }

    /// An empty mapping.
    pub fn empty(place: Place) -> Self {
        Self::new(Value::Mapping(Vec::new()), place)
    }

    /// The value of `key`, where this is a mapping that has it.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|(_, node)| node)
    }

    /// The key and value of the entry `key`, where this is a mapping that has it.
    pub fn entry(&self, key: &str) -> Option<(&Key, &Node)> {
        let Value::Mapping(entries) = &self.value else {
            return None;
        };
        entries
            .iter()
            .find(|(candidate, _)| candidate.name == key)
            .map(|(key, node)| (key, node))
    }

    fn child(&self, part: &PathPart) -> Option<&Node> {
        match (part, &self.value) {
            (PathPart::Key(key), _) => self.get(key),
            (PathPart::Index(index), Value::Sequence(items)) => items.get(*index),
            _ => None,
        }
    }

    /// The node at `path`, counted from this one.
    pub fn at(&self, path: &[PathPart]) -> Option<&Node> {
        path.iter().try_fold(self, |node, part| node.child(part))
    }

    /// The node at `path`, or the last on the way there.
    pub fn nearest(&self, path: &[PathPart]) -> &Node {
        let mut node = self;
        for part in path {
            match node.child(part) {
                Some(child) => node = child,
                None => break,
            }
        }
        node
    }

    /// Where to point for a problem with the value at `path`: at the value; at its key where the
    /// value is a block below it (a whole block underlined helps nobody); at the nearest thing
    /// around it where there is no such value.
    pub fn place_of(&self, path: &[PathPart]) -> Place {
        if let Some((PathPart::Key(last), parents)) = path.split_last()
            && let Some((key, value)) = self.at(parents).and_then(|parent| parent.entry(last))
        {
            let block = matches!(
                value.value,
                Value::Mapping(_) | Value::Sequence(_) | Value::Null
            );
            return if block {
                key.place.clone()
            } else {
                value.place.clone()
            };
        }
        if self.at(path).is_none()
            && let Some((_, parents)) = path.split_last()
        {
            return self.place_of(parents);
        }
        self.nearest(path).place.clone()
    }

    /// This tree with `over` laid upon it: mappings are merged entry by entry, everything else is
    /// replaced.
    #[must_use]
    pub fn merge(self, over: Node) -> Node {
        match (self.value, over.value) {
            (Value::Mapping(mut below), Value::Mapping(above)) => {
                // By name, for a hostile file has a hundred thousand keys.
                let index: HashMap<String, usize> = below
                    .iter()
                    .enumerate()
                    .map(|(index, (key, _))| (key.name.clone(), index))
                    .collect();
                for (key, node) in above {
                    match index.get(&key.name) {
                        Some(index) => {
                            let (old_key, old) = &mut below[*index];
                            let taken = std::mem::replace(old, Node::empty(Place::Default));
                            *old = taken.merge(node);
                            *old_key = key;
                        }
                        None => below.push((key, node)),
                    }
                }
                Node::new(Value::Mapping(below), over.place)
            }
            (_, value) => Node::new(value, over.place),
        }
    }

    /// Every leaf below (scalars, empty lists and empty mappings) with its path, in order.
    pub fn leaves(&self) -> Vec<(Vec<PathPart>, &Node)> {
        let mut leaves = Vec::new();
        self.collect_leaves(&mut Vec::new(), &mut leaves);
        leaves
    }

    fn collect_leaves<'a>(
        &'a self,
        path: &mut Vec<PathPart>,
        leaves: &mut Vec<(Vec<PathPart>, &'a Node)>,
    ) {
        let mut descend = |part: PathPart, node: &'a Node| {
            path.push(part);
            node.collect_leaves(path, leaves);
            path.pop();
        };
        match &self.value {
            Value::Mapping(entries) if !entries.is_empty() => {
                for (key, node) in entries {
                    descend(PathPart::Key(key.name.clone()), node);
                }
            }
            Value::Sequence(items) if !items.is_empty() => {
                for (index, node) in items.iter().enumerate() {
                    descend(PathPart::Index(index), node);
                }
            }
            _ => leaves.push((path.clone(), self)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Source, parse};
    use super::*;

    fn tree(name: &str, text: &str) -> Node {
        parse(&Source::new(name, text).into()).unwrap()
    }

    #[test]
    fn merging_keeps_what_is_not_replaced_and_the_place_of_each_value() {
        let below = tree("below", "a: {x: 1, y: 2}\nb: [1, 2]\n");
        let above = tree("above", "a: {y: 3, z: 4}\nb: [9]\n");
        let merged = below.merge(above);
        let shown: Vec<String> = merged
            .leaves()
            .iter()
            .map(|(path, node)| format!("{} {}", super::super::path_text(path), node.place))
            .collect();
        assert_eq!(
            shown,
            [
                "a.x below:1:8",
                "a.y above:1:8",
                "a.z above:1:14",
                "b[0] above:2:5"
            ]
        );
    }

    #[test]
    fn a_problem_with_a_missing_value_points_at_what_is_around_it() {
        let tree = tree("f", "a:\n  b: 1\n");
        let place = |path: &[PathPart]| tree.place_of(path).to_string();
        assert_eq!(place(&["a".into(), "b".into()]), "f:2:6");
        assert_eq!(place(&["a".into()]), "f:1:1");
        assert_eq!(place(&["a".into(), "missing".into()]), "f:1:1");
    }
}
