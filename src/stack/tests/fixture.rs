use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use indexmap::IndexMap;

use crate::diagnostic::Diagnostics;
use crate::model::environment::{Isolation, ProviderKind};
use crate::model::{Service, Stack};
use crate::stack::{Request, Source, load};

/// What a test can say of a request.
pub struct Setup {
    pub seats: u32,
    pub profiles: Vec<String>,
    pub isolation: Isolation,
    pub variables: IndexMap<String, String>,
    pub provider: ProviderKind,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            seats: 23,
            profiles: Vec::new(),
            isolation: Isolation {
                internet: true,
                ..Isolation::default()
            },
            variables: [("SET".to_owned(), "set".to_owned())].into(),
            provider: ProviderKind::Docker,
        }
    }
}

impl Setup {
    pub fn one_seat() -> Self {
        Self {
            seats: 1,
            ..Self::default()
        }
    }

    pub fn text(&self, text: &str) -> Result<Stack, Diagnostics> {
        self.source(Source::Text {
            name: "stack.yaml".to_owned(),
            text: text.to_owned(),
        })
    }

    pub fn file(&self, path: &Path) -> Result<Stack, Diagnostics> {
        self.source(Source::File(PathBuf::from(path)))
    }

    fn source(&self, source: Source) -> Result<Stack, Diagnostics> {
        load(&Request {
            source,
            environment: &"demo".parse().expect("a name"),
            provider: self.provider,
            seats: self.seats,
            variables: &self.variables,
            process: &BTreeMap::from([("FROM_PROCESS".to_owned(), "p".to_owned())]),
            profiles: &self.profiles,
            isolation: &self.isolation,
        })
    }
}

/// A file with one service `s` that has these attributes, each a line or a few at column 0, and
/// with whatever an attribute may refer to.
pub fn with_attributes(attributes: &str) -> String {
    let indented: String = attributes
        .lines()
        .map(|line| format!("    {line}\n"))
        .collect();
    let image = if attributes.contains("image:") {
        ""
    } else {
        "    image: i:1\n"
    };
    format!(
        "services:\n  s:\n{image}{indented}  \
         other:\n    image: o:1\n    healthcheck: {{test: 'true'}}\n\
         networks: {{n: , m: {{internal: true}}}}\n\
         volumes: {{v: , w: }}\n\
         configs: {{c: {{content: 'seat $SEATBOX_SEAT'}}, d: {{environment: SET}}}}\n\
         secrets: {{k: {{content: $SEATBOX_SECRET_K}}}}\n"
    )
}

/// The service `s` with these attributes.
pub fn service(attributes: &str) -> Service {
    match Setup::default().text(&with_attributes(attributes)) {
        Ok(mut stack) => stack
            .services
            .swap_remove(&"s".parse::<crate::model::ServiceName>().expect("a name"))
            .expect("there"),
        Err(problems) => panic!("{attributes}\n{}", problems.render(false, 100)),
    }
}

/// Owned strings.
pub fn strings(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}
