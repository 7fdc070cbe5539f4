//! `seatbox config`.

use super::args::{EnvironmentArgs, Global, Output};
use super::context;
use super::error::Result;
use super::interruption::Interruption;
use super::print::line;
use crate::environment::settings;
use crate::exit::Exit;

/// Prints each value of the environment, with where it comes from.
pub fn run(global: &Global, environment: &EnvironmentArgs, interruption: &Interruption) -> Result {
    let loaded = context::load(environment, interruption)?;
    let settings = settings(&loaded.tree);
    if global.output == Output::Json {
        let values: Vec<_> = settings
            .iter()
            .map(|setting| {
                serde_json::json!({
                    "path": setting.path,
                    "value": setting.value,
                    "origin": setting.origin,
                })
            })
            .collect();
        line(format_args!(
            "{:#}",
            serde_json::json!({ "version": 1, "settings": values })
        ));
        return Ok(Exit::Success);
    }
    let width = |text: fn(&crate::environment::Setting) -> &str| {
        settings
            .iter()
            .map(|setting| text(setting).chars().count())
            .max()
            .unwrap_or(0)
    };
    let (path, value) = (width(|s| &s.path), width(|s| &s.value).min(60));
    for setting in &settings {
        line(format_args!(
            "{:path$}  {:value$}  # {}",
            setting.path, setting.value, setting.origin
        ));
    }
    Ok(Exit::Success)
}
