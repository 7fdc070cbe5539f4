//! Recipes: how to make an image from Debian packages alone, for a room without a registry.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use indexmap::IndexMap;
use rust_embed::RustEmbed;
use serde::Deserialize;

use super::reference::familiar;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::yaml::{self, Place, Source};

/// The recipes that come with the program.
#[derive(RustEmbed)]
#[folder = "templates/images/"]
struct BuiltIn;

/// A recipe, with the files that belong to it.
#[derive(Debug, Clone, PartialEq)]
pub struct Recipe {
    /// The image's name. It says that the image was made here, and is no official one's.
    pub name: String,
    /// The references that it may stand in for.
    pub stands_in_for: Vec<String>,
    /// What is in it, in a line.
    pub description: String,
    /// The Debian release.
    pub suite: String,
    /// Further parts of the archive (`bookworm-backports`).
    pub pockets: Vec<String>,
    /// The set of packages that mmdebstrap begins with.
    pub variant: String,
    /// The packages.
    pub packages: Vec<String>,
    /// Paths that dpkg leaves out, as globs.
    pub exclude: Vec<String>,
    /// Paths that dpkg keeps all the same.
    pub keep: Vec<String>,
    /// What the image says of how it is run.
    pub config: Config,
    /// The recipe's other files by their path in its directory: `rootfs/…`, `prepare.sh`,
    /// `customize.sh`.
    pub files: BTreeMap<String, Vec<u8>>,
}

/// What an image says of how it is run.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Environment variables.
    pub env: IndexMap<String, String>,
    /// The entry point.
    pub entrypoint: Vec<String>,
    /// The command.
    pub cmd: Vec<String>,
    /// Ports, as `5432/tcp`.
    pub expose: Vec<String>,
    /// Directories that get a volume of their own.
    pub volumes: Vec<String>,
    /// The working directory.
    pub workdir: String,
    /// The user.
    pub user: String,
    /// The signal that stops it.
    pub stop_signal: String,
}

/// A recipe file as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    version: u32,
    name: String,
    stands_in_for: Vec<String>,
    #[serde(default)]
    description: String,
    suite: String,
    #[serde(default)]
    pockets: Vec<String>,
    variant: String,
    packages: Vec<String>,
    #[serde(default)]
    exclude: Vec<String>,
    #[serde(default)]
    keep: Vec<String>,
    #[serde(default)]
    config: Config,
}

/// What a locally made image's name begins with.
const LOCAL: &str = "seatbox.local/";

impl Recipe {
    /// Reads a recipe from its file and the others beside it.
    fn read(source: Source, files: BTreeMap<String, Vec<u8>>) -> Result<Self, Diagnostics> {
        let node = yaml::parse(&Arc::new(source))?;
        let (raw, mut problems) = yaml::decode::<Raw>(&node);
        if let Some(raw) = &raw {
            let at = |key| {
                node.get(key)
                    .map_or(node.place.clone(), |value| value.place.clone())
            };
            if raw.version != 1 {
                let message = format!("recipe version {} is not known", raw.version);
                problems.push(Diagnostic::new("recipe", message, at("version")));
            }
            if !raw.name.starts_with(LOCAL) {
                problems.push(
                    Diagnostic::new(
                        "recipe",
                        "an image made here must not look official",
                        at("name"),
                    )
                    .with_hint(format!("let its name begin with {LOCAL}")),
                );
            }
        }
        let Some(raw) = raw else {
            return Err(Diagnostics::new(problems));
        };
        Diagnostics::none_or(
            problems,
            Self {
                name: raw.name,
                stands_in_for: raw.stands_in_for,
                description: raw.description,
                suite: raw.suite,
                pockets: raw.pockets,
                variant: raw.variant,
                packages: raw.packages,
                exclude: raw.exclude,
                keep: raw.keep,
                config: raw.config,
                files,
            },
        )
    }
}

/// The recipes that there are; those of the environment's own directory come first.
#[derive(Debug, Clone, Default)]
pub struct Recipes(Vec<Recipe>);

impl Recipes {
    /// The built-in recipes, and before them those in the folders of `directory`.
    ///
    /// # Errors
    ///
    /// A recipe in `directory` that can't be read, with all that is wrong with it.
    pub fn load(directory: Option<&Path>) -> Result<Self, Diagnostics> {
        let mut recipes = Vec::new();
        if let Some(directory) = directory {
            for folder in folders(directory)? {
                let source = yaml::read(&folder.join("recipe.yaml"))
                    .map_err(|problem| Diagnostics::new(vec![problem]))?;
                let mut files = BTreeMap::new();
                collect(&folder, &folder, &mut files)
                    .map_err(|error| unreadable(&folder, &error))?;
                recipes.push(Recipe::read(source, files)?);
            }
        }
        recipes.extend(Self::built_in().0);
        Ok(Self(recipes))
    }

