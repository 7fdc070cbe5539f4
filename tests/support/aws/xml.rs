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
pub fn without(text: &str, ranges: Vec<Range<usize>>) -> String {
    edited(
        text,
        ranges
            .into_iter()
            .map(|range| (range, String::new()))
            .collect(),
    )
}

/// The text with something else in these ranges, which lie apart from each other.
pub fn edited(text: &str, mut edits: Vec<(Range<usize>, String)>) -> String {
    edits.sort_by_key(|(range, _)| range.start);
    let mut edited = String::with_capacity(text.len());
    let mut from = 0;
    for (range, instead) in edits {
        edited.push_str(&text[from..range.start]);
        edited.push_str(&instead);
        from = range.end;
    }
    edited.push_str(&text[from..]);
    edited
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

/// The places of those members that are not wanted, by their number; a list that holds nothing any more is
/// left out as a whole.
pub fn outside(
    root: Node<'_, '_>,
    lists: &[&str],
    wanted: impl Fn(usize) -> bool,
) -> Vec<Range<usize>> {
    let mut ranges = Vec::new();
    let mut number = 0;
    for member in members(root, &lists[..1]) {
        let inner = members(member, &lists[1..]);
        let all = inner.len();
        let numbered = inner.into_iter().zip(number..);
        let out = numbered
            .filter(|(_, number)| !wanted(*number))
            .map(|(one, _)| one.range());
        let out: Vec<_> = out.collect();
        number += all;
        if out.len() == all {
            ranges.push(member.range());
        } else {
            ranges.extend(out);
        }
    }
    ranges
}

/// The place of the child of that name.
pub fn child_range(node: Node<'_, '_>, name: &str) -> Option<Range<usize>> {
    node.children()
        .find(|&child| is(child, name))
        .map(|child| child.range())
}

/// What is in the list of that name, as text.
pub fn inner(text: &str, list: &str) -> String {
    let document = parse(text);
    let list = document
        .root_element()
        .children()
        .find(|&child| is(child, list));
    let members = list
        .into_iter()
        .flat_map(|list| list.children().filter(Node::is_element));
    members.map(|member| &text[member.range()]).collect()
}

/// The text with more at the end of the list of that name.
pub fn with_more(text: &str, list: &str, more: &str) -> String {
    let end = format!("</{list}>");
    match text.find(&end) {
        Some(at) => format!("{}{more}{}", &text[..at], &text[at..]),
        // An empty one has no end of its own.
        None => text.replacen(&format!("<{list}/>"), &format!("<{list}>{more}{end}"), 1),
    }
}

/// The text with one more child at the end of its root.
pub fn with_child(text: &str, name: &str, value: &str) -> String {
    let at = text.rfind("</").expect("a root ends");
    format!("{}<{name}>{value}</{name}>{}", &text[..at], &text[at..])
}
