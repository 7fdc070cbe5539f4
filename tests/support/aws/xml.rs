//! The little that is to be read out of EC2's and IAM's answers, and changed in them.

use std::ops::Range;

use roxmltree::{Document, Node};

/// The document, without which nothing can be judged.
pub fn parse(text: &str) -> Document<'_> {
    Document::parse(text).unwrap_or_else(|error| panic!("no XML ({error}): {text}"))
}

/// The texts of all elements of that name, wherever they are.
pub fn texts(text: &str, name: &str) -> Vec<String> {
    let document = parse(text);
    let named = document.descendants().filter(|&node| is(node, name));
    named
        .filter_map(|node| node.text().map(str::to_owned))
        .collect()
}

/// The members of a list, which lies below the elements named before it: `reservationSet`, then
/// `instancesSet`, are all instances of all reservations.
pub fn members<'a, 'input>(root: Node<'a, 'input>, lists: &[&str]) -> Vec<Node<'a, 'input>> {
    let Some((list, inner)) = lists.split_first() else {
        return vec![root];
    };
    let list = root.children().find(|&node| is(node, list));
    let members = list
        .into_iter()
        .flat_map(|list| list.children().filter(Node::is_element));
    members
        .flat_map(|member| self::members(member, inner))
        .collect()
}

/// The text of the element that is reached by these names.
pub fn text<'a>(node: Node<'a, '_>, path: &[&str]) -> Option<&'a str> {
    let mut at = node;
    for name in path {
        at = at.children().find(|&child| is(child, name))?;
    }
    at.text()
}

/// The text without what lies in these ranges, which lie apart from each other.
pub fn without(text: &str, mut ranges: Vec<Range<usize>>) -> String {
    ranges.sort_by_key(|range| range.start);
    let mut kept = String::with_capacity(text.len());
    let mut from = 0;
    for range in ranges {
        kept.push_str(&text[from..range.start]);
        from = range.end;
    }
    kept.push_str(&text[from..]);
    kept
}

/// Names are compared without their namespace, which is one a service and says nothing here.
fn is(node: Node<'_, '_>, name: &str) -> bool {
    node.is_element() && node.tag_name().name() == name
}

/// The texts of all that is below the child of that name.
pub fn texts_below<'a>(node: Node<'a, '_>, name: &str) -> Vec<&'a str> {
    let child = node.children().find(|&child| is(child, name));
    let below = child.into_iter().flat_map(|child| child.descendants());
    below
        .filter(Node::is_text)
        .filter_map(|node| node.text())
        .filter(|text| !text.trim().is_empty())
        .collect()
}
