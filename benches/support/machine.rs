//! The machine, for whoever reads the numbers.

use jiff::Timestamp;

use crate::Result;

/// The moment, in UTC.
pub fn now() -> String {
    Timestamp::now().strftime("%F %T UTC").to_string()
}

/// What its processors are.
pub fn model() -> Result<String> {
    let text = std::fs::read_to_string("/proc/cpuinfo")?;
    let model = text
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(':'));
    Ok(model
        .map_or("processor", |(_, name)| name.trim())
        .to_owned())
}

/// This program's arguments, without the values of those options: where things lie on this machine is
/// nothing for whoever reads the numbers.
pub fn arguments_without(options: &[&str]) -> String {
    let mut words: Vec<String> = Vec::new();
    let mut skip = false;
    for argument in std::env::args().skip(1) {
        let name = argument.split('=').next().unwrap_or_default();
        if std::mem::replace(&mut skip, false) || argument == "--bench" {
            continue;
        }
        if options.contains(&name) {
            skip = name == argument;
            continue;
        }
        words.push(shell_words::quote(&argument).into_owned());
    }
    words.join(" ")
}
