//! What the checks of an environment share: the tree for places, and the problems found so far.

use std::path::{Component, Path, PathBuf};

use crate::diagnostic::Diagnostic;
use crate::yaml::{Node, PathPart};

/// Collects problems, each placed by the path of the value it is about.
pub(super) struct Checker<'a> {
    tree: &'a Node,
    base: PathBuf,
    pub(super) problems: Vec<Diagnostic>,
}

impl<'a> Checker<'a> {
    /// Checks of `tree`, whose relative paths are relative to `base`.
    pub(super) fn new(tree: &'a Node, base: &Path, problems: Vec<Diagnostic>) -> Self {
        Self {
            tree,
            base: base.to_owned(),
            problems,
        }
    }

    /// Reports a problem of the value at `path` (`images.mirrors.0`).
    pub(super) fn problem(
        &mut self,
        path: &str,
        code: &'static str,
        message: impl Into<String>,
        hint: &str,
    ) {
        let path = parts(path);
        let place = self.tree.place_of(&path);
        let mut problem = Diagnostic::new(code, message, place).with_path(path);
        if !hint.is_empty() {
            problem = problem.with_hint(hint);
        }
        self.problems.push(problem);
    }

    /// Reports that the value at `path` is missing, unless it is there: then what is wrong with it
    /// was reported when it was read.
    pub(super) fn missing(&mut self, path: &str, hint: &str) {
        if !self.has(path) {
            let name = path.to_owned();
            self.problem(
                path,
                "value::missing-field",
                format!("`{name}` is missing"),
                hint,
            );
        }
    }

    /// Whether some layer gives the value at `path`.
    pub(super) fn has(&self, path: &str) -> bool {
        self.tree.at(&parts(path)).is_some()
    }

    /// `text` as a path, relative to the environment file, without `.` and `..` in it where that
    /// needs no look at the file system.
    pub(super) fn path(&self, text: &str) -> PathBuf {
        tidy(&self.base.join(text))
    }
}

fn parts(path: &str) -> Vec<PathPart> {
    path.split('.')
        .map(|part| match part.parse::<usize>() {
            Ok(index) => PathPart::Index(index),
            Err(_) => PathPart::Key(part.to_owned()),
        })
        .collect()
}

fn tidy(path: &Path) -> PathBuf {
    let mut tidied = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir
                if matches!(tidied.components().next_back(), Some(Component::Normal(_))) =>
            {
                tidied.pop();
            }
            Component::ParentDir if tidied.has_root() => {}
            other => tidied.push(other),
        }
    }
    tidied
}
