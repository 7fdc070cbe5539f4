//! What is gone, and still on the tagging API's list: it learns of the end of things late.

use serde_json::{Value, json};

use super::answer::Answer;
use super::call::Call;

/// Things that are gone, by their ARN, with the tags that they had.
#[derive(Debug, Default)]
pub struct Lingering(Vec<(String, Vec<(String, String)>)>);

impl Lingering {
    /// Something that was there.
    pub fn add(&mut self, arn: &str, tags: &[(&str, &str)]) {
        let own = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        self.0
            .push((arn.to_owned(), tags.iter().map(own).collect()));
    }

    /// Adds them to the list's first page.
    pub(super) fn answer(&self, call: &Call, answer: &mut Answer) {
        if call.action != "GetResources" || !answer.worked() || self.0.is_empty() {
            return;
        }
        if call
            .text("PaginationToken")
            .is_some_and(|token| !token.is_empty())
        {
            return;
        }
        let mut value: Value = serde_json::from_str(answer.text()).unwrap_or_default();
        if let Some(list) = value["ResourceTagMappingList"].as_array_mut() {
            list.extend(self.0.iter().map(|(arn, tags)| {
                let tag = |(key, value): &(String, String)| json!({"Key": key, "Value": value});
                let tags: Vec<Value> = tags.iter().map(tag).collect();
                json!({"ResourceARN": arn, "Tags": tags})
            }));
        }
        answer.body = value.to_string().into();
    }
}
