//! In which form progress is shown.

use std::env;
use std::io::IsTerminal as _;

/// A form of showing progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Moving bars, for a terminal.
    Bars,
    /// One line for each event worth it.
    Plain,
    /// One JSON document for each event.
    Json,
    /// Failures only, one line each.
    Quiet,
}

/// What is known of where standard error goes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Surroundings {
    /// Whether it is a terminal that understands control sequences.
    pub terminal: bool,
    /// Whether somebody asked for no colour (`NO_COLOR` set and not empty, <https://no-color.org>).
    pub no_color: bool,
    /// Whether this runs in a continuous integration, where terminals are recorded (`CI`).
    pub ci: bool,
}

impl Surroundings {
    /// Those of this process.
    pub fn of_process() -> Self {
        let set = |name| env::var_os(name).is_some_and(|value| !value.is_empty());
        Self {
            terminal: std::io::stderr().is_terminal()
                && env::var_os("TERM").is_none_or(|term| term != "dumb"),
            no_color: set("NO_COLOR"),
            ci: set("CI"),
        }
    }
}

/// A form of showing progress, and whether in colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Format {
    /// The form.
    pub style: Style,
    /// Whether colour may be used.
    pub colour: bool,
}

impl Format {
    /// The form that fits: JSON where it is asked for, else failures only where quiet is asked
    /// for, else bars where they can be seen.
    pub fn choose(json: bool, quiet: bool, surroundings: Surroundings) -> Self {
        let style = if json {
            Style::Json
        } else if quiet {
            Style::Quiet
        } else if surroundings.terminal && !surroundings.ci {
            Style::Bars
        } else {
            Style::Plain
        };
        Self {
            style,
            colour: style == Style::Bars && !surroundings.no_color,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TERMINAL: Surroundings = Surroundings {
        terminal: true,
        no_color: false,
        ci: false,
    };

    fn style(json: bool, quiet: bool, surroundings: Surroundings) -> Style {
        Format::choose(json, quiet, surroundings).style
    }

    #[test]
    fn bars_are_for_terminals_that_nobody_records() {
        assert_eq!(style(false, false, TERMINAL), Style::Bars);
        assert_eq!(style(false, false, Surroundings::default()), Style::Plain);
        let recorded = Surroundings {
            ci: true,
            ..TERMINAL
        };
        assert_eq!(style(false, false, recorded), Style::Plain);
    }

    #[test]
    fn what_is_asked_for_comes_first() {
        assert_eq!(style(true, true, TERMINAL), Style::Json);
        assert_eq!(style(false, true, TERMINAL), Style::Quiet);
    }

    #[test]
    fn no_color_keeps_the_bars_and_takes_the_colour() {
        let plain = Surroundings {
            no_color: true,
            ..TERMINAL
        };
        let format = Format::choose(false, false, plain);
        assert_eq!((format.style, format.colour), (Style::Bars, false));
        assert!(Format::choose(false, false, TERMINAL).colour);
    }
}
