//! The machine, and everybody who takes part, for whoever reads the numbers.

use std::path::Path;

use bollard::Docker;
use jiff::Timestamp;
use tokio::process::Command;

use crate::Result;
use crate::arguments::Arguments;
use crate::record::Machine;
use crate::setting::run;

/// Asks for all of it.
pub async fn describe(arguments: &Arguments, docker: &Docker) -> Result<Machine> {
    let info = docker.info().await?;
    let word = |text: Option<String>| text.unwrap_or_else(|| "unknown".to_owned());
    let mut seatbox = Vec::new();
    for named in &arguments.seatboxes {
        let version = run(Command::new(&named.path).arg("--version")).await?;
        seatbox.push(format!("{}: {}", named.name, version.trim()));
    }
    let given: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| argument != "--bench")
        .collect();
    Ok(Machine {
        began: Timestamp::now().strftime("%F %T UTC").to_string(),
        arguments: without_paths(&given),
        processors: format!("{} × {}", info.ncpu.unwrap_or_default(), model()?),
        memory_gib: u64::try_from(info.mem_total.unwrap_or_default())? >> 30,
        system: format!(
            "{}, Linux {}",
            word(info.operating_system),
            // What follows the number is whoever built it.
            word(info.kernel_version)
                .split('-')
                .next()
                .unwrap_or_default()
        ),
        engine: format!(
            "Docker {}, {}, cgroup v{}",
            word(info.server_version),
            word(info.driver),
            info.cgroup_version
                .map_or("?".to_owned(), |v| v.to_string())
        ),
        compose: compose(&arguments.compose).await,
        seatbox: seatbox.join(", "),
    })
}

async fn compose(program: &Path) -> String {
    match run(Command::new(program).args(["version", "--short"])).await {
        Ok(version) => version.trim().to_owned(),
        Err(_) => "none".to_owned(),
    }
}

fn model() -> Result<String> {
    let text = std::fs::read_to_string("/proc/cpuinfo")?;
    let model = text
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(':'));
    Ok(model
        .map_or("processor", |(_, name)| name.trim())
        .to_owned())
}

/// Where things lie on this machine is nothing for whoever reads the numbers.
fn without_paths(arguments: &[String]) -> String {
    let mut words: Vec<String> = Vec::new();
    let mut skip = false;
    for argument in arguments {
        let name = argument.split('=').next().unwrap_or_default();
        if std::mem::replace(&mut skip, false) {
            continue;
        }
        if ["--compose", "--out", "--into"].contains(&name) {
            skip = name == argument;
            continue;
        }
        words.push(shell_words::quote(argument).into_owned());
    }
    words.join(" ")
}