    /// The built-in recipes.
    pub fn built_in() -> Self {
        let mut folders: BTreeMap<String, BTreeMap<String, Vec<u8>>> = BTreeMap::new();
        for path in BuiltIn::iter() {
            if let (Some((folder, inside)), Some(file)) =
                (path.split_once('/'), BuiltIn::get(&path))
            {
                folders
                    .entry(folder.to_owned())
                    .or_default()
                    .insert(inside.to_owned(), file.data.into_owned());
            }
        }
        let recipes = folders.into_iter().map(|(folder, mut files)| {
            let text = files.remove("recipe.yaml").unwrap_or_default();
            let text = String::from_utf8_lossy(&text);
            Recipe::read(Source::new(&format!("{folder}/recipe.yaml"), &text), files)
                .expect("a test reads every built-in recipe")
        });
        Self(recipes.collect())
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Recipe> {
        self.0.iter()
    }

    /// The recipe of that name.
    pub fn named(&self, name: &str) -> Option<&Recipe> {
        self.0.iter().find(|recipe| recipe.name == name)
    }

    /// The recipe whose image may stand in for that reference.
    pub fn standing_in_for(&self, reference: &str) -> Option<&Recipe> {
        let wanted = familiar(reference);
        self.0.iter().find(|recipe| {
            recipe.name == reference
                || recipe
                    .stands_in_for
                    .iter()
                    .any(|other| familiar(other) == wanted)
        })
    }
}

fn folders(directory: &Path) -> Result<Vec<std::path::PathBuf>, Diagnostics> {
    let read = || -> std::io::Result<Vec<_>> {
        let mut folders: Vec<_> = directory
            .read_dir()?
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<Result<_, _>>()?;
        folders.retain(|path| path.join("recipe.yaml").is_file());
        folders.sort();
        Ok(folders)
    };
    read().map_err(|error| unreadable(directory, &error))
}

fn unreadable(path: &Path, error: &std::io::Error) -> Diagnostics {
    let message = format!("can't read the recipes in {}: {error}", path.display());
    Diagnostics::new(vec![Diagnostic::new("recipe", message, Place::Default)])
}

fn collect(
    root: &Path,
    directory: &Path,
    files: &mut BTreeMap<String, Vec<u8>>,
) -> std::io::Result<()> {
    for entry in directory.read_dir()? {
        let path = entry?.path();
        if path.is_dir() {
            collect(root, &path, files)?;
        } else if let Ok(inside) = path.strip_prefix(root)
            && inside != Path::new("recipe.yaml")
        {
            files.insert(inside.display().to_string(), std::fs::read(&path)?);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_built_in_recipes_stand_in_for_the_official_images() {
        let recipes = Recipes::built_in();
        for (reference, name) in [
            ("golang:1.23-bookworm", "seatbox.local/golang:1.23"),
            ("docker.io/library/redis:7", "seatbox.local/redis:7"),
            ("postgres:15", "seatbox.local/postgres:15"),
        ] {
            assert_eq!(recipes.standing_in_for(reference).unwrap().name, name);
        }
        assert!(recipes.standing_in_for("postgres:16").is_none());
    }

    #[test]
    fn a_recipe_whose_image_would_look_official_is_refused() {
        let text = "version: 1\nname: redis:7\nstands_in_for: []\nsuite: bookworm\n\
                    variant: essential\npackages: []\n";
        let problems = Recipe::read(Source::new("recipe.yaml", text), BTreeMap::new()).unwrap_err();
        assert!(problems.to_string().contains("must not look official"));
    }

    #[test]
    fn recipes_of_the_environment_come_before_the_built_in_ones() {
        let directory = tempfile::tempdir().unwrap();
        let folder = directory.path().join("mine");
        std::fs::create_dir_all(folder.join("rootfs/etc")).unwrap();
        std::fs::write(folder.join("rootfs/etc/motd"), "hello").unwrap();
        let text = "version: 1\nname: seatbox.local/mine:7\nstands_in_for: ['redis:7']\n\
                    suite: bookworm\nvariant: essential\npackages: [redis-server]\n";
        std::fs::write(folder.join("recipe.yaml"), text).unwrap();
        let recipes = Recipes::load(Some(directory.path())).unwrap();
        let mine = recipes.standing_in_for("redis:7").unwrap();
        assert_eq!(mine.name, "seatbox.local/mine:7");
        assert_eq!(mine.files["rootfs/etc/motd"], b"hello");
    }
}
